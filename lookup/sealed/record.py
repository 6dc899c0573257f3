"""What a bundle keeps of one candidate: packed, without any word that all candidates of the exam share."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import msgspec

from lookup.exams import Exam
from lookup.scores import Component, Result


class Edition(msgspec.Struct, frozen=True, array_like=True):
    """When results were first shown as they are now, and why: many records share one."""

    released_at: datetime
    reason: str | None


class Record(msgspec.Struct, frozen=True, array_like=True):
    """A candidate's packed result.

    `papers` are pairs: the position of a paper, then twice its score in units of its last decimal, or twice the place
    of its mark in the bundle's list of marks, plus one. `total` is in units of its last decimal. `edition` is a place
    in the bundle's list of editions.
    """

    number: str
    version: int
    edition: int
    papers: list[int]
    total: int | None = None
    name: str | None = None


class SharedFacts(msgspec.Struct, frozen=True):
    """What the records of a bundle refer to, and what its answers need beside the exam: the part `facts`.

    `distributions`: as `lookup.releases.count_scores` gives it, {position: [(score, how many)]}. `pin_keys`: what typed
    lookup codes are hashed with, newest first; empty for other policies.
    """

    editions: list[Edition]
    marks: list[str]
    distributions: dict[int, list[tuple[Decimal, int]]]
    pin_keys: list[bytes]


FACTS = "facts"

encode_record = msgspec.msgpack.Encoder().encode
decode_record = msgspec.msgpack.Decoder(Record).decode
encode_facts = msgspec.msgpack.Encoder().encode
decode_facts = msgspec.msgpack.Decoder(SharedFacts).decode


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
            papers += (subject.position, 2 * _units(score, subject.decimals))
    packed_total = None if exam.total_rule is None or total is None else _units(total, exam.total_rule.decimals)
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


def _units(number: Decimal, decimals: int) -> int:
    return int(number.quantize(Decimal(1).scaleb(-decimals)).scaleb(decimals))
