"""The batches of an exam as officers see them: who brought them in, whether they are public, and taking one back."""

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from lookup.exams import Exam
from lookup.score_batches import score_import
from lookup.score_uploads import erase_upload
from units.record.entries import Actor, write

batches = sql.load(__file__, "exam_batches")


class BatchNotFound(DomainError):
    """The exam has no such batch."""

    code = "batch_not_found"
    status = 404


class BatchIsReleased(DomainError):
    """The batch is public, or is to be at a set moment: it is corrected or withdrawn, not taken back."""

    code = "batch_is_released"
    status = 409


class LaterBatchFirst(DomainError):
    """A later batch holds only what differs from this one: that one goes first."""

    code = "later_batch_first"
    status = 409


class Batch(msgspec.Struct, frozen=True):
    """One import. `authors`: ids of the officers whose work it is; none for the command line.

    `opens_at`: the moment of the release that took it up; None while it waits.
    """

    id: int
    imported_at: datetime
    file_name: str
    reason: str | None
    result_count: int
    generation: int | None
    opens_at: datetime | None
    authors: list[str]

    def is_public(self, now: datetime) -> bool:
        """Whether its moment has come."""
        return self.opens_at is not None and self.opens_at <= now


class ReleaseFacts(msgspec.Struct, frozen=True):
    """A release as the exam's page tells it."""

    generation: int
    opens_at: datetime
    released_at: datetime
    emergency_reason: str | None
    result_count: int


class Withdrawal(msgspec.Struct, frozen=True):
    """Results were taken down; `number` is the change that every node must apply."""

    number: int
    made_at: datetime
    reason: str | None


class ExamCounts(msgspec.Struct, frozen=True):
    """For a list: batches that wait for release, and results of the last release."""

    waiting: int = 0
    results: int | None = None


async def list_batches(database: Database, exam_code: str) -> list[Batch]:
    """All batches of an exam, the newest first."""
    return [Batch(**row) for row in await batches.list_batches(database, exam_code=exam_code)]


async def list_unreleased(database: Database, exam_code: str, now: datetime) -> list[Batch]:
    """What a release would take up, the oldest first: all that is not public, set moments included."""
    return [batch for batch in reversed(await list_batches(database, exam_code)) if not batch.is_public(now)]


async def count_candidates(database: Database, exam_code: str) -> int:
    """How many candidates have results on record, public or not."""
    return await batches.count_candidates(database, exam_code=exam_code)


async def list_releases(database: Database, exam_code: str) -> list[ReleaseFacts]:
    """All releases of an exam, the oldest first."""
    return [ReleaseFacts(**row) for row in await batches.list_release_facts(database, exam_code=exam_code)]


async def list_withdrawals(database: Database, exam_code: str) -> list[Withdrawal]:
    """Each time its results were taken down, the first first."""
    return [Withdrawal(**row) for row in await batches.list_withdrawals(database, exam_code=exam_code)]


async def count_by_exam(database: Database, exam_codes: list[str]) -> dict[str, ExamCounts]:
    """Counts of several exams, by code."""
    rows: list[Any] = await batches.list_exam_counts(database, exam_codes=exam_codes)
    return {row["code"]: ExamCounts(row["waiting"], row["results"]) for row in rows}


async def hold_batches(transaction: asyncpg.Connection, exam_code: str) -> None:
    """Nobody takes one of them back before this transaction is over."""
    await batches.lock_batches(transaction, exam_code=exam_code)


async def take_back_batch(transaction: asyncpg.Connection, exam: Exam, batch_id: int, *, actor: Actor) -> None:
    """Remove the newest batch, which nobody has released: what was on record before it counts again.

    Raises BatchNotFound, BatchIsReleased, LaterBatchFirst.
    """
    # Nobody compares a file with what is about to go.
    await score_import.lock_import(transaction, exam_code=exam.code)
    rows: list[Any] = await batches.lock_batches(transaction, exam_code=exam.code)
    batch = next((row for row in rows if row["id"] == batch_id), None)
    if batch is None:
        raise BatchNotFound(exam=exam.code)
    if batch["generation"] is not None:
        raise BatchIsReleased(exam=exam.code)
    if batch_id != rows[-1]["id"]:
        raise LaterBatchFirst(exam=exam.code)
    for upload in await batches.list_uploads_of(transaction, batch_id=batch_id):
        await erase_upload(transaction, upload["id"])
        await batches.mark_taken_back(transaction, upload_id=upload["id"])
    await batches.remove_results_of(transaction, batch_id=batch_id)
    await batches.remove_batch(transaction, batch_id=batch_id)
    facts = {"batch": batch_id, "results": batch["result_count"]}
    await write(transaction, actor, "exam.batch_taken_back", ("exam", exam.code), unit=exam.unit.code, **facts)
