"""What one alone may do at a time, whoever of all nodes it is: a lock of PostgreSQL that ends with its holder."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg

from kit import sql
from kit.sql import UNREACHABLE

turns = sql.load(__file__, "turns")

_LOOK_SECONDS = 5.0
_ANSWER_SECONDS = 10


class TurnLost(Exception):
    """PostgreSQL has let go of the lock in the middle: somebody else may have begun."""


async def alone(database_url: str, name: str, work: Callable[[], Awaitable[None]]) -> bool:
    """Do `work` unless somebody does the same under that name; then return False.

    The lock is held by a connection of its own. Raises TurnLost, after ending the work, when that connection is lost.
    """
    connection = await asyncpg.connect(database_url, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS)
    try:
        if not await turns.lock_turn(connection, name=name):
            return False
        await _while_connected(connection, work)
    finally:
        connection.terminate()
    return True


async def _while_connected(connection: asyncpg.Connection, work: Callable[[], Awaitable[None]]) -> None:
    working, watching = asyncio.ensure_future(work()), asyncio.ensure_future(_watch(connection))
    try:
        await asyncio.wait({working, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TurnLost
        await working
    finally:
        working.cancel()
        watching.cancel()
        await asyncio.wait({working, watching})


async def _watch(connection: asyncpg.Connection) -> None:
    """Return when the connection is lost; without a question, one whose machine has gone would seem to live."""
    try:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await turns.look_whether_connected(connection)
    except UNREACHABLE:
        return
