"""The fictional demo department: a province that does not exist, with exams to look up. Its data belong to nobody."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from kit import sql
from kit.errors import UsageError
from kit.keys import KeyRing
from lookup.exam_setup import add_exam
from lookup.exams import Exam, list_exams
from lookup.pins import derive_pin
from lookup.releases import release
from server.demo.candidates import Candidate, invent_sitting
from server.demo.exams import DemoExam, demo_exams, demo_year
from server.demo.officers import add_officers
from server.demo.units import add_department
from units.units import Unit, list_units

demo = sql.load(__file__, "demo")

_COLUMNS = (
    "exam_code", "candidate_number", "version", "batch_id", "scores", "marks", "total", "name", "birth_date",
)  # fmt: skip
# Results are imported on the eve, as departments do.
_IMPORTED_BEFORE = timedelta(hours=14)
_RE_MARKED = "Phúc khảo"

Progress = Callable[[int, int], None]


class DemoExample(NamedTuple):
    """What a visitor may type: the number and, unless the exam is public, the birth date (dd/mm/yyyy) or the pin.

    `shows` says what is to be seen: a whole result, one that was corrected, or one with a missed paper.
    """

    exam: str
    candidate_number: str
    factor: str | None
    shows: Literal["result", "corrected", "absent"]


class DemoSummary(msgspec.Struct, frozen=True):
    """What was loaded. `opens_soon_at`: when the sealed exam opens."""

    units: int
    exams: int
    candidates: int
    opens_soon_at: datetime
    examples: list[DemoExample]


async def load_demo(
    connection: asyncpg.Connection,
    *,
    pin_key: bytes,
    now: datetime,
    keys: KeyRing | None = None,
    progress: Progress | None = None,
) -> DemoSummary:
    """Fill an empty database with the demo department, all of it or nothing.

    With `keys` its units are staffed, by officers whose passwords follow from these keys; without, nobody can sign in.
    `progress(done, total)` counts candidates. Raises UsageError when the database has exams or units already.
    """
    year, exams = demo_year(now), demo_exams()
    total, done, soonest = sum(exam.candidates for exam in exams), 0, now
    async with connection.transaction():
        if not await is_empty(connection):
            raise UsageError("The demo goes only into an empty database: this one has exams or units already.")
        units = await add_department(connection, now)
        for exam in exams:
            await _hold(connection, exam, units[exam.unit], year, now)
            soonest = max(soonest, exam.opens_at(year, now))
            done += exam.candidates
            if progress:
                progress(done, total)
        # After the exams: with officers there, what becomes public wants two of them.
        if keys:
            await add_officers(connection, keys, now)
        examples = await demo_examples(connection, pin_key)
    return DemoSummary(len(units), len(exams), total, soonest, examples)


async def is_empty(connection: asyncpg.Connection) -> bool:
    """Whether nobody uses this database yet: no exam, and no unit but the root that every database has."""
    return not await list_exams(connection) and len(await list_units(connection)) == 1


async def demo_examples(connection: asyncpg.Connection, pin_key: bytes) -> list[DemoExample]:
    """Whom to look up in the demo that this database holds, `demo-thpt` first; empty where there is no demo.

    `pin_key` is the current key of `kit.keys` named `pin`.
    """
    rows = await demo.list_examples(connection, exam_codes=[exam.code for exam in demo_exams()])
    return [DemoExample(row["code"], row["candidate_number"], _factor(row, pin_key), row["shows"]) for row in rows]


def _factor(row: asyncpg.Record, pin_key: bytes) -> str | None:
    match row["policy"]:
        case "birth-date":
            return f"{row['birth_date']:%d/%m/%Y}"
        case "pin":
            return derive_pin(pin_key, row["code"], row["candidate_number"])
    return None


async def _hold(connection: asyncpg.Connection, told: DemoExam, unit: Unit, year: int, now: datetime) -> None:
    """Set one exam up, import its results, release them, and correct a few."""
    exam, sitting = told.as_exam(unit, year, now), invent_sitting(told, year)
    opens_at = told.opens_at(year, now)
    await add_exam(connection, exam, now)
    await _import(connection, exam, sitting.candidates, min(now, opens_at - _IMPORTED_BEFORE))
    await release(connection, exam.code, opens_at=opens_at)
    if sitting.corrected:
        corrected_at = told.corrected_at(year)
        await _import(connection, exam, sitting.corrected, corrected_at - _IMPORTED_BEFORE, reason=_RE_MARKED)
        await release(connection, exam.code, opens_at=corrected_at)


async def _import(
    connection: asyncpg.Connection,
    exam: Exam,
    candidates: list[Candidate],
    imported_at: datetime,
    reason: str | None = None,
) -> None:
    # There was no file; the batch is named as if there had been one.
    file_name = f"{exam.code}-{'phuc-khao' if reason else 'ket-qua'}.csv"
    batch_id = await demo.add_batch(
        connection,
        exam_code=exam.code,
        imported_at=imported_at,
        file_name=file_name,
        file_sha256=hashlib.sha256(file_name.encode()).hexdigest(),
        reason=reason,
        result_count=len(candidates),
    )
    records = _records(exam, candidates, batch_id, version=2 if reason else 1)
    await connection.copy_records_to_table("results", schema_name="lookup", records=records, columns=_COLUMNS)


def _records(exam: Exam, candidates: Iterable[Candidate], batch_id: int, version: int) -> Iterator[tuple]:
    papers = [(subject.code, subject.variant) for subject in exam.subjects]
    for candidate in candidates:
        scores = [_points(candidate.scores.get(paper)) for paper in papers]
        marks = [candidate.marks.get(paper) for paper in papers] if candidate.marks else None
        yield (
            exam.code, candidate.number, version, batch_id, scores, marks, _points(candidate.total), candidate.name,
            candidate.birth_date,
        )  # fmt: skip


@cache
def _points(hundredths: int | None) -> Decimal | None:
    return None if hundredths is None else Decimal(hundredths) / 100
