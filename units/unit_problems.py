"""Sentences about units: which rule was broken, and what is wrong with a file of units, by row and column."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

Language = Literal["en", "vi"]

_LONGEST_CELL = 60


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str
    vi: str


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str
    vi: str
    severity: Literal["error", "warning"] = "error"


class _Sentences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: dict[str, _Rule]
    message: dict[str, _Message]


_SENTENCES = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "unit_messages.toml").read_text(encoding="utf-8")), _Sentences
)


def rule_in_words(rule: str, language: Language) -> str:
    """The rule as a clause; its bare name where nobody has put it into words."""
    known = _SENTENCES.rule.get(rule)
    return getattr(known, language) if known else rule


class Problem(msgspec.Struct, frozen=True):
    """What is wrong in one place of a file. `row` as Excel counts, None for the file; `column` from 0."""

    code: str
    row: int | None = None
    column: int | None = None
    heading: str = ""
    cell: str = ""
    facts: Mapping[str, object] = {}
    suggestion: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether it keeps the file out; a warning does not."""
        return _SENTENCES.message[self.code].severity == "error"

    def sentence(self, language: Language = "en") -> str:
        """What is wrong and what to do; the workbook shows the suggestion in a column of its own."""
        facts = {name: _worded(fact, language) for name, fact in self.facts.items()}
        shown = self.cell if len(self.cell) <= _LONGEST_CELL else f"{self.cell[: _LONGEST_CELL - 1]}…"
        text = getattr(_SENTENCES.message[self.code], language)
        told = text.format_map({"heading": self.heading, "cell": f"“{shown}”"} | facts)
        return f"{told} Perhaps {self.suggestion}." if self.suggestion and language == "en" else told


def _worded(fact: object, language: Language) -> object:
    return rule_in_words(fact, language) if isinstance(fact, str) and fact in _SENTENCES.rule else fact
