"""A server of our own is there once it answers; whoever cannot wait for it in another way waits here."""

import time
from typing import Protocol

from kit.errors import UsageError


class Starting(Protocol):
    """A server that was prepared and can be started without waiting."""

    def prepare(self) -> None:
        """See to it that it can be started."""
        ...

    def spawn(self) -> None:
        """Start it."""
        ...

    def is_ready(self) -> bool:
        """Whether it answers."""
        ...

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        ...

    def failure(self) -> UsageError:
        """Why the last start failed, in one sentence."""
        ...


def start_and_wait(server: Starting, seconds: float) -> None:
    """Start and wait until it answers. UsageError with one sentence when it does not."""
    server.prepare()
    server.spawn()
    deadline = time.monotonic() + seconds
    while not server.is_ready():
        if server.has_ended() or time.monotonic() > deadline:
            raise server.failure()
        time.sleep(0.02)
