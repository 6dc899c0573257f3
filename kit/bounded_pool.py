"""A pool of connections for which nobody waits long: a lookup that cannot have PostgreSQL says so at once."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from kit.errors import ServiceUnavailable


class BoundedPool:
    """Gives out connections of `pool` within `patience` seconds, or raises ServiceUnavailable.

    While `is_away()` says that PostgreSQL does not answer, nobody waits at all: a queue of hopeless questions would
    only delay those that come once it is back.
    """

    def __init__(self, pool: asyncpg.Pool, *, patience: float, is_away: Callable[[], bool]) -> None:
        self._pool, self._patience, self._is_away = pool, patience, is_away

    async def acquire(self) -> PoolConnectionProxy:
        """A connection, to be given back by `release`."""
        if self._is_away():
            raise ServiceUnavailable
        try:
            return await self._pool.acquire(timeout=self._patience)
        except TimeoutError:
            raise ServiceUnavailable from None

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncGenerator[asyncpg.Connection, None]:
        """A connection in a transaction of its own, committed at the end of the block."""
        connection = await self.acquire()
        try:
            async with connection.transaction():
                yield cast("asyncpg.Connection", connection)
        finally:
            await self.release(connection)

    async def release(self, connection: PoolConnectionProxy) -> None:
        """Give a connection back."""
        await self._pool.release(connection)
