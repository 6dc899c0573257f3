"""An exam comes and goes: set up with its papers, described, shown to the public, removed if it was a mistake."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from lookup.exams import Exam, ExamNotFound, exams, read_regrade
from lookup.subjects import Subject
from units.changes import Change, announce
from units.record.entries import COMMAND, Actor, write

_ADDED = ("code", "name", "name_en", "year", "kind", "policy", "number_format", "show_name", "announced_at")
# What may change about an exam that the public knows.
DESCRIBABLE = ("name", "name_en", "announced_at", "regrade")


class ExamCodeTaken(DomainError):
    """Another exam has this code."""

    code = "exam_code_taken"
    status = 409


class ExamRefused(DomainError):
    """An exam's facts break a rule of the database; `rule` names it."""

    code = "exam_refused"
    status = 422


async def add_exam(
    connection: asyncpg.Connection, exam: Exam, now: datetime, *, listed: bool = True, actor: Actor = COMMAND
) -> None:
    """Set an exam up with its papers. Raises ExamCodeTaken, UnitNotFound, ExamRefused; nothing half done.

    One that is not `listed` is a draft, of which the public does not hear yet.
    """
    async with connection.transaction():
        try:
            await exams.add_exam(
                connection,
                **{fact: getattr(exam, fact) for fact in _ADDED},
                unit_code=exam.unit.code,
                total_rule=to_json(exam.total_rule),
                regrade=to_json(exam.regrade),
                listed_at=now if listed else None,
                created_at=now,
            )
            await add_subjects(connection, exam.code, exam.subjects)
        except asyncpg.IntegrityConstraintViolationError as violation:
            raise _refused(violation, exam.code) from None
        facts = {"policy": exam.policy, "kind": exam.kind, "listed": listed}
        await write(connection, actor, "exam.added", ("exam", exam.code), unit=exam.unit.code, **facts)
        await announce(connection, Change("exam", exam.code, "added"), now)


async def add_subjects(connection: asyncpg.Connection, code: str, subjects: Iterable[Subject]) -> None:
    """The papers of a new exam."""
    for subject in subjects:
        await exams.add_subject(connection, exam_code=code, **msgspec.structs.asdict(subject))


def _refused(violation: asyncpg.IntegrityConstraintViolationError, code: str) -> DomainError:
    rule = sql.broken_rule(violation)
    return ExamCodeTaken(exam=code) if rule == "exams_pkey" else ExamRefused(rule=rule)


class ExamIsPublic(DomainError):
    """Results of this exam are or were public: it can be withdrawn, not removed."""

    code = "exam_is_public"
    status = 409


async def describe_exam(
    connection: asyncpg.Connection, code: str, now: datetime, *, actor: Actor = COMMAND, **facts: Any
) -> None:
    """Set `name`, `name_en`, `announced_at` or `regrade`; others stay. Raises ExamNotFound, ExamRefused."""
    async with connection.transaction():
        row = await exams.lock_exam(connection, code=code)
        if row is None:
            raise ExamNotFound(exam=code)
        before = {fact: row[fact] for fact in DESCRIBABLE} | {"regrade": read_regrade(row)}
        after = before | facts
        try:
            await exams.describe_exam(connection, code=code, **after | {"regrade": to_json(after["regrade"])})
        except asyncpg.CheckViolationError as violation:
            raise ExamRefused(rule=sql.broken_rule(violation)) from None
        changes = {fact: [before[fact], after[fact]] for fact in DESCRIBABLE if before[fact] != after[fact]}
        await write(connection, actor, "exam.described", ("exam", code), unit=row["unit_code"], changes=changes)
        await announce(connection, Change("exam", code, "described"), now)


async def list_publicly(connection: asyncpg.Connection, code: str, now: datetime, *, actor: Actor = COMMAND) -> None:
    """From now on the public knows of this exam; nothing happens to one that it knows. The caller announces it."""
    if unit_code := await exams.mark_listed(connection, code=code, now=now):
        await write(connection, actor, "exam.listed", ("exam", code), unit=unit_code)


async def remove_exam(connection: asyncpg.Connection, code: str, now: datetime, *, actor: Actor = COMMAND) -> None:
    """Remove an exam that was set up by mistake, and what was imported into it. Raises ExamNotFound, ExamIsPublic."""
    async with connection.transaction():
        row = await exams.lock_exam(connection, code=code)
        if row is None:
            raise ExamNotFound(exam=code)
        if await exams.count_releases(connection, code=code):
            raise ExamIsPublic(exam=code)
        await exams.remove_uploads(connection, code=code)
        await exams.remove_results(connection, code=code)
        await exams.remove_batches(connection, code=code)
        await exams.remove_subjects(connection, code=code)
        await exams.remove_exam(connection, code=code)
        await write(connection, actor, "exam.removed", ("exam", code), unit=row["unit_code"])
        await announce(connection, Change("exam", code, "removed"), now)


def to_json(fact: msgspec.Struct | None) -> str | None:
    """A fact as the database keeps it."""
    return None if fact is None else msgspec.json.encode(fact).decode()
