"""Who may do what: one table, and nothing else decides."""

from collections.abc import Mapping
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
    "read_record",
    "export_record",
    "operate",
]
ACTIONS: tuple[Action, ...] = get_args(Action)


class Rule(NamedTuple):
    """The roles that allow an action. `below`: also for the units that the officer's unit manages."""

    roles: frozenset[Role]
    below: bool


def _for(*roles: Role, below: bool) -> Rule:
    return Rule(frozenset(roles), below)


# Level-3 controls (docs/decisions): running, administering and securing are kept apart. A role of a unit reaches the
# units managed by it only where somebody above has to answer for them; it never follows the place where a unit stands.
RULES: Mapping[Action, Rule] = {
    "see_unit": _for(*ROLES, below=True),
    "describe_unit": _for("editor", "administrator", below=False),
    "change_units": _for("administrator", below=True),
    "see_officers": _for("administrator", "auditor", below=True),
    "manage_officers": _for("administrator", below=True),
    "see_exams": _for("editor", "approver", "administrator", "auditor", below=True),
    "prepare_exam": _for("editor", below=False),
    # Uploaded files, lists of mistakes, lookup codes: what names candidates.
    "read_personal_data": _for("editor", below=False),
    "approve": _for("approver", below=True),
    "delegate_approval": _for("approver", below=False),
    "take_down": _for("approver", "administrator", below=True),
    "read_record": _for("auditor", below=True),
    "export_record": _for("auditor", below=True),
    # Switches of the whole service; no personal data.
    "operate": _for("operator", below=False),
}

# Whoever checks the record, or runs the machines, holds nothing else in that unit.
ALONE: frozenset[Role] = frozenset({"auditor", "operator"})
# The department's own.
ROOT_ONLY: frozenset[Role] = frozenset({"operator"})
