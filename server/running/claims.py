"""What one running service holds for itself: its STATE_DIR and its port. Whoever comes second is told at once."""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from kit.errors import UsageError

_BACKLOG = 2048
_RETRY_SECONDS = 0.1


class FolderTakenError(UsageError):
    """Another service holds the folder."""


@contextlib.contextmanager
def claim_folder(state_dir: Path, port: int) -> Iterator[None]:
    """Hold `state_dir` while the block runs; the kernel lets go of it however we end. Raises FolderTakenError."""
    run = state_dir / "run"
    _make_folders(state_dir, run)
    with (run / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            process, _, their_port = lock.read().partition(" ")
            raise FolderTakenError(
                f"A service runs on {state_dir} already (process {process}, port {their_port}): stop it, or set "
                "another STATE_DIR and PORT for a second one, or join it: --node NAME --port PORT."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()} {port}")
        lock.flush()
        yield


def is_claimed(state_dir: Path) -> bool:
    """Whether a service holds the folder at this moment."""
    try:
        with (state_dir / "run" / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def claim_port(host: str, port: int, *, patience: float = 0.0) -> socket.socket:
    """A socket that listens on the port, or a UsageError. `patience`: seconds for a killed run to let go of it."""
    deadline = time.monotonic() + patience
    while True:
        try:
            return _listen(host, port)
        except OSError as problem:
            if problem.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise UsageError(_why_not(host, port, problem)) from None
        time.sleep(_RETRY_SECONDS)


def _make_folders(state_dir: Path, run: Path) -> None:
    if not state_dir.exists():
        # Two may start at once.
        state_dir.mkdir(parents=True, exist_ok=True)
        # Of root's folders the embedded servers' user must reach its own.
        state_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
    run.mkdir(mode=0o700, exist_ok=True)


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    both = family == socket.AF_INET6 and address[0] == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG, dualstack_ipv6=both)


def _why_not(host: str, port: int, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: stop it, or set PORT (or --port) to a free one."
    if problem.errno == errno.EACCES:
        return f"This user may not listen on port {port}: set PORT to one above 1023."
    return f"{host} is no address of this machine that can be listened on: set HOST to one, such as 127.0.0.1."
