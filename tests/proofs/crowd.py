"""Many visitors at once, in a process of their own: they ask over loopback and note what came, and when.

    python -m tests.proofs.crowd PLAN.json ANSWERS

The plan bounds them in number and in time. Each candidate asks from an address of their own.
"""

import asyncio
import random
import signal
import sys
import time
from pathlib import Path
from struct import Struct
from typing import Any

import msgspec
import uvloop

from kit import children
from tests.marked_exams import MarkedExam

# When it was asked and answered (Unix time, seconds), over which line, what came.
_ANSWER = Struct("<ddHh")
# What came, where it is no generation.
NOTHING, REFUSED, WRONG, BROKEN = 0, -1, -2, -3
_PATIENCE = 10.0


class Plan(msgspec.Struct):
    """`rate`: lookups a second, all lines together; 0: each line asks again as soon as it was answered.

    `as_pages`: by the form instead of the API.
    """

    ports: list[int]
    exam: MarkedExam
    lines_each: int
    rate: float
    seconds: float
    seed: int = 1
    as_pages: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What one visitor got. `came`: the generation modulo 100 (100 as such), or NOTHING, REFUSED, WRONG, BROKEN.

    Lines are numbered port after port: those of the first port come first.
    """

    asked_at: float
    answered_at: float
    line: int
    came: int


def read_answers(file: Path) -> list[Answer]:
    """What a crowd noted."""
    return [Answer(*each) for each in _ANSWER.iter_unpack(file.read_bytes())]


class _Line(asyncio.Protocol):
    """One connection that is kept; one question at a time."""

    def __init__(self) -> None:
        self.is_closed = False
        self._received, self._answer = b"", asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises ConnectionError, TimeoutError."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(_PATIENCE):
            return await self._answer

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) >= length:
            self._received = body[length:]
            if not self._answer.done():
                self._answer.set_result((int(head[9:12]), body[:length]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def close(self) -> None:
        self._transport.close()


async def _visit(plan: Plan, number: int, port: int, noted: bytearray, stopping: asyncio.Event) -> None:
    chance, host = random.Random(f"{plan.seed}/{number}"), f"127.0.0.1:{port}"
    pause = len(plan.ports) * plan.lines_each / plan.rate if plan.rate else 0.0
    due = time.time() + chance.random() * pause
    end, line = time.time() + plan.seconds, None
    while (now := time.time()) < end and not stopping.is_set():
        if due > now:
            await asyncio.sleep(due - now)
        due = max(due + pause, time.time() - pause) if pause else 0.0
        place = chance.randint(1, plan.exam.count)
        ask = plan.exam.ask_page if plan.as_pages else plan.exam.ask_json
        request = ask(place, host, f"X-Real-IP: {address_of(place)}")
        asked_at = time.time()
        try:
            if line is None or line.is_closed:
                _, line = await asyncio.get_running_loop().create_connection(_Line, "127.0.0.1", port)
            came = _came(plan, place, *await line.ask(request))
        except (OSError, TimeoutError):
            came, line = BROKEN, None
        noted += _ANSWER.pack(asked_at, time.time(), number, came)
    if line:
        line.close()


def _came(plan: Plan, place: int, status: int, body: bytes) -> int:
    if status == 200:
        read = plan.exam.generation_on_page if plan.as_pages else plan.exam.generation_in_json
        generation = read(place, body)
        return WRONG if generation is None else generation or 100
    return NOTHING if status == 404 else REFUSED


def address_of(place: int) -> str:
    """Where this candidate asks from: neighbours by number are no neighbours by address."""
    scattered = place * 2_654_435_761 % 2**24
    return f"10.{scattered >> 16}.{scattered >> 8 & 255}.{scattered & 255}"


async def _gather(plan: Plan) -> bytes:
    noted, stopping = bytearray(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    ports = [port for port in plan.ports for _ in range(plan.lines_each)]
    await asyncio.gather(*(_visit(plan, number, port, noted, stopping) for number, port in enumerate(ports)))
    return bytes(noted)


def main() -> None:
    # A proof that broke off leaves no crowd behind.
    children.follow_parent()
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    Path(sys.argv[2]).write_bytes(uvloop.run(_gather(plan)))


class Crowd:
    """A crowd at work; `answers` waits for its end."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self._file = folder / f"answers-{plan.seed}-{time.monotonic_ns()}"
        plan_file = self._file.with_suffix(".json")
        plan_file.write_bytes(msgspec.json.encode(plan))
        self._command = [sys.executable, "-m", "tests.proofs.crowd", str(plan_file), str(self._file)]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> "Crowd":
        """Send them off."""
        self._process = await asyncio.create_subprocess_exec(*self._command)
        return self

    def stop(self) -> None:
        """They go home now; what they noted is kept."""
        assert self._process
        self._process.terminate()

    async def answers(self) -> list[Answer]:
        """What they noted, once their time is up."""
        assert self._process
        if await self._process.wait() != 0:
            raise SystemExit("The crowd broke down: see above.")
        return read_answers(self._file)


if __name__ == "__main__":
    main()
