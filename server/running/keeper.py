"""Keep a process alive: whoever ends it, it is started again, while all others go on."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from kit.errors import UsageError

_LOOK_SECONDS = 0.1
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
# Who lived this long was well; the next start need not wait.
_WELL_SECONDS = 10.0


class Child(Protocol):
    """A process that can be started more than once."""

    name: str

    def spawn(self) -> None:
        """Start it without waiting."""
        ...

    def is_ready(self) -> bool:
        """Whether it does its work."""
        ...

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        ...

    def failure(self) -> UsageError:
        """Why it ended, in one sentence."""
        ...


async def until_ready(child: Child, *, seconds: float) -> None:
    """Wait for the first start of a child. Raises its failure when it ends, or is not ready in time."""
    deadline = time.monotonic() + seconds
    while not child.is_ready():
        if child.has_ended() or time.monotonic() > deadline:
            raise child.failure()
        await asyncio.sleep(0.01)


async def keep(child: Child, say: Callable[[str], None]) -> None:
    """Start the child again whenever it has ended, at once or, if that does not help, after growing pauses."""
    pause, began = _SHORTEST_PAUSE, time.monotonic()
    while True:
        while not child.has_ended():  # noqa: ASYNC110 - a process has no event to wait for on every system
            await asyncio.sleep(_LOOK_SECONDS)
        if time.monotonic() - began > _WELL_SECONDS:
            pause = _SHORTEST_PAUSE
        if pause == _SHORTEST_PAUSE:
            say(f"{child.name} has ended; it is started again.")
        elif pause == _LONGEST_PAUSE:
            say(str(child.failure()))
        await asyncio.sleep(pause)
        pause, began = min(pause * 2, _LONGEST_PAUSE), time.monotonic()
        try:
            child.spawn()
        except OSError as problem:
            say(f"{child.name} cannot be started: {problem.strerror}.")
