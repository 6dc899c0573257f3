"""Entries for tests of the record, a superuser who can do anything to them, and a check of the whole."""

from datetime import timedelta

import asyncpg

from tests.conftest import on_database
from units.record.entries import COMMAND, write
from units.record.sealer import LATE, seal_batch
from units.record.verify import verify

# What a chain is made of, and the columns by which a row is found.
TABLES = {"record_entries": ("xid", "id", "at"), "record_chain": ("number",), "record_batches": ("number",)}


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


async def check(database, heads=(), *, since=None, patience=LATE):
    """Verify over a connection of its own."""
    connection = await asyncpg.connect(database.url)
    try:
        return await verify(connection, heads, since=since, patience=patience)
    finally:
        await connection.close()


async def problems(database, heads=()) -> list[tuple[str, int | None]]:
    """What a check finds: problem and number."""
    verified = await check(database, heads, patience=timedelta(seconds=0.05))
    return [(finding.problem, finding.number) for finding in verified.findings]


class Untouched:
    """The record as it is now, to be put back after each of many ways to harm it."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def remember(self) -> None:
        """Keep a copy of every row."""
        for table in TABLES:
            await self._connection.execute(f"create temporary table untouched_{table} as table units.{table}")

    async def put_back(self) -> None:
        """As if nothing had been done."""
        for table in TABLES:
            # Of a few rows; truncating makes new files for each partition and index.
            await self._connection.execute(f"delete from units.{table}")  # noqa: S608
            columns = ", ".join(
                row[0]
                for row in await self._connection.fetch(
                    "select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0",
                    f"units.{table}",
                )
            )
            await self._connection.execute(
                f"insert into units.{table} ({columns}) overriding system value"  # noqa: S608
                f" select {columns} from untouched_{table}"
            )
