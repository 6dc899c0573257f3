"""Every sentence stands in both languages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

TEMPLATES = Path(__file__).parents[2] / "templates"
OPTIONS = {"**.html": {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}}


def strings_in_templates() -> Iterator[tuple[str, str]]:
    """(string, where it stands), as gettext will be asked for it."""
    for name, line, text, *_ in extract_from_dir(TEMPLATES, [("**.html", "jinja2")], OPTIONS):
        assert isinstance(text, str), f"{name}:{line}: Vietnamese has no plural, word it without one"
        yield text, f"{name}:{line}"


@pytest.fixture(scope="module")
def english() -> dict[str, str]:
    with (TEMPLATES / "locale" / "en.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file, locale="en") if message.id}


def test_every_vietnamese_string_has_an_english_one(english):
    missing = [f"{where} {text!r}" for text, where in strings_in_templates() if not english.get(text)]
    assert not missing, "\n".join(missing)


def test_no_translation_outlives_its_string(english):
    obsolete = english.keys() - {text for text, _ in strings_in_templates()}
    assert not obsolete


def test_translations_keep_the_facts_of_their_string(english):
    for vietnamese, translated in english.items():
        assert facts_in(vietnamese) == facts_in(translated), vietnamese


def facts_in(text: str) -> set[str]:
    """Names of what is filled in: `%(retry_after)s` by the page, `{seconds}` by the script."""
    return {part.split(")")[0] for part in text.split("%(")[1:]} | {part.split("}")[0] for part in text.split("{")[1:]}
