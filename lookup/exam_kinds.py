"""The kinds of exams a department holds, and what each brings: its papers, steps, numbers and total."""

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

from kit.errors import UsageError
from lookup.subjects import SUBJECT_NAMES, Subject
from lookup.subjects_file import read_subjects_file
from lookup.totals import TotalRule

__all__ = ["ExamKind", "exam_kind", "exam_kinds", "read_subjects_file"]


class ExamKind(msgspec.Struct, frozen=True):
    """What an exam of this kind has unless told otherwise. Without `shows_distribution` no score is compared."""

    code: str
    name: str
    name_en: str
    number_format: str
    shows_distribution: bool
    subjects: tuple[Subject, ...]
    total_rule: TotalRule | None


class Scale(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a scored paper is marked."""

    decimals: int
    step: Decimal
    lowest: Decimal
    highest: Decimal


class _KindEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    name_en: str
    number_format: str
    shows_distribution: bool
    papers: tuple[str, ...]
    scale: Scale
    scale_of: dict[str, Scale] = {}
    total: TotalRule | None = None


@cache
def exam_kinds() -> dict[str, ExamKind]:
    """All kinds by code, in the order in which they are offered."""
    text = (Path(__file__).parent / "data" / "exam_kinds.toml").read_text(encoding="utf-8")
    entries = msgspec.convert(tomllib.loads(text, parse_float=Decimal), dict[str, _KindEntry])
    return {code: _kind(code, entry) for code, entry in entries.items()}


def exam_kind(code: str) -> ExamKind:
    """The kind by its code (`thpt`, `lop-10`). Raises UsageError, which lists the kinds."""
    if code not in exam_kinds():
        raise UsageError(f"There is no kind of exam '{code}'. Kinds: {', '.join(exam_kinds())}.")
    return exam_kinds()[code]


def _kind(code: str, entry: _KindEntry) -> ExamKind:
    papers = [paper for text in entry.papers for paper in _expanded(text)]
    subjects = tuple(
        known_subject(position, paper, variant, entry.scale_of.get(paper, entry.scale))
        for position, (paper, variant) in enumerate(papers, 1)
    )
    return ExamKind(
        code=code,
        name=entry.name,
        name_en=entry.name_en,
        number_format=entry.number_format,
        shows_distribution=entry.shows_distribution,
        subjects=subjects,
        total_rule=entry.total,
    )


def _expanded(paper: str) -> list[tuple[str, str]]:
    code, _, variant = paper.partition("/")
    return [(code, key) for key in ("", *SUBJECT_NAMES[code].variants)] if variant == "*" else [(code, variant)]


def known_subject(position: int, code: str, variant: str, scale: Scale) -> Subject:
    """A slot for a subject of `data/subjects.toml`, marked on the given scale."""
    names = SUBJECT_NAMES[code].named(variant)
    return Subject(
        position=position,
        code=code,
        variant=variant,
        name=names.name,
        name_en=names.name_en,
        type=SUBJECT_NAMES[code].type,
        decimals=scale.decimals,
        step=scale.step,
        lowest=scale.lowest,
        highest=scale.highest,
    )
