"""Deputies (ủy quyền): who decides for an absent approver, from one day to another."""

from datetime import datetime

import msgspec

from kit import sql
from kit.sql import Database
from units.officers.officers import Officer
from units.officers.roles import ALONE
from units.unit_tree import UnitTree

deputies = sql.load(__file__, "deputies")


class StoodFor(msgspec.Struct, frozen=True):
    """An absent approver, and the unit (by its present code) in which somebody stands in for them."""

    officer_id: str
    unit_code: str


async def list_stood_for(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> list[StoodFor]:
    """Whom the officer stands in for today. A deputy of a deputy there is not: only roles can be delegated."""
    rows = await deputies.list_stood_for(database, deputy_id=officer.id, now=now)
    found = [StoodFor(row["absent_id"], tree.current(row["unit_code"]).code) for row in rows]
    return [each for each in found if may_stand_in(officer, each.unit_code, tree)]


def may_stand_in(officer: Officer, unit_code: str, tree: UnitTree) -> bool:
    """Whether the officer is of that unit or of the one that manages it, and not there to check or run the service."""
    places = {unit.code for unit in [tree.current(unit_code), *tree.managers(unit_code)[:1]]}
    held = [role for role in officer.roles if tree.current(role.unit_code).code in places]
    return officer.state == "active" and bool(held) and not any(role.role in ALONE for role in held)
