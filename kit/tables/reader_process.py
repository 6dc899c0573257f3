"""The process that reads a workbook, seen from the one that started it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from kit.tables.messages import FRAME, LARGEST, Failure, Job, Message
from kit.tables.problems import TableError

_ROOT = Path(__file__).parents[2]
# Nothing secret goes to a process that opens what strangers send.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONHOME")
_BLOCK = 2**20
# A process that is neither working, so that its own limit would end it, nor answering.
_PATIENCE = 30

_decoder = msgspec.msgpack.Decoder(Message)


def environment() -> dict[str, str]:
    """What the process may know of ours."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}


class ReaderProcess:
    """A started `kit.tables.workbook_reader`; it ends with `close`, and also when this process dies."""

    def __init__(self, job: Job) -> None:
        self.job = job
        command = [sys.executable, "-P", "-m", "kit.tables.workbook_reader", msgspec.json.encode(job).decode()]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, bufsize=0, env=environment()
        )
        self._received = bytearray()

    def tell(self, command: str) -> None:
        """Send one line. A process that has died is noticed by the next `receive`."""
        assert self._process.stdin
        try:
            self._process.stdin.write(command.encode() + b"\n")
        except BrokenPipeError:
            return

    def receive(self) -> Message:
        """The next message. Raises TableError when the process gave up, died, or takes too long."""
        size: int = FRAME.unpack(self._take(FRAME.size))[0]
        if size > LARGEST:
            raise self._failed("too_much_memory")
        message = _decoder.decode(self._take(size))
        if isinstance(message, Failure):
            raise self._failed(message.code)
        return message

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        self._process.wait()

    def _take(self, size: int) -> bytes:
        assert self._process.stdout
        pipe = self._process.stdout.fileno()
        waiting = select.poll()
        waiting.register(pipe, select.POLLIN)
        while len(self._received) < size:
            if not waiting.poll((self.job.seconds + _PATIENCE) * 1000):
                raise self._failed("too_slow")
            block = os.read(pipe, _BLOCK)
            if not block:
                raise self._failed(_cause(self._process.wait()))
            self._received += block
        taken = bytes(self._received[:size])
        del self._received[:size]
        return taken

    def _failed(self, code: str) -> TableError:
        facts = {"limit": self.job.max_rows} if code == "too_many_rows" else {}
        return TableError(code, file=Path(self.job.path).name, **facts)


def _cause(status: int) -> str:
    """Why the process died, by its exit status."""
    if status == -signal.SIGXCPU:
        return "too_slow"
    # Rust aborts when memory cannot be had, and the kernel kills who takes too much.
    return "too_much_memory" if status in {-signal.SIGABRT, -signal.SIGKILL, 1} else "damaged"
