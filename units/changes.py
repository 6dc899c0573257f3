"""Changes that every node must hear of, numbered, and which node has applied them."""

from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database

# Where nodes listen.
CHANNEL = "baodanh_change"

changes = sql.load(__file__, "changes")

# A node that stopped in good order has said so. One that fell silent may still be answering, from what it knew last:
# it counts as behind until it has been forgotten, or has come back under its name.
NODE_IS_SILENT_AFTER = timedelta(seconds=6)
NODE_IS_REMEMBERED_FOR = timedelta(minutes=10)


class Change(msgspec.Struct, frozen=True):
    """What happened to an exam or a unit, and why."""

    about: Literal["exam", "unit"]
    code: str
    what: Literal[
        "added",
        "described",
        "released",
        "removed",
        "withdrawn",
        "renamed",
        "moved",
        "merged",
        "closed",
        "imported",
        "sealed",
    ]
    reason: str | None = None


async def announce(connection: asyncpg.Connection, change: Change, now: datetime) -> int:
    """Number a change and tell every listening node at commit; returns the number."""
    return await changes.add_change(connection, **msgspec.structs.asdict(change), made_at=now)


async def last_change(database: Database) -> int:
    """The number of the last committed change; 0 when there was none."""
    return await changes.find_last_change(database)


async def look_at_changes(database: Database) -> tuple[int, datetime]:
    """The number of the last committed change (0: none), and PostgreSQL's clock."""
    row = await changes.look_at_changes(database)
    return row["last_change"], row["clock"]


async def last_change_of_units(database: Database) -> int:
    """The number of the last committed change of a unit; 0 when there was none."""
    return await changes.find_last_change_of_units(database)


class Node(msgspec.Struct, frozen=True):
    """A web process that has shown itself lately: what it has applied, and for how long it has been silent.

    `clock_difference_ms`: its clock minus PostgreSQL's; None from one that does not say.
    """

    name: str
    applied_change: int
    silent_for: timedelta
    clock_difference_ms: int | None = None

    @property
    def is_silent(self) -> bool:
        """Whether it should have been heard of since."""
        return self.silent_for > NODE_IS_SILENT_AFTER


async def list_nodes(database: Database) -> list[Node]:
    """All nodes that are remembered, by name."""
    return [Node(**row) for row in await changes.list_nodes(database, remembered_for=NODE_IS_REMEMBERED_FOR)]


async def record_node(
    database: Database, name: str, applied_change: int, clock_difference_ms: int | None = None
) -> None:
    """A node says that it is alive, what it has applied, and by how much its clock is ahead of PostgreSQL's."""
    await changes.record_node(
        database, name=name, applied_change=applied_change, clock_difference_ms=clock_difference_ms
    )


async def forget_node(database: Database, name: str) -> None:
    """A node that stops in good order is not waited for."""
    await changes.remove_node(database, name=name)
