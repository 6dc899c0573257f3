"""Open work finds other hands before an officer leaves a unit: listed, given to a successor, on the record."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Protocol

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.mail.post import Post
from kit.sql import Database
from units.officers.officers import Officer, read_officer
from units.officers.roles import Role
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

handover = sql.load(__file__, "handover")


class OpenItem(msgspec.Struct, frozen=True):
    """One piece of an officer's open work: by its id, named for people, with the page that shows it."""

    id: str
    unit_code: str
    title: str
    address: str | None = None


class OpenWork(Protocol):
    """A kind of work that an officer can leave open. All calls run in the caller's transaction."""

    name: str
    # For lists, in Vietnamese: "Việc đang chờ phê duyệt".
    title: str
    # What a successor must hold in the unit. None: nobody takes it over, it ends (a delegation).
    role: ClassVar[Role | None]

    async def list_open(
        self, transaction: Database, officer_id: str, unit_codes: Sequence[str], now: datetime
    ) -> list[OpenItem]:
        """What of it is the officer's in these units (codes old and new)."""
        ...

    async def hand_over(
        self,
        transaction: asyncpg.Connection,
        item: OpenItem,
        officer_id: str,
        to: str | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Give it to the officer `to`; None: nobody in the unit can take it, so it stays with the unit, or ends."""
        ...

    async def settle(self, transaction: asyncpg.Connection, tree: UnitTree, now: datetime, post: Post) -> None:
        """Somebody's roles have just gone: what waited for them alone finds somebody else."""
        ...


class SuccessorNeeded(DomainError):
    """Open work is left, somebody in the unit could take it over, and nobody was named."""

    code = "successor_needed"
    status = 409


class SuccessorUnfit(DomainError):
    """Whoever was named may not do this work in the unit."""

    code = "successor_unfit"
    status = 422


class Pile(msgspec.Struct, frozen=True):
    """Open work of one kind in one unit, and who could take it over; `field` names the choice in a form."""

    unit_code: str
    work: OpenWork
    items: list[OpenItem]
    successors: list[Officer]

    @property
    def field(self) -> str:
        """What a form calls the choice of a successor."""
        return f"nguoi-nhan-{self.work.name}-{self.unit_code}"

    @property
    def choices(self) -> list[tuple[str, str]]:
        """Successors as a form offers them: id and name, with the position where there is one."""
        return [(each.id, f"{each.name}, {each.position}".removesuffix(", ")) for each in self.successors]


async def find_piles(
    database: Database,
    works: Sequence[OpenWork],
    officer_id: str,
    unit_codes: Collection[str],
    tree: UnitTree,
    now: datetime,
) -> list[Pile]:
    """What the officer would leave behind in these units, kind by kind."""
    piles = []
    for unit_code in sorted({tree.current(code).code for code in unit_codes}):
        codes = _codes_of(tree, unit_code)
        for work in works:
            if items := await work.list_open(database, officer_id, codes, now):
                successors = await list_successors(database, codes, work.role, officer_id) if work.role else []
                piles.append(Pile(unit_code, work, items, successors))
    return piles


async def list_successors(database: Database, unit_codes: Sequence[str], role: Role, instead_of: str) -> list[Officer]:
    """Who holds the role in the unit today and can sign in, by name."""
    rows = await handover.list_holders(database, unit_codes=list(unit_codes), role=role, but=instead_of)
    return [read_officer(row) for row in rows]


async def hand_over(
    transaction: asyncpg.Connection,
    piles: Sequence[Pile],
    officer_id: str,
    choices: Mapping[str, str],
    actor: Actor,
    now: datetime,
) -> int:
    """Give each pile to whom `choices` names for its field. Returns how many pieces of work changed hands.

    Raises SuccessorNeeded where somebody could take it and nobody is named, SuccessorUnfit for anybody else. Where a
    unit has nobody for it the work is not in the way of leaving: it stays with the unit.
    """
    for pile in piles:
        successor = _chosen(pile, choices.get(pile.field) or None)
        for item in pile.items:
            await pile.work.hand_over(transaction, item, officer_id, successor, actor, now)
        await write(
            transaction, actor, "officer.handed_over", ("officer", officer_id), unit=pile.unit_code,
            work=pile.work.name, items=[item.id for item in pile.items], to=successor,
        )  # fmt: skip
    return sum(len(pile.items) for pile in piles)


async def settle(
    transaction: asyncpg.Connection, works: Sequence[OpenWork], tree: UnitTree, now: datetime, post: Post
) -> None:
    """After roles have gone: each kind of work sees to what waited for whoever held them."""
    for work in works:
        await work.settle(transaction, tree, now, post)


def _chosen(pile: Pile, named: str | None) -> str | None:
    fitting = {officer.id for officer in pile.successors}
    if named and named not in fitting:
        raise SuccessorUnfit(unit=pile.unit_code)
    if fitting and not named:
        raise SuccessorNeeded(unit=pile.unit_code, count=len(pile.items))
    return named


def _codes_of(tree: UnitTree, unit_code: str) -> list[str]:
    """The unit's code, and those of the units that it has succeeded: rows keep the code they were written with."""
    return [unit.code for unit in tree if tree.current(unit.code).code == unit_code]
