"""Who works where, as far as somebody may know: the units of their reach, and everybody in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kit import sql
from kit.sql import Database
from kit.vietnamese import search_key, sort_key
from units.officers.officers import Held, NotPermitted, Officer, OfficerNotFound, read_officer
from units.officers.roles import ROLE_NAMES, ROLES, Role
from units.unit_tree import UnitTree
from units.units import Unit

staff_list = sql.load(__file__, "staff_list")

# A page shows so many people; whoever looks for one narrows the search.
MOST = 200

STATES: Mapping[str, tuple[str, str]] = {
    "active": ("Đang hoạt động", "good"),
    "invited": ("Đã mời", "wait"),
    "expired": ("Lời mời hết hạn", "wrong"),
    "set_up": ("Chờ thiết lập xác thực hai lớp", "wait"),
    "asleep": ("Tạm ngủ", "wait"),
    "disabled": ("Đã ngừng", "plain"),
}


class Member(msgspec.Struct, frozen=True):
    """An officer as those see her who administer her units."""

    officer: Officer
    created_at: datetime
    last_signed_in_at: datetime | None
    invited_at: datetime | None
    has_password: bool
    disabled_at: datetime | None
    disabled_because: str

    @property
    def state(self) -> str:
        """The account's state, with what an invitation that waits is waiting for; a word of STATES."""
        if self.officer.state != "invited":
            return self.officer.state
        return "set_up" if self.has_password else "invited" if self.invited_at else "expired"

    def roles_in(self, unit_code: str, tree: UnitTree) -> list[Role]:
        """What she is in the unit that answers for this code."""
        held = {each.role for each in self.officer.roles if tree.current(each.unit_code).code == unit_code}
        return [role for role in ROLES if role in held]


class Wanted(msgspec.Struct, frozen=True):
    """What somebody looks for among the staff; empty means whatever."""

    text: str = ""
    unit: str = ""
    role: str = ""
    state: str = ""

    def fits(self, member: Member, unit: Unit, tree: UnitTree) -> bool:
        """Whether the member is to be shown under the unit."""
        if self.unit and self.unit != unit.code:
            return False
        if self.state and self.state != member.state:
            return False
        if self.role and self.role not in member.roles_in(unit.code, tree):
            return False
        key = search_key(self.text)
        officer = member.officer
        texts = (officer.name, officer.email, officer.position, unit.name)
        return not key or any(key in search_key(text) for text in texts)

    def of(self, staff: "UnitStaff", tree: UnitTree) -> "UnitStaff":
        """Those of a unit's staff who are wanted."""
        return UnitStaff(staff.unit, [member for member in staff.members if self.fits(member, staff.unit, tree)])


class UnitStaff(msgspec.Struct, frozen=True):
    """A unit and who works there."""

    unit: Unit
    members: list[Member]


async def list_staff(database: Database, viewer: Officer, tree: UnitTree) -> list[UnitStaff]:
    """Everybody whom the viewer may see, unit by unit. Raises NotPermitted where she may see nobody."""
    units = seen_units(viewer, tree)
    rows = await staff_list.list_members(database, unit_codes=_all_codes(units, tree))
    by_unit: dict[str, list[Member]] = {unit.code: [] for unit in units}
    for member in sorted((_read_member(row) for row in rows), key=_by_given_name):
        for code in {tree.current(held.unit_code).code for held in member.officer.roles} & by_unit.keys():
            by_unit[code].append(member)
    return [UnitStaff(unit, by_unit[unit.code]) for unit in units if by_unit[unit.code]]


def seen_units(viewer: Officer, tree: UnitTree) -> list[Unit]:
    """The units whose staff the viewer may see. Raises NotPermitted for none."""
    units = [tree.find(code) for code in viewer.units_where("see_officers", tree)]
    if not units:
        raise NotPermitted
    return units


async def find_member(database: Database, viewer: Officer, officer_id: str, tree: UnitTree) -> Member:
    """One officer: of the viewer's units or below, or the viewer herself. Raises OfficerNotFound, as for nobody."""
    row = await staff_list.find_member(database, officer_id=officer_id)
    if row is None:
        raise OfficerNotFound
    member = _read_member(row)
    if member.officer.id != viewer.id and not seen_roles(viewer, member.officer, tree):
        raise OfficerNotFound
    return member


def seen_roles(viewer: Officer, officer: Officer, tree: UnitTree) -> list[Held]:
    """Those of her roles that the viewer may know of: what she is elsewhere is nobody's business here."""
    if viewer.id == officer.id:
        return list(officer.roles)
    return [held for held in officer.roles if viewer.may("see_officers", held.unit_code, tree)]


def count_states(staff: Sequence[UnitStaff]) -> list[tuple[str, str, int]]:
    """How many people are in each state: its word, its tone, the number; those that nobody is in are left out."""
    people = {member.officer.id: member.state for each in staff for member in each.members}
    counted = ((STATES[state], sum(1 for each in people.values() if each == state)) for state in STATES)
    return [(words[0], words[1], many) for words, many in counted if many]


def role_choices(unit: Unit | None = None) -> list[tuple[Role, str]]:
    """Roles with their Vietnamese names; the operator's only for the root."""
    return [(role, ROLE_NAMES[role][0]) for role in ROLES if role != "operator" or unit is None or not unit.managed_by]


def _by_given_name(member: Member) -> tuple[Any, ...]:
    """As lists of people are sorted in Vietnam: whoever has left at the end, the last word of the name first."""
    name = member.officer.full_name
    return member.officer.state == "disabled", sort_key(name.rpartition(" ")[2]), sort_key(name), member.officer.email


def _all_codes(units: Sequence[Unit], tree: UnitTree) -> list[str]:
    seen = {unit.code for unit in units}
    return [unit.code for unit in tree if tree.current(unit.code).code in seen]


def _read_member(row: Any) -> Member:
    return Member(
        officer=read_officer(row),
        created_at=row["created_at"],
        last_signed_in_at=row["last_signed_in_at"],
        invited_at=row["invited_at"],
        has_password=row["has_password"],
        disabled_at=row["disabled_at"],
        disabled_because=row["disabled_because"] or "",
    )
