"""Hear at once of whatever changed about exams, on a connection of its own."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator

import asyncpg

from units.changes import CHANNEL

_CONNECT_SECONDS = 5


class Ear:
    """Waits for word of a change. The connection that listens ends with it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection, self._told = connection, asyncio.Event()

    def wake(self, *_: object) -> None:
        """Something else has happened that is worth a look."""
        self._told.set()

    async def wait(self, seconds: float) -> None:
        """Return when something changed, after `seconds` at the latest. ConnectionError when nothing can be heard."""
        # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the word.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._told.wait()
        self._told.clear()
        if self._connection.is_closed():
            raise ConnectionError("PostgreSQL has hung up")


@contextlib.asynccontextmanager
async def listening(database_url: str) -> AsyncGenerator[Ear, None]:
    """An Ear. Raises OSError and asyncpg's errors when PostgreSQL is away."""
    connection = await asyncpg.connect(database_url, timeout=_CONNECT_SECONDS, command_timeout=_CONNECT_SECONDS)
    try:
        ear = Ear(connection)
        await connection.add_listener(CHANNEL, ear.wake)
        connection.add_termination_listener(ear.wake)
        yield ear
    finally:
        connection.terminate()
