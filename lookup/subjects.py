"""The papers of an exam: what they are called, how they are marked, and every way a file may spell them."""

import tomllib
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from lookup.spellings import Spellings

SubjectType = Literal["score", "grade", "prize", "outcome"]


class Subject(msgspec.Struct, frozen=True):
    """One slot of a result. `position` counts from 1 and is the index into `results.scores`.

    Languages share the code `ngoai_ngu` and differ by `variant` (`N1` Tiếng Anh ... `N7` Tiếng Hàn); `""` is a
    language that the file did not name. `step` is the smallest difference between two scores (0.25, 0.05).
    """

    position: int
    code: str
    variant: str
    name: str
    name_en: str
    type: SubjectType
    decimals: int
    step: Decimal
    lowest: Decimal
    highest: Decimal


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One language of the foreign language, one class of the specialised paper."""

    name: str
    name_en: str
    spellings: tuple[str, ...] = ()


class SubjectName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a subject is called wherever it is examined; `data/subjects.toml` holds them all."""

    name: str
    name_en: str
    type: SubjectType = "score"
    spellings: tuple[str, ...] = ()
    variants: dict[str, Variant] = {}

    def named(self, variant: str) -> "SubjectName | Variant":
        """The names of one variant; of the subject itself for `""`."""
        return self.variants[variant] if variant else self


SUBJECT_NAMES: dict[str, SubjectName] = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "subjects.toml").read_text(encoding="utf-8")),
    dict[str, SubjectName],
)


def subject_spellings() -> Iterator[tuple[str, tuple[str, str]]]:
    """Every known spelling with the (code, variant) it means."""
    for code, subject in SUBJECT_NAMES.items():
        for text in (subject.name, subject.name_en, code, *subject.spellings):
            yield text, (code, "")
        for key, variant in subject.variants.items():
            for text in (variant.name, variant.name_en, f"{code}_{key}", *variant.spellings):
                yield text, (code, key)


_SPELLINGS = Spellings(subject_spellings())
# "Điểm thi môn Toán", "Bài thi Ngữ văn", "Điểm: Toán" name the same paper.
_LEADING_WORDS = frozenset(("điểm", "diem", "môn", "mon", "bài", "bai", "thi", "score", "subject"))


def recognise_subject(heading: str) -> tuple[str, str] | None:
    """The (code, variant) that a heading names (`Hoá` -> `hoa_hoc`, `T.Anh` -> `ngoai_ngu`, `N1`).

    None when it names no subject, or when it could name two.
    """
    return find_by_heading(_SPELLINGS, heading)


def find_by_heading(spellings: Spellings[tuple[str, str]], heading: str) -> tuple[str, str] | None:
    """As `recognise_subject`, among the spellings of one exam."""
    return spellings.find(heading) or spellings.find(without_leading_words(heading))


def without_leading_words(heading: str) -> str:
    """The heading without `Điểm`, `Môn`, `Bài thi` before the name itself."""
    words = unicodedata.normalize("NFC", heading).replace("_", " ").replace(":", " ").split()
    while len(words) > 1 and words[0].casefold() in _LEADING_WORDS:
        words.pop(0)
    return " ".join(words)
