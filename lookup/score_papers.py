"""Where the scores of a result stand in a file's row, and how they become PostgreSQL's text.

Most cells repeat: there are 41 scores from 0 to 10 by quarters. So what a cell says is worked out once and remembered,
and a million rows become a few dictionary look-ups each.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from lookup.exams import Exam
from lookup.score_cells import NO_VALUE, Reading, cleaned, is_formula, read_paper
from lookup.score_columns import Layout, PaperGroup, paper_names
from lookup.score_headings import Headings, variant_spellings
from lookup.score_problems import Fault
from lookup.subjects import Subject

# Elements of PostgreSQL array literals, which takes NULL in any case: so the three can be told apart in a line.
NO_SCORE, SCORE_IS_MARK, NO_MARK = "NULL", "Null", "null"
# In place of a value that a closer look must decide about; no cell can hold it.
UNSURE = "\x01"
_REMEMBERED = 20_000
_SEPARATOR = re.compile("[;\n]")
_ASSIGNMENT = re.compile(r"\s*([^=:;]+?)\s*[=:]\s*([^=:;]*?)\s*")

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(dict[Key, Value], Generic[Key, Value]):
    """What a function said for each key, bounded: a file may hold a million different cells."""

    def __init__(self, read: Callable[[Key], Value]) -> None:
        self._read = read

    def __missing__(self, key: Key) -> Value:
        if len(self) >= _REMEMBERED:
            self.clear()
        value = self[key] = self._read(key)
        return value


class Found(msgspec.Struct, frozen=True, gc=False):
    """One paper of one row: its slot, what its cell says, and the column of that cell."""

    position: int
    reading: Reading
    column: int


class Paper(Protocol):
    """A part of a row that fills `width` consecutive slots from `position` on."""

    position: int
    width: int

    def read(self, row: Sequence[str]) -> Iterator[Found]:
        """What the cells of one row say."""
        ...

    def scores(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """Elements of an array of scores for whole columns; UNSURE where `read` finds a fault."""
        ...

    def marks(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """Elements of an array of marks for whole columns."""
        ...


class SinglePaper:
    """A column that holds one paper."""

    width = 1

    def __init__(self, subject: Subject, column: int) -> None:
        self.position, self._column = subject.position, column
        self._readings = Remembered[str, Reading](lambda cell: read_paper(cell, subject))
        self._scores = Remembered[str, str](lambda cell: score_literal(self._readings[cell]))
        self._marks = Remembered[str, str](lambda cell: _mark_literal(self._readings[cell]))

    def read(self, row: Sequence[str]) -> Iterator[Found]:
        """Its cell, worked out once for each different one."""
        yield Found(self.position, self._readings[row[self._column]], self._column)

    def scores(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """One element a row."""
        return map(self._scores.__getitem__, columns[self._column])

    def marks(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """One element a row."""
        return map(self._marks.__getitem__, columns[self._column])


class VariantPaper:
    """A column with a score and one that says which variant was sat; it fills a run of slots, one for each variant."""

    def __init__(self, run: Sequence[Subject], variants: "Variants", group: PaperGroup) -> None:
        self.position, self.width = run[0].position, len(run)
        self._group = group
        self._found = Remembered[tuple[str, str], Found](lambda pair: variants.read(*pair))
        self._scores = Remembered[tuple[str, str], str](lambda pair: self._literals(pair, score_literal, NO_SCORE))
        self._marks = Remembered[tuple[str, str], str](lambda pair: self._literals(pair, _mark_literal, NO_MARK))

    def read(self, row: Sequence[str]) -> Iterator[Found]:
        """The score, in the slot of its variant; nothing if another run has that slot."""
        found = self._found[row[self._group.variant_column], row[self._group.score_column]]
        if self._has(found):
            yield found

    def scores(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """One element for each slot of the run, joined."""
        return map(self._scores.__getitem__, self._pairs(columns))

    def marks(self, columns: Sequence[Sequence[str]]) -> Iterator[str]:
        """One element for each slot of the run, joined."""
        return map(self._marks.__getitem__, self._pairs(columns))

    def _pairs(self, columns: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
        return zip(columns[self._group.variant_column], columns[self._group.score_column], strict=True)

    def _has(self, found: Found) -> bool:
        return self.position <= found.position < self.position + self.width

    def _literals(self, pair: tuple[str, str], literal: Callable[[Reading], str], nothing: str) -> str:
        found, literals = self._found[pair], [nothing] * self.width
        if self._has(found):
            literals[found.position - self.position] = literal(found.reading)
        return ",".join(literals)


class Variants:
    """Which slot a score goes to by the variant that stands beside it; without one, to that of no variant."""

    def __init__(self, exam: Exam, group: PaperGroup) -> None:
        self._group = group
        self._subjects = {subject.variant: subject for subject in exam.subjects if subject.code == group.code}
        own = [
            (text, s.variant) for s in self._subjects.values() if s.variant for text in (s.variant, s.name, s.name_en)
        ]
        self._spellings = variant_spellings(group.code, tuple(own))

    def read(self, variant_cell: str, score_cell: str) -> Found:
        """Where the score belongs and what it says; a fault stands at the cell that causes it."""
        text = cleaned(variant_cell)
        variant = self._spellings.find(text) if text else ""
        # "=N1" is the cell N1, not the language.
        if is_formula(text):
            return Found(self._subjects[""].position, Reading(fault=NO_VALUE), self._group.variant_column)
        if variant is None or variant not in self._subjects:
            plain = self._subjects[""]
            if not any(character.isalnum() for character in text):
                return Found(plain.position, read_paper(score_cell, plain), self._group.score_column)
            return Found(plain.position, Reading(fault=self._not_understood(text)), self._group.variant_column)
        subject = self._subjects[variant]
        return Found(subject.position, read_paper(score_cell, subject), self._group.score_column)

    def _not_understood(self, text: str) -> Fault:
        # Languages go by their codes in these files, specialised classes by their names.
        named = [(key, subject.name) for key, subject in self._subjects.items() if key]
        words = ", ".join(f"{key} ({name})" if key.isupper() else name for key, name in named)
        facts = {"subject": self._subjects[""].name, "words": words}
        return Fault("variant_not_understood", facts, self._spellings.nearest(text))


class NamedPapers:
    """Papers that a cell names itself: a row of one paper (`Môn thi`, `Điểm`), or `Toán=8; Văn=7,5` in `extra`."""

    def __init__(self, exam: Exam, headings: Headings, layout: Layout) -> None:
        self._exam, self._headings, self._layout = exam, headings, layout
        self._subjects = {(subject.code, subject.variant): subject for subject in exam.subjects}

    def read(self, row: Sequence[str]) -> Iterator[Found]:
        """Every paper that the row names; position 0 for one that the exam does not have."""
        layout = self._layout
        if layout.paper is not None and layout.paper_score is not None:
            name, score = cleaned(row[layout.paper]), row[layout.paper_score]
            if name or cleaned(score):
                yield self._find(name, score, layout.paper, layout.paper_score)
        if layout.extra is not None:
            for part in _SEPARATOR.split(cleaned(row[layout.extra])):
                if assignment := _ASSIGNMENT.fullmatch(part):
                    yield self._find(assignment[1], assignment[2], layout.extra, layout.extra)
                elif part.strip():
                    yield Found(0, Reading(fault=Fault("extra_not_understood")), layout.extra)

    def _find(self, name: str, score: str, name_column: int, score_column: int) -> Found:
        meaning = self._headings.meaning(name) if name else None
        subject = self._subjects.get((meaning.code, meaning.variant)) if meaning else None
        if subject is None:
            facts = {"papers": ", ".join(paper_names(self._exam))}
            return Found(
                0, Reading(fault=Fault("subject_not_understood", facts, self._headings.nearest(name))), name_column
            )
        return Found(subject.position, read_paper(score, subject), score_column)


def find_papers(exam: Exam, layout: Layout) -> list[Paper]:
    """The papers of a layout in the order of their slots; variants in as few runs of neighbours as there are."""
    papers: list[Paper] = [
        SinglePaper(subject, layout.papers[subject.position])
        for subject in exam.subjects
        if subject.position in layout.papers
    ]
    for group in layout.groups:
        variants = Variants(exam, group)
        slots = [subject for subject in exam.subjects if subject.code == group.code]
        papers += [VariantPaper(run, variants, group) for run in _runs(slots)]
    return sorted(papers, key=lambda paper: paper.position)


def _runs(subjects: list[Subject]) -> list[list[Subject]]:
    runs: list[list[Subject]] = []
    for subject in subjects:
        if runs and runs[-1][-1].position + 1 == subject.position:
            runs[-1].append(subject)
        else:
            runs.append([subject])
    return runs


def score_literal(reading: Reading) -> str:
    """The element of the array of scores; UNSURE where something is wrong."""
    if reading.fault is not None:
        return UNSURE
    return SCORE_IS_MARK if reading.mark else reading.score or NO_SCORE


def _mark_literal(reading: Reading) -> str:
    return reading.mark or NO_MARK
