"""A candidate's packed result, and the result that people see."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from lookup.exams import Exam
from lookup.scores import Component, Result
from lookup.sealed.packing import (
    FACTS,
    Edition,
    Record,
    SharedFacts,
    decode_facts,
    decode_record,
    encode_facts,
    encode_record,
    units_of,
)

__all__ = [
    "FACTS",
    "Edition",
    "Record",
    "SharedFacts",
    "decode_facts",
    "decode_record",
    "encode_facts",
    "encode_record",
    "pack",
    "unpack",
]


def pack(
    number: str,
    scores: Sequence[Decimal | None],
    marks: Sequence[str | None] | None,
    total: Decimal | None,
    version: int,
    edition: int,
    name: str | None,
    *,
    exam: Exam,
    mark_places: Mapping[str, int],
) -> Record:
    """The packed result of one row of `lookup.results`; scores get the decimals of their paper."""
    papers: list[int] = []
    for subject in exam.subjects:
        score, mark = _at(scores, subject.position), _at(marks, subject.position)
        if mark is not None:
            papers += (subject.position, 2 * mark_places[mark] + 1)
        elif score is not None:
            papers += (subject.position, 2 * units_of(score, subject.decimals))
    packed_total = None if exam.total_rule is None or total is None else units_of(total, exam.total_rule.decimals)
    return Record(number, version, edition, papers, packed_total, name)


def unpack(record: Record, facts: SharedFacts, exam: Exam) -> Result:
    """The result as `ScoreDesk.find` gives it out."""
    subjects = {subject.position: subject for subject in exam.subjects}
    components = []
    for position, value in zip(record.papers[::2], record.papers[1::2], strict=True):
        subject = subjects[position]
        mark = facts.marks[value >> 1] if value & 1 else None
        score = None if value & 1 else Decimal(value >> 1).scaleb(-subject.decimals)
        components.append(Component(subject, score, mark))
    rule = exam.total_rule
    total = None if rule is None or record.total is None else Decimal(record.total).scaleb(-rule.decimals)
    edition = facts.editions[record.edition]
    reason = edition.reason if record.version > 1 else None
    return Result(record.number, components, total, record.version, reason, edition.released_at, record.name)


def _at(values: Sequence | None, position: int):  # noqa: ANN202 - whatever stands there
    return values[position - 1] if values is not None and position <= len(values) else None
