"""Sentences about units that cannot be as somebody wants them: which rule was broken, in the words of its readers."""

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

Language = Literal["en", "vi"]


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    en: str
    vi: str


RULES = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "unit_rules.toml").read_text(encoding="utf-8")), dict[str, _Rule]
)


def rule_in_words(rule: str, language: Language) -> str:
    """The rule as a clause; its bare name where nobody has put it into words."""
    known = RULES.get(rule)
    return getattr(known, language) if known else rule
