"""The number a candidate types (số báo danh): text with leading zeros, forgiving where that is harmless."""

import re
import unicodedata
from functools import lru_cache
from itertools import cycle

import msgspec

# What people put between digits when they copy a number from paper or from a chat.
_HARMLESS = re.compile(r"[\s.\-_·\u00ad\u200b-\u200d\u2060\ufeff]+")
_MASK = re.compile(r"[0-9A-Z]{1,20}(\|[0-9A-Z]{1,20}){0,11}")


class CandidateNumberFormat(msgspec.Struct, frozen=True):
    """How an exam numbers its candidates: masks joined by `|`, where 9 is any digit and A any letter.

    Every other sign stands for itself, so `HSG9999` is three fixed letters and four digits.
    """

    mask: str

    @classmethod
    def parse(cls, mask: str) -> "CandidateNumberFormat":
        """Check a mask; raises ValueError when it has other than digits, capital letters and `|`."""
        if not _MASK.fullmatch(mask):
            raise ValueError(f"{mask!r} is not a number format: write 99999999 for eight digits, A for a letter.")
        return cls(mask)

    @property
    def example(self) -> str:
        """A number that could be one, with the leading zero that people forget: 01234567."""
        return _example(self.mask)

    @property
    def digits_only(self) -> bool:
        """Whether a phone may show its number pad."""
        return set(self.mask) <= {"9", "|"}

    def matches(self, number: str) -> bool:
        """Whether a normalised number could be a candidate's of this exam."""
        return _pattern(self.mask).fullmatch(number) is not None

    def normalise(self, typed: str) -> str:
        """Blanks, dots and dashes go, full-width digits become plain, letters become capitals."""
        bare = _HARMLESS.sub("", unicodedata.normalize("NFKC", typed)).upper()
        # What stood between a letter and its accent may be gone now: compose once more.
        return unicodedata.normalize("NFKC", bare)


@lru_cache(maxsize=256)
def _pattern(mask: str) -> re.Pattern[str]:
    signs = {"9": "[0-9]", "A": "[A-Z]", "|": "|"}
    return re.compile("".join(signs.get(sign, re.escape(sign)) for sign in mask))


@lru_cache(maxsize=256)
def _example(mask: str) -> str:
    digits = cycle("0123456789")
    return "".join(next(digits) if sign == "9" else sign for sign in mask.split("|", maxsplit=1)[0])
