"""Where the second person sits: in the unit itself, in the one that manages it, or further up where nobody else is."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from kit import sql
from kit.sql import Database
from units.unit_tree import UnitTree

places = sql.load(__file__, "places")

_TABLE: dict[str, dict[str, str]] = tomllib.loads(
    (Path(__file__).parent / "data" / "approval_places.toml").read_text(encoding="utf-8")
)


class Place(msgspec.Struct, frozen=True):
    """The unit in which a thing waits; `staffed` says whether anybody there could decide."""

    unit_code: str
    staffed: bool


class Approver(msgspec.Struct, frozen=True):
    """Somebody who may approve in a unit today."""

    unit_code: str
    officer_id: str
    email: str


def chain_of(tree: UnitTree, kind: str, unit_code: str) -> list[str]:
    """Codes of the units that may decide, the first choice first, the root last."""
    own, managers = tree.current(unit_code), [unit.code for unit in tree.managers(unit_code)]
    if managers and _TABLE.get(kind, {}).get(own.kind) == "managing":
        return managers
    return [own.code, *managers]


async def find_place(
    database: Database, tree: UnitTree, kind: str, unit_code: str, prepared_by: Collection[str]
) -> Place:
    """The nearest unit with an approver whose own work it is not; the root, unstaffed, if there is none up to it."""
    chain = chain_of(tree, kind, unit_code)
    approvers = await list_approvers(database, tree, chain, but=prepared_by)
    staffed = {approver.unit_code for approver in approvers}
    nearest = next((code for code in chain if code in staffed), None)
    return Place(nearest, staffed=True) if nearest else Place(chain[-1], staffed=False)


async def is_staffed(
    database: Database, tree: UnitTree, unit_code: str, kind: str, prepared_by: Collection[str] = ()
) -> bool:
    """Whether anybody could approve a thing of this kind, by its name, for the unit: there or further up."""
    return (await find_place(database, tree, kind, unit_code, prepared_by)).staffed


async def list_approvers(
    database: Database, tree: UnitTree, unit_codes: Collection[str], *, but: Collection[str] = ()
) -> list[Approver]:
    """Who may approve in these units today, by the units' present codes, without those whose own work it is."""
    rows: list[Any] = await places.list_approvers(database, unit_codes=all_codes(tree, unit_codes))
    return [
        Approver(tree.current(row["unit_code"]).code, row["officer_id"], row["email"])
        for row in rows
        if row["officer_id"] not in but
    ]


def all_codes(tree: UnitTree, unit_codes: Collection[str]) -> list[str]:
    """The codes of these units and of those whose successors they are: rows keep the code they were written with."""
    wanted = {tree.current(code).code for code in unit_codes}
    return [unit.code for unit in tree if tree.current(unit.code).code in wanted]
