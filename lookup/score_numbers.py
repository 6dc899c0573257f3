"""Read candidate numbers as files hold them, and recognise the ones that Excel has spoilt."""

import re
from collections import Counter
from collections.abc import Sequence

from lookup.candidate_number import CandidateNumberFormat
from lookup.exams import Exam
from lookup.score_cells import cleaned
from lookup.score_papers import UNSURE
from lookup.score_problems import Fault, Problem

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
# A number that went through a floating-point column: 36000001.0
_WHOLE_NUMBER = re.compile(r"^([0-9]+)[.,]0$")
_SEPARATED = "\x1f"
_WITH_COUNCIL = 8
_DIGIT, _LETTER = re.compile("[0-9]"), re.compile("[A-Z]")
_MOST_SHAPES, _LONGEST_SHAPE = 1000, 30
# From so many results on, a few may differ: a remark, a number mistyped.
_ENOUGH, _NEARLY_ALL = 20, 0.95


class NumberReader:
    """Reads the numbers of one exam. `pad_number`: fill up with leading zeros to this many digits."""

    def __init__(self, number_format: CandidateNumberFormat, pad_number: int | None) -> None:
        self._format, self._pad = number_format, pad_number
        self._lengths = sorted({len(mask) for mask in number_format.mask.split("|") if set(mask) == {"9"}})
        self._plain = re.compile(f"(?:[0-9]{{{self._lengths[0]}}}{_SEPARATED})*") if len(self._lengths) == 1 else None
        self.padded = 0

    def literals(self, cells: Sequence[str]) -> Sequence[str]:
        """A whole column of numbers, UNSURE where there is none. Counts those that were filled up."""
        if self._plain and self._plain.fullmatch(_SEPARATED.join(cells) + _SEPARATED):
            return cells
        return [
            UNSURE if isinstance(number := self.read(cell), Fault) else self._counted(cell, number) for cell in cells
        ]

    def _counted(self, cell: str, number: str) -> str:
        if self._pad and len(cell.strip()) < len(number):
            self.padded += 1
        return number

    def read(self, cell: str) -> str | Fault:
        """The number in the exam's format, or what is wrong with the cell."""
        text = cleaned(cell)
        if not text:
            return Fault("number_missing")
        if _SCIENTIFIC.fullmatch(text):
            return Fault("number_scientific")
        number = self._format.normalise(_WHOLE_NUMBER.sub(r"\1", text))
        # A number that begins with a zero has not lost any: something else is missing.
        if self._pad and number.isdecimal() and not number.startswith("0"):
            number = number.zfill(self._pad)
        return number if self._format.matches(number) else self._malformed(number)

    def _malformed(self, number: str) -> Fault:
        longer = [length for length in self._lengths if length > len(number)]
        if not number.isdecimal() or not longer:
            return Fault("number_malformed", {"example": self._format.example})
        width = longer[0]
        filled = number.zfill(width)
        # Eight digits are council and serial, and no council is 00: what is missing did not stand in front.
        if number.startswith("0") or (width == _WITH_COUNCIL and filled.startswith("00")):
            return Fault("digits_missing", {"width": width, "digits": len(number)})
        return Fault("number_lost_zeros", {"width": width}, filled)


class OtherExam:
    """Notices that the numbers of a file are all wrong in the same way: then it is probably another exam's file."""

    def __init__(self, exam: Exam) -> None:
        self._format = exam.numbers
        self._shapes: Counter[str] = Counter()
        self._example: dict[str, str] = {}

    def note(self, cell: str, fault: Fault) -> None:
        """One number that is none of this exam's. Lost zeros have an explanation of their own."""
        if fault.code not in {"digits_missing", "number_malformed"}:
            return
        text = self._format.normalise(_WHOLE_NUMBER.sub(r"\1", cleaned(cell)))
        shape = _LETTER.sub("A", _DIGIT.sub("9", text))[:_LONGEST_SHAPE]
        if len(self._shapes) < _MOST_SHAPES or shape in self._shapes:
            self._shapes[shape] += 1
            self._example.setdefault(shape, text)

    def problem(self, rows: int) -> Problem | None:
        """What is wrong with the file, if it is that; `rows` is how many results it has."""
        shape, count = self._shapes.most_common(1)[0] if self._shapes else ("", 0)
        if not (count == rows > 1 or (rows >= _ENOUGH and count > _NEARLY_ALL * rows)):
            return None
        facts: dict[str, object] = {"count": count, "rows": rows}
        if self._format.digits_only and set(shape) == {"9"}:
            lengths = "/".join(str(len(mask)) for mask in self._format.mask.split("|"))
            return Problem(Fault("numbers_of_other_length", facts | {"digits": len(shape), "width": lengths}))
        fault = Fault("numbers_of_other_form", facts | {"example": self._format.example})
        return Problem(fault, cell=self._example[shape])
