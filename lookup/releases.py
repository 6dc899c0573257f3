"""Make imported results public at a moment, correct them by a new generation, and take them down again."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from kit import clock, sql
from kit.errors import DomainError
from lookup.exam_setup import list_publicly
from lookup.exams import ExamNotFound
from lookup.sealed.seal_job import SealJob, leave_seal_job
from units.changes import Change, announce
from units.record.actions import Action
from units.record.entries import COMMAND, Actor, write

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


class BatchesChanged(DomainError):
    """What was to become public is not what waits any more: a batch was released, taken back, or stands before it."""

    code = "batches_changed"
    status = 409


async def release(
    connection: asyncpg.Connection,
    exam_code: str,
    *,
    opens_at: datetime | None = None,
    batches: Sequence[int] | None = None,
    emergency_reason: str | None = None,
    actor: Actor = COMMAND,
    now: datetime | None = None,
) -> Released:
    """Make imported results of an exam public at `opens_at` (None: at once), as a new generation.

    `batches`: exactly these, by their ids; None: all that wait. A release that has not opened yet is replaced. A
    withdrawn exam opens again at that moment, not before; a draft is listed. `now` is PostgreSQL's unless given.
    Raises ExamNotFound, NothingToRelease, BatchesChanged.
    """
    async with connection.transaction():
        exam = await _lock_exam(connection, exam_code)
        now = now or await clock.now(connection)
        await _give_back_future_releases(connection, exam_code, now)
        taken = await _choose(connection, exam_code, batches)
        generation = await _next_generation(connection, exam_code, exam["withdrawn_generation"], anew=bool(taken))
        taken_up = await releases.take_up_batches(connection, exam_code=exam_code, generation=generation, ids=taken)
        released = Released(
            exam_code=exam_code,
            generation=generation,
            opens_at=opens_at or now,
            result_count=await _count_results(connection, exam_code),
            new_results=sum(batch["result_count"] for batch in taken_up),
            change=await announce(connection, Change("exam", exam_code, "released", emergency_reason), now),
        )
        await _store(connection, released, emergency_reason, actor, now)
        await leave_seal_job(connection, SealJob(exam_code, generation))
        await _note(connection, actor, "exam.released", exam, released, batches=taken, emergency=emergency_reason)
    return released


async def take_back_release(
    connection: asyncpg.Connection, exam_code: str, batches: Sequence[int], *, actor: Actor, now: datetime
) -> None:
    """Undo the release of these batches, whose moment has not come: they wait again. Raises BatchesChanged."""
    exam = await _lock_exam(connection, exam_code)
    before = await _waiting(connection, exam_code)
    await _give_back_future_releases(connection, exam_code, now)
    given_back = [batch for batch in await _waiting(connection, exam_code) if batch not in before]
    if sorted(batches) != given_back:
        raise BatchesChanged(exam=exam_code)
    about = ("exam", exam_code)
    await write(connection, actor, "exam.release_taken_back", about, unit=exam["unit_code"], batches=given_back)
    await announce(connection, Change("exam", exam_code, "described"), now)


async def withdraw(
    connection: asyncpg.Connection, exam_code: str, *, reason: str | None = None, actor: Actor = COMMAND
) -> int:
    """Take an exam's results down at once, those of future releases too; returns the change's number.

    Withdrawing again changes nothing but tells the nodes once more. Raises ExamNotFound.
    """
    async with connection.transaction():
        exam = await _lock_exam(connection, exam_code)
        last = await releases.find_last_generation(connection, exam_code=exam_code)
        generation = max(last, exam["withdrawn_generation"])
        await releases.mark_withdrawn(connection, exam_code=exam_code, generation=generation)
        about, unit = ("exam", exam_code), exam["unit_code"]
        await write(connection, actor, "exam.withdrawn", about, unit=unit, generation=generation, reason=reason)
        change = Change("exam", exam_code, "withdrawn", reason)
        return await announce(connection, change, await clock.now(connection))


async def _lock_exam(connection: asyncpg.Connection, exam_code: str) -> asyncpg.Record:
    """Its unit, and the last generation that was taken down (0: none)."""
    exam = await releases.lock_exam(connection, exam_code=exam_code)
    if exam is None:
        raise ExamNotFound(exam=exam_code)
    return exam


async def _give_back_future_releases(connection: asyncpg.Connection, exam_code: str, now: datetime) -> None:
    await releases.take_back_future_batches(connection, exam_code=exam_code, now=now)
    await releases.remove_future_releases(connection, exam_code=exam_code, now=now)


async def _waiting(connection: asyncpg.Connection, exam_code: str) -> list[int]:
    return [row["id"] for row in await releases.list_waiting_batches(connection, exam_code=exam_code)]


async def _choose(connection: asyncpg.Connection, exam_code: str, batches: Sequence[int] | None) -> list[int]:
    """The batches to take up: a batch holds what differs from those before it, so none of these may stay behind."""
    waiting = await _waiting(connection, exam_code)
    if batches is None:
        return waiting
    if sorted(batches) != waiting[: len(batches)]:
        raise BatchesChanged(exam=exam_code)
    return sorted(batches)


async def _next_generation(connection: asyncpg.Connection, exam_code: str, withdrawn: int, *, anew: bool) -> int:
    last = await releases.find_last_generation(connection, exam_code=exam_code)
    # Without anything new there is still a withdrawn exam to open again.
    if not (anew or last <= withdrawn):
        raise NothingToRelease(exam=exam_code)
    # Never a number that was taken down: its release may have been replaced before it opened.
    return 1 + max(last, withdrawn)


async def _count_results(connection: asyncpg.Connection, exam_code: str) -> int:
    result_count = await releases.count_results(connection, exam_code=exam_code, ids=[])
    if not result_count:
        raise NothingToRelease(exam=exam_code)
    return result_count


async def _store(
    connection: asyncpg.Connection, released: Released, emergency: str | None, actor: Actor, now: datetime
) -> None:
    await releases.add_release(
        connection,
        exam_code=released.exam_code,
        generation=released.generation,
        opens_at=released.opens_at,
        released_at=now,
        emergency_reason=emergency,
        result_count=released.result_count,
        distributions=msgspec.json.encode(await count_scores(connection, released.exam_code)).decode(),
    )
    await list_publicly(connection, released.exam_code, now, actor=actor)


async def _note(
    connection: asyncpg.Connection,
    actor: Actor,
    action: Action,
    exam: asyncpg.Record,
    released: Released,
    **details: Any,
) -> None:
    facts = {"generation": released.generation, "opens_at": released.opens_at, "results": released.result_count}
    await write(connection, actor, action, ("exam", released.exam_code), unit=exam["unit_code"], **facts, **details)


async def count_scores(
    connection: asyncpg.Connection, exam_code: str, batches: Sequence[int] = ()
) -> dict[str, list[tuple[Decimal, int]]]:
    """How many had each score, by subject position, among what was taken up and these batches."""
    counts: dict[str, list] = {}
    for row in await releases.count_scores(connection, exam_code=exam_code, ids=list(batches)):
        counts.setdefault(str(row["position"]), []).append((row["score"], row["how_many"]))
    return counts
