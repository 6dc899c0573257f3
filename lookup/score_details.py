"""What a row says besides its scores: the total, and what opens a result or stands beside it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import repeat
from unicodedata import is_normalized

import msgspec

from kit.vietnamese import clean_cell
from lookup.exams import Exam
from lookup.pins import hash_imported_pin, normalise_pin
from lookup.score_cells import (
    LONGEST_NAME,
    NOT_TAKEN,
    Reading,
    check_name,
    cleaned,
    is_formula,
    read_birth_date,
    read_total,
)
from lookup.score_papers import UNSURE, Remembered
from lookup.score_problems import Fault
from lookup.totals import TotalRule, add_up

NULL = "\\N"
SAFE_PIN_LENGTH = 10
_SEPARATED = "\x1f"
# Anything in a column of names that is not plainly letters and single blanks.
_UNUSUAL = re.compile(r"[^\w '.\x1f-]|[\d_]|  | \x1f|\x1f |^ | $")
_CONTROL = re.compile("[\x00-\x1f\x7f]")

Complain = Callable[[int | None, Fault], None]


class ChunkColumns(msgspec.Struct):
    """A chunk of rows, column by column; `numbers` as read, UNSURE where a candidate number is none."""

    cells: Sequence[Sequence[str]]
    numbers: Sequence[str]


class RowInHand(msgspec.Struct):
    """One row under a closer look: its cells, its number ("" if that is none), its scores by subject code."""

    cells: Sequence[str]
    number: str
    scores: Mapping[str, Decimal]


class Detail:
    """One column of `lookup.results` beside the scores; this one is for what the file does not have."""

    def literals(self, chunk: ChunkColumns) -> Iterable[str]:
        """PostgreSQL's text for each row; UNSURE where `read` has something to say."""
        return repeat(NULL, len(chunk.numbers))

    def read(self, row: RowInHand, complain: Complain) -> str:  # noqa: ARG002 - there is nothing to read
        """PostgreSQL's text for one row; what is wrong goes to `complain` with its column."""
        return NULL


class Names(Detail):
    """Names, from one column or from two (họ đệm, tên). `composed` counts those that were not in NFC."""

    def __init__(self, columns: Sequence[int]) -> None:
        self._columns = columns
        self.composed = 0

    def literals(self, chunk: ChunkColumns) -> Iterable[str]:
        """Most chunks hold plain names only, which one search over all of them tells."""
        cells = list(map(" ".join, zip(*(chunk.cells[column] for column in self._columns), strict=True)))
        everything = _SEPARATED.join(cells)
        plain = not _UNUSUAL.search(everything) and is_normalized("NFC", everything)
        if plain and max(map(len, cells), default=0) <= LONGEST_NAME:
            return [cell or NULL for cell in cells]
        return [self._literal(cell) for cell in cells]

    def _literal(self, cell: str) -> str:
        name, recomposed = clean_cell(cell)
        self.composed += recomposed
        return UNSURE if check_name(name) else _as_copied(name)

    def read(self, row: RowInHand, complain: Complain) -> str:
        """One name, however odd; the operator hears of it."""
        name, _ = clean_cell(" ".join(row.cells[column] for column in self._columns))
        if fault := check_name(name):
            complain(self._columns[0], fault)
        return _as_copied(name)


class BirthDates(Detail):
    """Birth dates; under the policy `birth-date` every row must have one, elsewhere a bad one is left out."""

    def __init__(self, column: int, exam: Exam) -> None:
        self._column = column
        self._needed = exam.policy == "birth-date"
        self._dates = Remembered[str, date | Fault | None](lambda cell: read_birth_date(cell, exam.year))
        self._literals = Remembered[str, str](self._literal)

    def literals(self, chunk: ChunkColumns) -> Iterable[str]:
        """Dates repeat: 18 years have 6,575 days."""
        return map(self._literals.__getitem__, chunk.cells[self._column])

    def _literal(self, cell: str) -> str:
        born = self._dates[cell]
        if isinstance(born, date):
            return born.isoformat()
        return UNSURE if born is not None or self._needed else NULL

    def read(self, row: RowInHand, complain: Complain) -> str:
        """One birth date, or the reason why there is none."""
        born = self._dates[row.cells[self._column]]
        if isinstance(born, date):
            return born.isoformat()
        if born is not None:
            complain(self._column, born if self._needed else Fault("birth_date_not_kept", {}, born.suggestion))
        elif self._needed:
            complain(self._column, Fault("birth_date_missing"))
        return NULL


class Totals(Detail):
    """The total as the file has it; where the exam's rule can add it up, that is compared, or fills an empty cell."""

    def __init__(self, column: int | None, rule: TotalRule) -> None:
        self._column, self._rule = column, rule
        self._readings = Remembered[str, Reading](lambda cell: read_total(cell, rule))
        self._literals = Remembered[str, str](self._literal)

    def literals(self, chunk: ChunkColumns) -> Iterable[str]:
        """A total that must be added up or compared needs a look at its row."""
        if self._rule.coefficients:
            return repeat(UNSURE, len(chunk.numbers))
        if self._column is None:
            return super().literals(chunk)
        return map(self._literals.__getitem__, chunk.cells[self._column])

    def _literal(self, cell: str) -> str:
        reading = self._readings[cell]
        return UNSURE if reading.fault else reading.score or NULL

    def read(self, row: RowInHand, complain: Complain) -> str:
        """The file's total counts, even if it differs: it may hold priority points that we must not know."""
        computed = add_up(self._rule, row.scores)
        reading = NOT_TAKEN if self._column is None else self._readings[row.cells[self._column]]
        if reading.fault:
            complain(self._column, reading.fault)
        elif reading.score and computed is not None and Decimal(reading.score) != computed:
            complain(self._column, Fault("total_differs", {"computed": computed}))
        return reading.score or (NULL if computed is None else str(computed))


class Pins(Detail):
    """Lookup codes that came with the file, as keyed hashes; an empty cell means that we issue the code."""

    def __init__(self, column: int, exam: Exam, key: bytes, *, weak: bool) -> None:
        self._column, self._exam_code, self._key = column, exam.code, key
        self._shortest = 1 if weak else SAFE_PIN_LENGTH

    def literals(self, chunk: ChunkColumns) -> Iterable[str]:
        """Every code is another one: nothing to remember."""
        return map(self._literal, chunk.cells[self._column], chunk.numbers)

    def _literal(self, cell: str, number: str) -> str:
        pin = cleaned(cell)
        if not pin:
            return NULL
        if len(normalise_pin(pin)) < self._shortest or is_formula(pin):
            return UNSURE
        return f"\\\\x{hash_imported_pin(self._key, self._exam_code, number, pin).hex()}"

    def read(self, row: RowInHand, complain: Complain) -> str:
        """The hash of one code, if it is long enough."""
        literal = self._literal(row.cells[self._column], row.number)
        if literal == UNSURE:
            complain(self._column, Fault("pin_weak", {"length": SAFE_PIN_LENGTH}))
            return NULL
        return literal


def _as_copied(name: str) -> str:
    return _CONTROL.sub("", name).replace("\\", "\\\\") or NULL
