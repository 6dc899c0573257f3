"""Every role, every action, every relation between two units; what is expected stands here, not in the code."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from units.officers.officers import Held, NotPermitted, Officer
from units.officers.role_table import role_table
from units.officers.roles import ACTIONS, ALONE, ROLES, RULES, Role, go_together
from units.unit_tree import UnitTree
from units.units import Unit

PAGE = Path(__file__).parents[3] / "docs" / "roles.md"

# Who may do it for the own unit alone, and who for all units below as well.
OWN: dict[str, set[str]] = {
    "describe_unit": {"editor", "administrator"},
    "see_exams": {"editor"},
    "prepare_exam": {"editor"},
    "read_personal_data": {"editor"},
    "delegate_approval": {"approver"},
    "operate": {"operator"},
}
BELOW: dict[str, set[str]] = {
    "see_unit": {"reviewer", "editor", "approver", "administrator", "auditor", "operator"},
    "change_units": {"administrator"},
    "see_officers": {"administrator", "auditor"},
    "manage_officers": {"administrator"},
    "see_exams": {"approver", "administrator", "auditor"},
    "approve": {"approver"},
    "take_down": {"approver", "administrator"},
    "hold_key": {"approver", "administrator"},
    "read_record": {"auditor"},
    "export_record": {"auditor"},
}

# The ward's officer, who stands in the middle of the tree, and what each unit is to her.
RELATIONS = {
    "own unit": "phuong",
    "child unit": "thcs",
    "grandchild": "co-so-2",
    "managing unit": "so",
    "another unit": "xa",
    "another unit's child": "tieu-hoc-xa",
    "THPT school in her ward": "thpt",
}


def unit(code, managed_by, *, commune_code=None, succeeded_by=None):
    return Unit(
        code, "commune", code, code, "", managed_by, "99", commune_code, "", "", "", "", "", None,
        closed_on=None, succeeded_by=succeeded_by,
    )  # fmt: skip


TREE = UnitTree(
    [
        unit("so", None),
        unit("phuong", "so", commune_code="99001"),
        unit("thcs", "phuong", commune_code="99001"),
        unit("co-so-2", "thcs", commune_code="99001"),
        unit("xa", "so", commune_code="99002"),
        unit("tieu-hoc-xa", "xa", commune_code="99002"),
        # Stands in the ward, is managed by the department.
        unit("thpt", "so", commune_code="99001"),
        # Merged into the ward; its codes live on.
        unit("phuong-cu", "so", commune_code="99003", succeeded_by="phuong"),
    ]
)


def officer(*roles):
    held = tuple(Held(unit_code, role) for unit_code, role in roles)
    return Officer("id", "lan@vangiang.edu.vn", "Bà", "Lê Lan", "", "", "active", held)


def expected(role, action, relation):
    if relation == "own unit":
        return role in OWN.get(action, set()) | BELOW.get(action, set())
    return relation in ("child unit", "grandchild") and role in BELOW.get(action, set())


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_the_matrix(role, action):
    her = officer(("phuong", role))
    found = {relation: her.may(action, code, TREE) for relation, code in RELATIONS.items()}
    assert found == {relation: expected(role, action, relation) for relation in RELATIONS}


def test_the_matrix_forgets_no_action_and_no_role():
    assert {*OWN, *BELOW} == set(RULES) == set(ACTIONS)
    assert set().union(*OWN.values(), *BELOW.values()) == set(ROLES) == set(get_args(Role))


@pytest.mark.parametrize("role", ROLES)
def test_a_ward_sees_nothing_of_a_school_that_the_department_manages(role):
    her = officer(("phuong", role))
    assert TREE.find("thpt").commune_code == TREE.find("phuong").commune_code
    assert not any(her.may(action, "thpt", TREE) for action in ACTIONS)
    assert not any("thpt" in her.units_where(action, TREE) for action in ACTIONS)


def test_no_role_no_right():
    assert not any(officer().may(action, code, TREE) for action in ACTIONS for code in RELATIONS.values())


def test_a_role_of_a_merged_unit_is_one_of_its_successor_and_the_other_way_round():
    before, after = officer(("phuong-cu", "editor")), officer(("phuong", "editor"))
    assert before.may("prepare_exam", "phuong", TREE)
    assert after.may("prepare_exam", "phuong-cu", TREE)
    assert officer(("so", "administrator")).may("manage_officers", "phuong-cu", TREE)


def test_who_may_not_is_told_so():
    with pytest.raises(NotPermitted):
        officer(("phuong", "editor")).require("approve", "phuong", TREE)


def test_only_the_editor_sees_candidates_names():
    assert RULES["read_personal_data"].roles == {"editor"}
    assert not RULES["read_personal_data"].below


@given(st.sets(st.sampled_from(ROLES)))
def test_whoever_checks_or_operates_does_nothing_else(roles):
    together = go_together(roles)
    assert together == (len(roles) < 2 or not roles & {"auditor", "operator"})
    assert {"auditor", "operator"} == ALONE


@given(st.sets(st.tuples(st.sampled_from(sorted(RELATIONS.values())), st.sampled_from(ROLES)), max_size=4))
def test_several_roles_allow_what_each_of_them_allows_and_nothing_more(roles):
    her = officer(*roles)
    for action in ACTIONS:
        for code in RELATIONS.values():
            assert her.may(action, code, TREE) == any(officer(each).may(action, code, TREE) for each in roles)


def test_the_page_is_the_table_of_the_code():
    assert PAGE.read_text(encoding="utf-8") == role_table()
