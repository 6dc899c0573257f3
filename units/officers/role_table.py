"""The table of roles as people read it: `python -m units.officers.role_table > docs/roles.md` writes it anew."""

from units.officers.roles import ACTIONS, ROLE_NAMES, ROLES, RULES, Action, Role

_ACTION_NAMES: dict[Action, tuple[str, str]] = {
    "see_unit": ("xem thông tin quản lý của đơn vị", "see a unit in the officers' area"),
    "describe_unit": ("biên tập trang của đơn vị", "prepare the unit's page, look and editorial board"),
    "change_units": ("thêm, đổi tên, sáp nhập, đóng đơn vị", "add, rename, move, merge and close units"),
    "see_officers": ("xem danh sách cán bộ", "see the unit's officers"),
    "manage_officers": ("mời cán bộ, giao và thu hồi vai trò", "invite officers, grant and revoke roles, disable"),
    "see_exams": ("xem kỳ thi chưa công bố", "see exams before they are public, without names"),
    "prepare_exam": ("tạo kỳ thi, nhập kết quả, trình duyệt", "create exams, upload results, hand in for approval"),
    "read_personal_data": ("xem dữ liệu có tên thí sinh", "see files, mistakes and lookup codes of candidates"),
    "approve": ("phê duyệt, trả lại", "approve or return what another has prepared"),
    "delegate_approval": ("ủy quyền phê duyệt", "let another approve in one's absence"),
    "take_down": ("gỡ bỏ thông tin đã công bố", "take down what is public"),
    "hold_key": ("lấy mã mở dự phòng", "fetch the key of a coming release on paper"),
    "read_record": ("tra cứu nhật ký hệ thống", "search the record"),
    "export_record": ("xuất nhật ký hệ thống", "export the record"),
    "operate": ("vận hành hệ thống", "switches of the whole service, no personal data"),
}

_HEAD = """\
# Who may do what

*Printed from `RULES` in `units/officers/roles.py`, the one place that decides; a test compares the two, another walks
every cell: `tests/units/officers/test_role_matrix.py`. To write it anew:
`python -m units.officers.role_table > docs/roles.md`.*

An officer holds roles, each for one unit. **own**: for that unit (*đơn vị mình*). **below**: for that unit and every
unit managed by it, directly or through others (*đơn vị mình và các đơn vị trực thuộc*). Nothing reaches upwards or
sideways, and nothing follows the place where a unit stands: an officer of a ward sees nothing of an upper secondary
school in it, because the department manages that school.
"""

_TAIL = """
- The auditor and the operator hold no other role in the same unit (*không kiêm nhiệm trong cùng đơn vị*); the database
  refuses it. The operator belongs to the department alone.
- Nobody gives roles to themselves, and nobody approves their own work: both are refused, whatever the roles.
- Mail domains of a unit are set by administrators of a unit above it.
- Ending an account or setting up its two factors anew wants `manage_officers` for every unit in which its officer
  holds a role.
"""


def role_table() -> str:
    """docs/roles.md, whole."""
    columns = ["", *(f"{vietnamese}<br>*{english}*" for vietnamese, english in map(ROLE_NAMES.__getitem__, ROLES))]
    rows = [[_action(action), *(_reach(action, role) for role in ROLES)] for action in ACTIONS]
    lines = [columns, ["---"] * len(columns), *rows]
    return _HEAD + "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n" + _TAIL


def _action(action: Action) -> str:
    vietnamese, english = _ACTION_NAMES[action]
    return f"`{action}`: {vietnamese}<br>*{english}*"


def _reach(action: Action, role: Role) -> str:
    rule = RULES[action]
    return "below" if role in rule.below else "own" if role in rule.roles else ""


if __name__ == "__main__":
    print(role_table(), end="")  # noqa: T201 - that is what it is for
