"""What is wrong with a file of units, by row and column."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from kit.tables import quoted
from units.rule_words import RULES, Language, rule_in_words


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str
    vi: str
    severity: Literal["error", "warning"] = "error"


MESSAGES = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "messages.toml").read_text(encoding="utf-8")), dict[str, _Message]
)


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
        return MESSAGES[self.code].severity == "error"

    def sentence(self, language: Language = "en") -> str:
        """What is wrong and what to do; the workbook shows the suggestion in a column of its own."""
        facts = {name: _worded(fact, language) for name, fact in self.facts.items()}
        text = getattr(MESSAGES[self.code], language)
        told = text.format_map({"heading": self.heading, "cell": quoted(self.cell)} | facts)
        return f"{told} Perhaps {self.suggestion}." if self.suggestion and language == "en" else told


def _worded(fact: object, language: Language) -> object:
    return rule_in_words(fact, language) if isinstance(fact, str) and fact in RULES else fact
