"""Whatever is written into the record has a sentence that its readers understand."""

import ast
from pathlib import Path
from typing import get_args

from units.record import actions
from units.record.actions import Action
from units.record.words import ACTIONS

ROOT = Path(__file__).parents[3]
DONE = frozenset(get_args(Action))


def strings_of_the_code() -> set[str]:
    """Every string of the packages, the list of actions left out."""
    files = [file for package in ("units", "lookup", "server") for file in (ROOT / package).rglob("*.py")]
    texts = [file.read_text(encoding="utf-8") for file in files if file != Path(actions.__file__)]
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_action_has_a_vietnamese_sentence_and_no_sentence_is_for_nothing():
    assert set(ACTIONS) == DONE


def test_every_action_is_one_that_somebody_writes():
    assert strings_of_the_code() >= DONE


def test_sentences_are_plain_and_different():
    assert len(set(ACTIONS.values())) == len(ACTIONS)
    assert all(sentence[0].isupper() and sentence[-1] != "." for sentence in ACTIONS.values())
