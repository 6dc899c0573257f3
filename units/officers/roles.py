"""Who may do what: one table, and nothing else decides."""

from collections.abc import Collection, Mapping
from typing import Literal, NamedTuple, get_args

Role = Literal["reviewer", "editor", "approver", "administrator", "auditor", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)

Action = Literal[
    "see_unit",
    "describe_unit",
    "change_units",
    "see_officers",
    "manage_officers",
    "see_exams",
    "prepare_exam",
    "read_personal_data",
    "approve",
    "delegate_approval",
    "take_down",
    "hold_key",
    "read_record",
    "export_record",
    "operate",
]
ACTIONS: tuple[Action, ...] = get_args(Action)


class Rule(NamedTuple):
    """The roles that allow an action for their own unit, and those of them that reach the units below it as well."""

    roles: frozenset[Role]
    below: frozenset[Role]


def _for(*own: Role, below: tuple[Role, ...] = ()) -> Rule:
    return Rule(frozenset((*own, *below)), frozenset(below))


# Level-3 controls (docs/decisions/0021): running, administering and securing are kept apart. A role of a unit reaches
# the units managed by it only where somebody above has to answer for them; it never follows the place where a unit
# stands. docs/roles.md is this table, printed.
RULES: Mapping[Action, Rule] = {
    "see_unit": _for(below=ROLES),
    "describe_unit": _for("editor", "administrator"),
    "change_units": _for(below=("administrator",)),
    "see_officers": _for(below=("administrator", "auditor")),
    "manage_officers": _for(below=("administrator",)),
    # Preparing stays in the unit; whoever approves, takes down or checks for another sees what it is about.
    "see_exams": _for("editor", below=("approver", "administrator", "auditor")),
    "prepare_exam": _for("editor"),
    # Uploaded files, lists of mistakes, lookup codes: what names candidates. Whoever approves sees counts.
    "read_personal_data": _for("editor"),
    "approve": _for(below=("approver",)),
    "delegate_approval": _for("approver"),
    "take_down": _for(below=("approver", "administrator")),
    # The key of a release on paper, before its moment.
    "hold_key": _for(below=("approver", "administrator")),
    "read_record": _for(below=("auditor",)),
    "export_record": _for(below=("auditor",)),
    # Switches of the whole service; no personal data.
    "operate": _for("operator"),
}

# Whoever checks the record, or runs the machines, holds nothing else in that unit.
ALONE: frozenset[Role] = frozenset({"auditor", "operator"})
# The department's own.
ROOT_ONLY: frozenset[Role] = frozenset({"operator"})

# What pages, letters and the documents call them: Vietnamese, English.
ROLE_NAMES: Mapping[Role, tuple[str, str]] = {
    "reviewer": ("Cán bộ tiếp nhận hồ sơ", "reviewer"),
    "editor": ("Biên tập viên", "editor"),
    "approver": ("Người phê duyệt", "approver"),
    "administrator": ("Quản trị viên", "administrator"),
    "auditor": ("Người kiểm tra nhật ký", "auditor"),
    "operator": ("Tổ kỹ thuật", "operator"),
}


def go_together(roles: Collection[Role]) -> bool:
    """Whether one person may hold all these in one unit."""
    return len(set(roles)) < 2 or not ALONE.intersection(roles)  # noqa: PLR2004 - one goes with itself
