"""Turn the rows of a result file into lines for PostgreSQL, and tell everything that is wrong with them.

Whole columns at a time as long as nothing is unusual; a row in which something is gets a closer look of its own.
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import chain, repeat

import msgspec

from kit.tables import Chunk
from lookup.exams import Exam
from lookup.score_cells import NO_VALUE, NOT_TAKEN, Reading, is_formula
from lookup.score_columns import Layout
from lookup.score_dashes import Dashes
from lookup.score_details import NULL, BirthDates, ChunkColumns, Complain, Detail, Names, Pins, RowInHand, Totals
from lookup.score_headings import Headings
from lookup.score_numbers import NumberReader, OtherExam
from lookup.score_papers import NO_MARK, NO_SCORE, SCORE_IS_MARK, UNSURE, NamedPapers, find_papers
from lookup.score_problems import Fault, Problem, Problems

# As `copy_columns` of the use case has them.
_LINE = "%s\t%s\t{%s}\t%s\t%s\t%s\t%s\t%s\n"
_NUMBERING = re.compile(r"\(?([0-9]{1,2})\)?")
_WORD = re.compile(r"[^\W\d_]{2,}")


class RowRules(msgspec.Struct, frozen=True):
    """What the operator allowed (digits to fill numbers up to, short pins), and the key that pins are kept under.

    `cells_may_split`: a comma inside a cell would be taken for a delimiter, as in CSV.
    """

    pad_number: int | None = None
    weak_pins: bool = False
    pin_key: bytes = b""
    cells_may_split: bool = True


class RowReader:
    """Reads the rows of one file for one exam; what is wrong with them goes to `problems`."""

    def __init__(self, exam: Exam, layout: Layout, headings: Headings, rules: RowRules, problems: Problems) -> None:
        assert layout.number is not None
        self._exam, self._layout, self._rules, self._problems = exam, layout, rules, problems
        self._number_column = layout.number
        self._numbers = NumberReader(exam.numbers, rules.pad_number)
        self._other_exam = OtherExam(exam)
        self._dashes = Dashes(exam, layout)
        self._papers = find_papers(exam, layout)
        self._named = NamedPapers(exam, headings, layout)
        self._names = Names(layout.names) if layout.names else None
        self._details = self._find_details()
        self._no_marks = ",".join([NO_MARK] * len(exam.subjects))
        self._no_scores = ",".join([NO_SCORE] * len(exam.subjects))

    @property
    def composed_names(self) -> int:
        """How many names were not in NFC and were put right."""
        return self._names.composed if self._names else 0

    @property
    def padded_numbers(self) -> int:
        """How many numbers got their leading zeros back."""
        return self._numbers.padded

    def whole_file(self, rows: int, header_row: int) -> Iterator[Problem]:
        """What all rows together tell, when all are read; `rows` is how many results there were."""
        if other_exam := self._other_exam.problem(rows):
            yield other_exam
        yield from self._dashes.problems(header_row)

    def lines(self, chunk: Chunk) -> str:
        """The chunk in PostgreSQL's text format: row, number, scores, marks, total, name, birth date, pin hash.

        A row whose number is known comes out even if something else in it is wrong, so that a second one is found.
        """
        lines = self._written(chunk)
        # Papers that cells name themselves fit no column.
        if self._layout.paper is not None or self._layout.extra is not None:
            return "".join(self._looked_at(chunk, i) for i in range(len(lines)))
        text = "".join(lines)
        if UNSURE not in text and not chunk.overlong:
            return text
        for i in sorted({i for i, line in enumerate(lines) if UNSURE in line} | set(chunk.overlong)):
            lines[i] = self._looked_at(chunk, i)
        return "".join(lines)

    def _written(self, chunk: Chunk) -> list[str]:
        columns = list(zip(*chunk.rows, strict=True))
        numbers = self._numbers.literals(columns[self._number_column])
        details = [detail.literals(ChunkColumns(columns, numbers)) for detail in self._details]
        scores = self._joined([paper.scores(columns) for paper in self._papers], NO_SCORE, len(numbers))
        marks = repeat(NULL, len(numbers))
        has_marks = SCORE_IS_MARK in "".join(scores)
        if has_marks or self._layout.paper_score is not None:
            self._dashes.count(columns)
        if has_marks:
            joined = self._joined([paper.marks(columns) for paper in self._papers], NO_MARK, len(numbers))
            marks = [NULL if elements == self._no_marks else f"{{{elements}}}" for elements in joined]
        if self._no_scores in scores:
            scores = [UNSURE if elements == self._no_scores else elements for elements in scores]
        return list(map(_LINE.__mod__, zip(chunk.numbers, numbers, scores, marks, *details, strict=True)))

    def _joined(self, elements: list[Iterator[str]], nothing: str, count: int) -> list[str]:
        """The elements of each row's array; `nothing` stands in the slots that the file has no column for."""
        parts: list[Iterator[str]] = []
        position = 1
        for paper, own in zip(self._papers, elements, strict=True):
            if gap := paper.position - position:
                parts.append(repeat(",".join([nothing] * gap), count))
            parts.append(own)
            position = paper.position + paper.width
        if gap := len(self._exam.subjects) + 1 - position:
            parts.append(repeat(",".join([nothing] * gap), count))
        return list(map(",".join, zip(*parts, strict=True)))

    def _looked_at(self, chunk: Chunk, i: int) -> str:
        """The line of one row, or nothing; complains of whatever is wrong with it."""
        row = chunk.rows[i]

        def complain(column: int | None, fault: Fault) -> None:
            heading, cell = ("", "") if column is None else (self._layout.headings[column], row[column])
            fault = NO_VALUE if is_formula(cell) else fault
            self._problems.add(Problem(fault, chunk.numbers[i], column, heading, cell))

        number = self._numbers.read(row[self._number_column])
        if isinstance(number, Fault) and self._is_remark(row):
            complain(None, Fault("row_not_read"))
            return ""
        if i in chunk.overlong:
            complain(None, Fault("row_too_wide" if self._rules.cells_may_split else "text_beside_table"))
            if self._rules.cells_may_split:
                return ""
        if isinstance(number, Fault):
            complain(self._number_column, number)
            self._other_exam.note(row[self._number_column], number)
            self._read_rest(row, "", complain)
            return ""
        return _LINE % (chunk.numbers[i], number, *self._read_rest(row, number, complain))

    def _read_rest(self, row: Sequence[str], number: str, complain: Complain) -> list[str]:
        """Scores, marks and details of a row in PostgreSQL's text format."""
        slots, faulty = self._read_papers(row, complain)
        readings = [slots.get(subject.position, NOT_TAKEN) for subject in self._exam.subjects]
        scores = {
            subject.code: Decimal(reading.score)
            for subject, reading in zip(self._exam.subjects, readings, strict=True)
            if reading.score is not None
        }
        details = [detail.read(RowInHand(row, number, scores), complain) for detail in self._details]
        if number and not slots and not faulty and details[0] == NULL:
            complain(None, Fault("row_without_scores"))
        marks = ",".join(reading.mark or NO_MARK for reading in readings)
        return [
            ",".join(reading.score or NO_SCORE for reading in readings),
            "{" + marks + "}" if any(reading.mark for reading in readings) else NULL,
            *details,
        ]

    def _read_papers(self, row: Sequence[str], complain: Complain) -> tuple[dict[int, Reading], bool]:
        """What is taken, by slot, and whether any cell is wrong."""
        slots: dict[int, Reading] = {}
        faulty = False
        for found in chain(*(paper.read(row) for paper in self._papers), self._named.read(row)):
            if found.reading.fault is not None:
                complain(found.column, found.reading.fault)
                faulty = True
            if found.reading.score is None and found.reading.mark is None:
                continue
            if found.position in slots:
                subject = self._exam.subjects[found.position - 1]
                complain(found.column, Fault("paper_twice", {"subject": subject.name}))
            slots[found.position] = found.reading
        return slots, faulty

    def _is_remark(self, row: Sequence[str]) -> bool:
        """Whether a row without a candidate number is no result: a signature, a repeated heading, (1) (2) (3)."""
        cells = [cell.strip() for cell in row if cell.strip()]
        if [cell.casefold() for cell in row] == [heading.casefold() for heading in self._layout.headings]:
            return True
        numbering = [int(found[1]) for cell in cells if (found := _NUMBERING.fullmatch(cell))]
        if len(numbering) == len(cells) > 1 and numbering == list(range(numbering[0], numbering[0] + len(cells))):
            return True
        written = row[self._number_column]
        if any(row[column].strip() for column in self._layout.content_columns):
            return False
        return not any(c.isdigit() for c in written) or len(_WORD.findall(written)) > 1

    def _find_details(self) -> list[Detail]:
        layout, exam, rules = self._layout, self._exam, self._rules
        return [
            Totals(layout.total, exam.total_rule) if exam.total_rule else Detail(),
            self._names or Detail(),
            Detail() if layout.birth_date is None else BirthDates(layout.birth_date, exam),
            Detail() if layout.pin is None else Pins(layout.pin, exam, rules.pin_key, weak=rules.weak_pins),
        ]
