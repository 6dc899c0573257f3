"""What time it is, asked once per request, in the time zone people here live by."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import asyncpg

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


def utc_now() -> datetime:
    """The time by this machine's clock, with its zone. Deadlines under a lock ask PostgreSQL instead: `now`."""
    return datetime.now(UTC)


async def now(transaction: asyncpg.Connection) -> datetime:
    """PostgreSQL's clock, read after the lock: every node and every command agrees on it."""
    moment = await transaction.fetchval("select clock_timestamp()")
    assert moment is not None
    return moment


def parse_moment(text: str) -> datetime:
    """An ISO time; without an offset it means Vietnam's. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
