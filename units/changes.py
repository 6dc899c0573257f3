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

# A node that has not been heard of for this long is gone, not late.
NODE_IS_ALIVE_FOR = timedelta(seconds=6)


class Change(msgspec.Struct, frozen=True):
    """What happened to an exam or a unit, and why."""

    about: Literal["exam", "unit"]
    code: str
    what: Literal["added", "described", "released", "removed", "withdrawn"]
    reason: str | None = None


async def announce(connection: asyncpg.Connection, change: Change, now: datetime) -> int:
    """Number a change and tell every listening node at commit; returns the number."""
    return await changes.add_change(connection, **msgspec.structs.asdict(change), made_at=now)


async def last_change(database: Database) -> int:
    """The number of the last committed change; 0 when there was none."""
    return await changes.find_last_change(database)


async def nodes_behind(database: Database, change: int) -> list[str]:
    """Names of the running nodes that have not applied `change` yet."""
    nodes = await changes.list_nodes(database, alive_for=NODE_IS_ALIVE_FOR)
    return [node["name"] for node in nodes if node["applied_change"] < change]


async def list_nodes(database: Database) -> list[str]:
    """Names of all running nodes."""
    return [node["name"] for node in await changes.list_nodes(database, alive_for=NODE_IS_ALIVE_FOR)]


async def record_node(database: Database, name: str, applied_change: int) -> None:
    """A node says that it is alive and what it has applied."""
    await changes.record_node(database, name=name, applied_change=applied_change)


async def forget_node(database: Database, name: str) -> None:
    """A node that stops in good order is not waited for."""
    await changes.remove_node(database, name=name)
