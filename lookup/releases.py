"""Make imported results public at a moment, correct them by a new generation, and take them down again."""

from datetime import datetime

import asyncpg
import msgspec

from kit import clock, sql
from kit.errors import DomainError
from lookup.exams import ExamNotFound
from units.changes import Change, announce

releases = sql.load(__file__, "releases")


class NothingToRelease(DomainError):
    """Everything that was imported is public already, or nothing was imported yet."""

    code = "nothing_to_release"
    status = 409


class Released(msgspec.Struct, frozen=True):
    """What a release did. `result_count` is what the public sees then; `new_results` came or changed with it."""

    exam_code: str
    generation: int
    opens_at: datetime
    result_count: int
    new_results: int
    change: int


async def release(
    connection: asyncpg.Connection,
    exam_code: str,
    *,
    opens_at: datetime | None = None,
    emergency_reason: str | None = None,
) -> Released:
    """Make all imported results of an exam public at `opens_at` (None: at once), as a new generation.

    A release that has not opened yet is replaced. A withdrawn exam opens again at that moment, not before.
    Raises ExamNotFound, NothingToRelease.
    """
    async with connection.transaction():
        withdrawn = await _lock_exam(connection, exam_code)
        now = await clock.now(connection)
        await releases.take_back_future_batches(connection, exam_code=exam_code, now=now)
        await releases.remove_future_releases(connection, exam_code=exam_code, now=now)
        last = await releases.find_last_generation(connection, exam_code=exam_code)
        # Never a number that was taken down: its release may have been replaced before it opened.
        generation = 1 + max(last, withdrawn)
        batches = await releases.take_up_batches(connection, exam_code=exam_code, generation=generation)
        result_count = await releases.count_results(connection, exam_code=exam_code)
        if not result_count or not (batches or last <= withdrawn):
            raise NothingToRelease(exam=exam_code)
        moment = opens_at or now
        await releases.add_release(
            connection,
            exam_code=exam_code,
            generation=generation,
            opens_at=moment,
            released_at=now,
            emergency_reason=emergency_reason,
            result_count=result_count,
            distributions=await _count_scores(connection, exam_code),
        )
        change = await announce(connection, Change("exam", exam_code, "released", emergency_reason), now)
    new_results = sum(batch["result_count"] for batch in batches)
    return Released(exam_code, generation, moment, result_count, new_results, change)


async def withdraw(connection: asyncpg.Connection, exam_code: str, *, reason: str | None = None) -> int:
    """Take an exam's results down at once, those of future releases too; returns the change's number.

    Withdrawing again changes nothing but tells the nodes once more. Raises ExamNotFound.
    """
    async with connection.transaction():
        withdrawn = await _lock_exam(connection, exam_code)
        last = await releases.find_last_generation(connection, exam_code=exam_code)
        await releases.mark_withdrawn(connection, exam_code=exam_code, generation=max(last, withdrawn))
        change = Change("exam", exam_code, "withdrawn", reason)
        return await announce(connection, change, await clock.now(connection))


async def _lock_exam(connection: asyncpg.Connection, exam_code: str) -> int:
    """The last generation that was taken down; 0 when none was."""
    exam = await releases.lock_exam(connection, exam_code=exam_code)
    if exam is None:
        raise ExamNotFound(exam=exam_code)
    return exam["withdrawn_generation"]


async def _count_scores(connection: asyncpg.Connection, exam_code: str) -> str:
    counts: dict[str, list] = {}
    for row in await releases.count_scores(connection, exam_code=exam_code):
        counts.setdefault(str(row["position"]), []).append((row["score"], row["how_many"]))
    return msgspec.json.encode(counts).decode()
