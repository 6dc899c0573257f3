"""The tree of units: who manages whom, and who answers for a code."""

from datetime import date

import pytest

from tests.units.history.test_unit_history import a_unit
from units.unit_tree import UnitTree
from units.units import UnitNotFound

CLOSED = date(2026, 6, 1)


def tree_of(*units):
    """Pairs of code and manager, with the successor where there is one (`-`: closed, and nobody follows)."""
    made = []
    for code, manager, *successor in units:
        unit = a_unit(code, managed_by=manager)
        followed = successor[0] if successor else None
        facts = {name: getattr(unit, name) for name in unit.__struct_fields__}
        facts |= {"closed_on": CLOSED if followed else None, "succeeded_by": None if followed == "-" else followed}
        made.append(type(unit)(**facts))
    return UnitTree(made)


def codes(units):
    return [unit.code for unit in units]


def test_managers_come_nearest_first_and_the_root_last():
    tree = tree_of(("so", None), ("xa", "so"), ("th", "xa"))
    assert codes(tree.managers("th")) == ["xa", "so"]
    assert tree.managers("so") == []
    assert codes(tree.managed_by("so")) == ["xa"]
    assert tree.managed_by("th") == []
    assert len(tree) == 3


def test_a_former_code_answers_as_its_successor_everywhere():
    tree = tree_of(("so", None), ("xa", "so", "xb"), ("xb", "so", "xc"), ("xc", "so"), ("th", "xa"))
    assert tree.current("xa").code == "xc"
    assert codes(tree.managers("th")) == ["xc", "so"]
    assert codes(tree.managed_by("xa")) == ["th"]
    assert tree.is_at_or_below("th", "xa")
    assert tree.is_at_or_below("xa", "xb")
    assert not tree.is_at_or_below("xc", "th")


def test_closed_units_are_there_and_below_nobody():
    tree = tree_of(("so", None), ("th", "so", "-"))
    assert codes(tree) == ["so", "th"]
    assert tree.current("th").code == "th"
    assert tree.managed_by("so") == []


def test_a_circle_that_cannot_be_ends_the_walk():
    tree = tree_of(("so", None), ("a", "b"), ("b", "a"), ("c", "so", "d"), ("d", "so", "c"))
    assert codes(tree.managers("a")) == ["b"]
    assert tree.current("c").code in {"c", "d"}


def test_an_unknown_code_is_named():
    tree = tree_of(("so", None))
    for ask in (tree.find, tree.current, tree.managers, tree.managed_by, lambda code: tree.is_at_or_below("so", code)):
        with pytest.raises(UnitNotFound) as missing:
            ask("nobody")
        assert missing.value.facts == {"unit": "nobody"}


def test_a_list_that_was_handed_out_can_be_changed_without_harm():
    tree = tree_of(("so", None), ("xa", "so"))
    tree.managers("xa").clear()
    tree.managed_by("so").clear()
    assert codes(tree.managers("xa")) == ["so"]
    assert codes(tree.managed_by("so")) == ["xa"]
