"""Entries for tests of the record, a superuser who can do anything to them, and a check of the whole."""

import asyncpg

from tests.conftest import on_database
from units.record.entries import COMMAND, write
from units.record.sealer import seal_batch
from units.record.verify import verify


async def given_entries(connection, how_many: int, **details) -> None:
    """So many entries, each in a transaction of its own."""
    for number in range(how_many):
        await write(connection, COMMAND, "exam.added", ("exam", f"thi-{number}"), unit="so", number=number, **details)


async def sealed(connection) -> int:
    """Chain all that has settled; returns the last number."""
    last = 0
    while batch := await seal_batch(connection):
        last = batch.head.number
    return last


async def superuser(postgres, database) -> asyncpg.Connection:
    """Whoever no right stops."""
    name = database.url.split("/")[3].split("?")[0]
    return await asyncpg.connect(on_database(postgres.owner_url, name), user="postgres")


async def check(database, heads=(), *, since=None):
    """Verify over a connection of its own."""
    connection = await asyncpg.connect(database.url)
    try:
        return await verify(connection, heads, since=since)
    finally:
        await connection.close()


async def problems(database, heads=()) -> list[tuple[str, int | None]]:
    """What a check finds: problem and number."""
    return [(finding.problem, finding.number) for finding in (await check(database, heads)).findings]
