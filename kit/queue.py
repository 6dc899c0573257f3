"""Work for later: a job is left in the transaction of what it belongs to, and done by the worker."""

from datetime import datetime, timedelta

import asyncpg
import msgspec

from kit import sql

queue = sql.load(__file__, "queue")

# What was done is of interest for a while, what was given up for longer.
_NOTES_KEPT = timedelta(days=30)
_FAILURES_KEPT = timedelta(days=90)


class TryAgain(Exception):
    """What a handler raises when its job is to be done again after `delay`; it says itself when enough is enough.

    `reason` is for the log and holds no personal data.
    """

    def __init__(self, delay: timedelta, reason: str) -> None:
        super().__init__(reason)
        self.delay, self.reason = delay, reason


class JobCount(msgspec.Struct, frozen=True):
    """How many jobs of one name stand in the queue; `failed` were given up."""

    name: str
    status: str
    jobs: int


async def leave_job(
    transaction: asyncpg.Connection, name: str, payload: bytes, *, not_before: datetime | None = None
) -> int:
    """Leave a job for the worker's handler `name`; it is done once the transaction has committed. Returns its number.

    A job may be done twice when the worker is killed in the middle: handlers look first what is done already.
    """
    return await queue.add_job(transaction, entrypoint=name, payload=payload, execute_after=not_before)


async def is_left(database: sql.Database, name: str, payload: bytes) -> bool:
    """Whether just this job is in the queue: waiting, being done, or given up within the last hour."""
    return await queue.is_left(database, entrypoint=name, payload=payload)


async def count_jobs(database: sql.Database) -> list[JobCount]:
    """What stands in the queue, by name and status."""
    return [JobCount(**row) for row in await queue.list_job_counts(database)]


async def tidy(database: sql.Database, *, now: datetime) -> None:
    """Delete old notes and statistics of jobs that were done, and what was given up long ago."""
    await queue.end_old_notes(database, before=now - _NOTES_KEPT)
    await queue.end_old_statistics(database, before=now - _NOTES_KEPT)
    await queue.end_old_failures(database, before=now - _FAILURES_KEPT)
