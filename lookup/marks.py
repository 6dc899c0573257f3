"""What a result may say instead of a number: absent, exempt, a grade, a prize; and how files spell it."""

import tomllib
from pathlib import Path

import msgspec

from lookup.spellings import Spellings
from lookup.subjects import SubjectType


class Mark(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"types": "for"}):
    """One word of a result: Vietnamese, English, its spellings, and the types of paper that know it.

    `in_scores` are spellings that mean it in a score only, and nothing at all elsewhere.
    """

    word: str
    word_en: str
    types: tuple[SubjectType, ...]
    spellings: tuple[str, ...] = ()
    in_scores: tuple[str, ...] = ()

    def spelled(self, code: str, subject_type: SubjectType) -> tuple[str, ...]:
        """Every way of writing it in a paper of this type."""
        return (self.word, self.word_en, code, *self.spellings, *(self.in_scores if subject_type == "score" else ()))


MARKS: dict[str, Mark] = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "marks.toml").read_text(encoding="utf-8")), dict[str, Mark]
)

_SPELLINGS: dict[SubjectType, Spellings[str]] = {
    subject_type: Spellings(
        (text, code)
        for code, mark in MARKS.items()
        if subject_type in mark.types
        for text in mark.spelled(code, subject_type)
    )
    for subject_type in ("score", "grade", "prize", "outcome")
}

_NONE = frozenset(text for mark in MARKS.values() for text in mark.in_scores)


def recognise_mark(text: str, subject_type: SubjectType) -> str | None:
    """The code of the mark that a cell spells in a paper of this type; None when it spells none.

    `KT` and `V` are `absent`; `-1` and `---` are in a score. An empty cell is no mark: that paper was not taken.
    """
    return _SPELLINGS[subject_type].find(text)


def nearest_mark(text: str, subject_type: SubjectType) -> str | None:
    """The known spelling that looks most like the text, to be suggested."""
    return _SPELLINGS[subject_type].nearest(text)


def says_none(text: str, subject_type: SubjectType) -> bool:
    """Whether the cell of a grade, prize or outcome says by a dash that there is none."""
    return subject_type != "score" and text in _NONE
