"""Read candidate numbers as files hold them, and recognise the ones that Excel has spoilt."""

import re
from collections.abc import Sequence

from lookup.candidate_number import CandidateNumberFormat
from lookup.score_cells import cleaned
from lookup.score_papers import UNSURE
from lookup.score_problems import Fault

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")
# A number that went through a floating-point column: 36000001.0
_WHOLE_NUMBER = re.compile(r"([0-9]+)[.,]0")
_SEPARATED = "\x1f"


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
        if whole := _WHOLE_NUMBER.fullmatch(text):
            text = whole[1]
        number = self._format.normalise(text)
        if self._pad and number.isdigit():
            number = number.zfill(self._pad)
        if self._format.matches(number):
            return number
        for length in self._lengths:
            if number.isdigit() and len(number) < length and self._format.matches(number.zfill(length)):
                return Fault("number_lost_zeros", {"width": length}, number.zfill(length))
        return Fault("number_malformed", {"example": self._format.example})
