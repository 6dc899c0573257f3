"""Whatever is written into the record has a sentence that its readers understand."""

import ast
from pathlib import Path

from units.record.words import ACTIONS

ROOT = Path(__file__).parents[3]
_THIRD = 2


def written_actions() -> dict[str, str]:
    """Every action that stands in a call of `write`, and where; of an f-string only its beginning."""
    found = {}
    for package in ("kit", "units", "lookup", "server"):
        for file in (ROOT / package).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and _name(call.func) == "write" and len(call.args) > _THIRD:
                    for action in _strings(call.args[_THIRD]):
                        found[action] = f"{file.relative_to(ROOT)}:{call.lineno}"
    return found


def _name(called) -> str:
    return getattr(called, "id", getattr(called, "attr", ""))


def _strings(node) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return _strings(node.body) + _strings(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return [f"{node.values[0].value}*"]
    return []


def test_every_action_that_is_written_has_a_vietnamese_sentence():
    written = written_actions()
    assert len(written) > 20
    assert {"officer.invited", "session.began", "record.searched"} <= set(written)
    without = {
        action: where
        for action, where in written.items()
        if not any(known == action or (action[-1] == "*" and known.startswith(action[:-1])) for known in ACTIONS)
    }
    assert not without, f"Add a sentence to units/record/data/words.toml for {without}"


def test_sentences_are_plain_and_different():
    assert len(set(ACTIONS.values())) == len(ACTIONS)
    assert all(sentence[0].isupper() and sentence[-1] != "." for sentence in ACTIONS.values())
