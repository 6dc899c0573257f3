"""The processes that build a bundle, seen from the worker: they tell how far they are, and end when it gives up."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from lookup.sealed import build_orders
from lookup.sealed.build_orders import Bind, Bound, Order, Progress, Sealed, SealRows, Trouble

_ROOT = Path(__file__).parents[2]
_COMMAND = (sys.executable, "-P", "-m", "lookup.sealed.build_process")
_TELL_SECONDS = 1.0

Wanted = TypeVar("Wanted", Sealed, Bound)


class BuildFailed(Exception):
    """No file came of it; `problem` says what went wrong, without anything that stands in the data."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


async def seal_rows(orders: Sequence[SealRows], tell: Callable[[int], Awaitable[None]]) -> Sealed:
    """Seal what the orders say, each in a process of its own; `tell` hears about every second how many are done.

    Raises BuildFailed, and whatever `tell` raises: then all of it ends.
    """
    done = [0] * len(orders)

    def note(place: int, progress: Progress) -> None:
        done[place] = progress.results

    async def keep_telling() -> None:
        while True:
            await tell(sum(done))
            await asyncio.sleep(_TELL_SECONDS)

    work = [_in_a_process(order, Sealed, partial(note, place)) for place, order in enumerate(orders)]
    sealed = await _together(work, keep_telling())
    return Sealed(sum(each.results for each in sealed), sum(each.records for each in sealed))


async def bind(order: Bind) -> Bound:
    """Bind what was sealed, in a process of its own. Raises BuildFailed."""
    return await _in_a_process(order, Bound, lambda _: None)


async def _together(work: Sequence[Coroutine[None, None, Sealed]], beside: Coroutine[None, None, None]) -> list[Sealed]:
    """What all of them give, while `beside` goes on; the first that fails ends the others."""
    tasks, company = [asyncio.ensure_future(each) for each in work], asyncio.ensure_future(beside)
    waiting = set(tasks)
    try:
        while waiting:
            done, _ = await asyncio.wait({*waiting, company}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            waiting -= done
        return [task.result() for task in tasks]
    finally:
        everybody: list[asyncio.Future[Any]] = [*tasks, company]
        for task in everybody:
            task.cancel()
        await asyncio.gather(*everybody, return_exceptions=True)


async def _in_a_process(order: Order, wanted: type[Wanted], tell: Callable[[Progress], None]) -> Wanted:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=_environ()
    )
    assert process.stdin
    assert process.stdout
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            process.stdin.write(build_orders.encode(order))
            await process.stdin.drain()
        process.stdin.close()
        async for line in process.stdout:
            answer = build_orders.decode_answer(line)
            if isinstance(answer, Progress):
                tell(answer)
            elif isinstance(answer, Trouble):
                raise BuildFailed(answer.problem)
            elif isinstance(answer, wanted):
                return answer
        raise BuildFailed("process_died")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _environ() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"}
