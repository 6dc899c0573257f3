"""Whatever is written into the record has a sentence that its readers understand."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tests.people import MORNING
from units.record import actions
from units.record.actions import Action
from units.record.search import Entry
from units.record.words import ACTIONS, Line, tell
from units.unit_tree import UnitTree
from units.units import list_units

ROOT = Path(__file__).parents[3]
DONE = frozenset(get_args(Action))


WORDS = tomllib.loads((ROOT / "units" / "record" / "data" / "words.toml").read_text(encoding="utf-8"))
HA = "7a5d1c54-5f0e-4f5c-9b7e-0d3c6f2a9b11"


def nodes_of_the_code() -> Iterator[ast.AST]:
    """Everything that stands in the packages, the list of actions left out."""
    files = [file for package in ("units", "lookup", "server") for file in (ROOT / package).rglob("*.py")]
    texts = [file.read_text(encoding="utf-8") for file in files if file != Path(actions.__file__)]
    return (node for text in texts for node in ast.walk(ast.parse(text)))


def strings_of_the_code() -> set[str]:
    nodes = nodes_of_the_code()
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def entry(object_kind: str, **details) -> Entry:
    return Entry(
        1, MORNING, None, "command", "so", "approval.handed_in", object_kind, "an id", None, None, details, None
    )


def test_every_action_has_a_vietnamese_sentence_and_no_sentence_is_for_nothing():
    assert set(ACTIONS) == DONE


def test_every_action_is_one_that_somebody_writes():
    assert strings_of_the_code() >= DONE


def test_sentences_are_plain_and_different():
    assert len(set(ACTIONS.values())) == len(ACTIONS)
    assert all(sentence[0].isupper() and sentence[-1] != "." for sentence in ACTIONS.values())


def test_every_fact_that_is_written_by_name_has_a_word():
    calls = [node for node in nodes_of_the_code() if isinstance(node, ast.Call)]
    written = {
        keyword.arg
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in ("write", "_note")
        for keyword in call.keywords
        if keyword.arg
    }
    assert len(written) > 30
    assert written <= {*WORDS["facts"], "changes"}


async def test_what_waits_is_told_by_what_it_is_about_not_by_a_number(connection):
    tree = UnitTree(await list_units(connection))
    told = tell(entry("approval", thing=["exam-release", "thi-thu"], decided_in="so"), {}, tree)
    assert told.about == "công bố kết quả thi, thi-thu"
    assert told.facts == [Line("Nơi phê duyệt", tree.find("so").name)]
    assert (
        tell(entry("approval", thing=["unit-page", "so"]), {}, tree).about
        == f"trang của đơn vị, {tree.find('so').name}"
    )
    assert tell(entry("deputy", deputy=HA), {HA: "Bà Hạ"}, tree).about == "Bà Hạ"
