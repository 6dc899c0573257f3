"""What a result may say instead of a number: absent, exempt, a grade, a prize; and how files spell it."""

import tomllib
from pathlib import Path

import msgspec

from lookup.spellings import Spellings
from lookup.subjects import SubjectType


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"types": "for"}):
    """One word of a result: Vietnamese, English, its spellings, and the types of paper that know it."""

    word: str
    word_en: str
    types: tuple[SubjectType, ...]
    spellings: tuple[str, ...] = ()


MARKS: dict[str, Mark] = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "marks.toml").read_text(encoding="utf-8")), dict[str, Mark]
)

_SPELLINGS: dict[SubjectType, Spellings[str]] = {
    subject_type: Spellings(
        (text, code)
        for code, mark in MARKS.items()
        if subject_type in mark.types
        for text in (mark.word, mark.word_en, code, *mark.spellings)
    )
    for subject_type in ("score", "grade", "prize", "outcome")
}


def recognise_mark(text: str, subject_type: SubjectType) -> str | None:
    """The code of the mark that a cell spells in a paper of this type; None when it spells none.

    `-1`, `KT`, `V`, `---` are `absent`. An empty cell is no mark: that paper was not taken.
    """
    return _SPELLINGS[subject_type].find(text)


def nearest_mark(text: str, subject_type: SubjectType) -> str | None:
    """The known spelling that looks most like the text, to be suggested."""
    return _SPELLINGS[subject_type].nearest(text)
