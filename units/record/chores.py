"""What the record needs done beside the requests: seal, make room for the months to come, tell heads, check itself."""

from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from prometheus_client import Gauge

from units.record.heads import FILE, export_head, read_heads
from units.record.segments import make_segments
from units.record.verify import Verified, find_last_check, remember, verify

log = structlog.get_logger()

HEADS_EVERY = timedelta(minutes=10)
SEGMENTS_EVERY = timedelta(hours=12)
CHECK_EVERY = timedelta(days=1)

_FINDINGS = Gauge(
    "baodanh_record_findings",
    "What the last check of the record found that is not as it was written.",
    multiprocess_mode="mostrecent",
)
_CHECKED = Gauge(
    "baodanh_record_checked_timestamp_seconds", "When the record was last checked.", multiprocess_mode="mostrecent"
)


async def make_room(pool: asyncpg.Pool) -> None:
    """Segments for this month and the next three."""
    if made := await make_segments(pool):
        log.info("record_segments_made", count=made)


async def tell_head(pool: asyncpg.Pool, folder: Path) -> None:
    """Where the chain ends, into a file outside the database and into the log."""
    await export_head(pool, folder)


async def check(pool: asyncpg.Pool, database_url: str, folder: Path, now: datetime) -> Verified | None:
    """The whole record against itself and against the exported heads; once a day, whichever node comes first."""
    if await was_checked_lately(pool, now):
        return None
    heads = read_heads(folder / FILE)
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        verified = await verify(connection, heads)
        await remember(connection, verified, now)
    finally:
        await connection.close(timeout=10)
    tell(verified, now)
    return verified


async def was_checked_lately(pool: asyncpg.Pool, now: datetime) -> bool:
    """Whether a check was made since yesterday, here or by somebody else."""
    last = await find_last_check(pool)
    return last is not None and now - last.checked_at < CHECK_EVERY


def tell(verified: Verified, now: datetime) -> None:
    """The result of a check as a metric and as a line of the log."""
    _FINDINGS.set(len(verified.findings))
    _CHECKED.set(now.timestamp())
    facts = {"entries": verified.entries, "head": verified.head_number, "seconds": round(verified.seconds, 1)}
    if not verified.findings:
        log.info("record_is_well", **facts)
        return
    first = verified.findings[0]
    log.error(
        "record_is_not_well", **facts, problem=first.problem, number=first.number, findings=len(verified.findings)
    )
