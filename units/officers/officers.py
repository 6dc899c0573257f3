"""An officer: a person of one or more units, with a public card and roles."""

from typing import Any, Literal

import msgspec

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from units.officers.roles import RULES, Action, Role
from units.unit_tree import UnitTree

officers = sql.load(__file__, "officers")

State = Literal["invited", "active", "asleep", "disabled"]


class NotPermitted(DomainError):
    """The officer's roles do not allow this."""

    code = "not_permitted"
    status = 403


class OfficerNotFound(DomainError):
    """No officer has this id or address, or none that you may see."""

    code = "officer_not_found"
    status = 404


class Held(msgspec.Struct, frozen=True):
    """A role held for a unit."""

    unit_code: str
    role: Role


class Officer(msgspec.Struct, frozen=True):
    """Who they are to others. `id` is a UUID as text; `salutation` is Ông, Bà, Thầy or Cô."""

    id: str
    email: str
    salutation: str
    full_name: str
    position: str
    office_phone: str
    state: State
    roles: tuple[Held, ...]

    @property
    def name(self) -> str:
        """How pages call them: `Thầy Trần Quốc Hùng`, or the address before they have told their name."""
        return f"{self.salutation} {self.full_name}".strip() if self.full_name else self.email

    def may(self, action: Action, unit_code: str, tree: UnitTree) -> bool:
        """Whether one of the roles allows the action for the unit (by its code, old or new)."""
        rule = RULES[action]
        current = tree.current(unit_code).code
        return any(
            tree.is_at_or_below(current, tree.current(held.unit_code).code)
            if held.role in rule.below
            else held.role in rule.roles and tree.current(held.unit_code).code == current
            for held in self.roles
        )

    def does(self, action: Action) -> bool:
        """Whether one of the roles allows the action for some unit: what navigation shows, never a permission."""
        return any(held.role in RULES[action].roles for held in self.roles)

    def require(self, action: Action, unit_code: str, tree: UnitTree) -> None:
        """Raises NotPermitted unless `may`."""
        if not self.may(action, unit_code, tree):
            raise NotPermitted

    def units_where(self, action: Action, tree: UnitTree) -> list[str]:
        """Codes of the open units for which the officer may do this, in the tree's order."""
        return [unit.code for unit in tree if unit.closed_on is None and self.may(action, unit.code, tree)]


def read_officer(row: Any) -> Officer:
    """An Officer from a row of `find_officer` and its like; `roles` there is a JSON array of unit and role."""
    return Officer(
        id=str(row["id"]),
        email=row["email"],
        salutation=row["salutation"],
        full_name=row["full_name"],
        position=row["position"],
        office_phone=row["office_phone"],
        state=row["state"],
        roles=tuple(msgspec.json.decode(row["roles"], type=list[Held])),
    )


async def find_officer(database: Database, officer_id: str) -> Officer:
    """One officer by id. Raises OfficerNotFound."""
    row = await officers.find_officer(database, officer_id=officer_id)
    if row is None:
        raise OfficerNotFound
    return read_officer(row)


async def find_officers(database: Database, ids: list[str]) -> dict[str, Officer]:
    """Officers by their ids; ids that nobody has are left out."""
    return {str(row["id"]): read_officer(row) for row in await officers.list_officers_by_id(database, ids=ids)}


async def find_all_officers(database: Database) -> list[Officer]:
    """Everybody, by address; whoever has left too."""
    return [read_officer(row) for row in await officers.list_officers(database)]
