"""Exams and results for tests, set up as an import would leave them."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from lookup.exam_kinds import exam_kind
from lookup.exam_setup import add_exam
from lookup.exams import Exam, Policy, Regrade
from tests.people import MORNING, Candidate
from units.units import list_units

REGRADE = Regrade(date(2026, 7, 1), date(2026, 7, 10), "trường nơi em đăng ký dự thi", "Không thu phí")


class Paper(msgspec.Struct, frozen=True):
    """A candidate's row as an import stores it; `scores` and `marks` by subject code, `ngoai_ngu/N1` with variant."""

    number: str
    scores: Mapping[str, Decimal] = {}
    marks: Mapping[str, str] = {}
    total: Decimal | None = None
    name: str | None = None
    birth_date: date | None = None
    pin_hash: bytes | None = None


def paper_of(candidate: Candidate) -> Paper:
    return Paper(candidate.number, candidate.scores, name=candidate.name, birth_date=candidate.birth_date)


async def given_exam(
    connection, code: str = "thpt-2026", *, kind: str = "thpt", policy: Policy = "public", **facts: Any
) -> Exam:
    """An exam of the root unit, with its kind's papers and nothing in it yet."""
    known = exam_kind(kind)
    exam = Exam(
        code=code,
        unit=(await list_units(connection))[0],
        name="Kỳ thi tốt nghiệp THPT năm 2026",
        name_en="Upper-secondary graduation exam 2026",
        year=2026,
        kind=kind,
        policy=policy,
        number_format=known.number_format,
        subjects=known.subjects,
        total_rule=known.total_rule,
        regrade=REGRADE,
        show_name=facts.get("show_name", False),
        withdrawn_generation=0,
        releases=(),
        announced_at=facts.get("announced_at"),
    )
    await add_exam(connection, exam, MORNING)
    return exam


async def given_results(connection, exam: Exam, papers: Iterable[Paper], *, reason: str | None = None) -> None:
    """One batch of results, imported but not released; versions follow those that are there."""
    papers = list(papers)
    batch = await connection.fetchval(
        "insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, reason, result_count)"
        " values ($1, clock_timestamp(), 'diem.csv', '', $2, $3) returning id",
        exam.code, reason, len(papers),
    )  # fmt: skip
    for paper in papers:
        await connection.execute(
            "insert into lookup.results (exam_code, candidate_number, version, batch_id, scores, marks, total, name,"
            " birth_date, pin_hash) select $1, $2, 1 + count(*), $3, $4, $5, $6, $7, $8, $9"
            " from lookup.results where exam_code = $1 and candidate_number = $2",
            exam.code, paper.number, batch, _slots(exam, paper.scores),
            _slots(exam, paper.marks) if paper.marks else None, paper.total, paper.name,
            paper.birth_date, paper.pin_hash,
        )  # fmt: skip


def _slots(exam: Exam, values: Mapping[str, object]) -> list[object]:
    by_name = {f"{subject.code}/{subject.variant}".rstrip("/"): subject.position for subject in exam.subjects}
    slots: list[object] = [None] * len(exam.subjects)
    for name, value in values.items():
        slots[by_name[name] - 1] = value
    return slots
