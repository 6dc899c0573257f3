"""Understand the headings of a result file: which column holds the candidate number, which a paper, which neither."""

import html
import tomllib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

from lookup.exams import Exam
from lookup.spellings import Spellings
from lookup.subjects import SUBJECT_NAMES, find_by_heading, subject_spellings

Role = Literal[
    "number", "name", "family_name", "given_name", "birth_date", "pin", "total", "paper", "paper_score", "extra",
    "variant", "subject", "running", "ignored",
]  # fmt: skip


class Meaning(msgspec.Struct, frozen=True):
    """What a heading says that its column holds. `code`: of the subject; `variant`: N1, toan."""

    role: Role
    code: str = ""
    variant: str = ""


class _ColumnNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    number: tuple[str, ...]
    running: tuple[str, ...]
    name: tuple[str, ...]
    family_name: tuple[str, ...]
    given_name: tuple[str, ...]
    birth_date: tuple[str, ...]
    pin: tuple[str, ...]
    total: tuple[str, ...]
    paper: tuple[str, ...]
    paper_score: tuple[str, ...]
    extra: tuple[str, ...]
    ignored: tuple[str, ...]
    variant: dict[str, tuple[str, ...]]


_COLUMN_NAMES = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "import_columns.toml").read_text(encoding="utf-8")), _ColumnNames
)


class Headings:
    """Understands the headings of files for one exam: its own words first, then every column and subject there is."""

    def __init__(self, exam: Exam) -> None:
        self._exam = exam
        self._totals = Spellings(_total_spellings(exam))
        self._columns = Spellings(_known_columns())
        self._subjects = Spellings([*_own_subjects(exam), *subject_spellings()])
        self._complete: dict[tuple[str, ...], list[str]] = {}
        self._above: list[str] = []

    def count(self, cells: list[str]) -> int:
        """How many cells of a row are understood as headings.

        Departments spread headings over two rows ("Điểm thi" above "Toán", "Văn"): a row of papers below one with the
        candidate number counts as both together, and `complete` then gives them.
        """
        above, self._above = self._above, cells
        both = _laid_over(above, cells)
        own, together = self._understood(cells), self._understood(both)
        if "number" in own or "number" not in together or "subject" not in own:
            return len(own)
        self._complete[tuple(cells)] = both
        return len(together)

    def complete(self, cells: list[str]) -> list[str]:
        """The headings of a row, filled up from the row above where `count` found that they belong together."""
        return [_text(cell) for cell in self._complete.get(tuple(cells), cells)]

    def meaning(self, heading: str) -> Meaning | None:
        """What a column with this heading holds, None when unknown."""
        if known := self._totals.find(heading) or self._columns.find(heading):
            return known
        if (subject := find_by_heading(self._subjects, heading)) is None:
            return None
        code, variant = subject
        taught = {subject.variant for subject in self._exam.subjects if subject.code == code}
        # An exam that does not tell languages apart takes each for the language.
        return Meaning("subject", code, "" if taught == {""} else variant)

    def is_paper(self, heading: str) -> bool:
        """Whether the heading could name a paper, whatever else it means (`Môn chuyên`)."""
        return find_by_heading(self._subjects, heading) is not None

    def nearest(self, heading: str) -> str | None:
        """The known heading that looks most like an unknown one."""
        return self._subjects.nearest(heading) or self._columns.nearest(heading)

    def _understood(self, cells: Sequence[str]) -> list[Role]:
        meanings = (self.meaning(_text(cell)) for cell in cells if cell.strip())
        return [meaning.role for meaning in meanings if meaning is not None]


def _text(cell: str) -> str:
    return " ".join(html.unescape(cell).split())


def _laid_over(above: list[str], cells: list[str]) -> list[str]:
    filled = [cell if cell.strip() else upper for cell, upper in zip(cells, above, strict=False)]
    return filled + cells[len(filled) :]


def _total_spellings(exam: Exam) -> Iterator[tuple[str, Meaning]]:
    if exam.total_rule:
        for text in (exam.total_rule.name, exam.total_rule.name_en):
            yield text, Meaning("total")


def _known_columns() -> Iterator[tuple[str, Meaning]]:
    for role in (role for role in _ColumnNames.__struct_fields__ if role != "variant"):
        for text in (role, *getattr(_COLUMN_NAMES, role)):
            yield text, Meaning(role)  # type: ignore[arg-type]
    for code, spellings in _COLUMN_NAMES.variant.items():
        for text in spellings:
            yield text, Meaning("variant", code)


def _own_subjects(exam: Exam) -> Iterator[tuple[str, tuple[str, str]]]:
    for subject in exam.subjects:
        full_code = f"{subject.code}_{subject.variant}" if subject.variant else subject.code
        for text in (subject.name, subject.name_en, full_code):
            yield text, (subject.code, subject.variant)


@lru_cache(maxsize=64)
def variant_spellings(code: str, own: tuple[tuple[str, str], ...]) -> Spellings[str]:
    """What a cell may say to name a variant of a subject: `N1`, `Tiếng Anh`, `Anh`; `Chuyên Toán` or just `Toán`.

    `own` are the (spelling, variant) pairs of the exam itself.
    """
    spellings = Spellings(own)
    parents = (SUBJECT_NAMES[code].name, *SUBJECT_NAMES[code].spellings) if code in SUBJECT_NAMES else ()
    for text, (known, variant) in subject_spellings():
        if known == code and variant:
            spellings.add(variant, variant)
            spellings.add(text, variant)
            for parent in parents:
                if shorter := text.replace(parent, "").replace(parent.lower(), "").strip():
                    spellings.add(shorter, variant)
    return spellings
