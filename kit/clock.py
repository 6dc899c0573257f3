"""What time it is, asked once per request, in the time zone people here live by."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import asyncpg

from kit.errors import UsageError

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
    """An ISO time as an operator types it; without an offset it is Vietnam's. Raises UsageError for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"'{text}' is not a time: write it like 2026-07-01T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
