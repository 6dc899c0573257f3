"""Units are founded, renamed, moved, merged and closed by decisions; what they own follows, and nothing is forgotten.

A decision takes effect when it is recorded: its day may lie in the past, never in the future. A unit that is split
stays, and the part that leaves is a new unit (`add_unit`) to which others are moved (`move_unit`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from kit import sql
from units import places
from units.changes import Change, announce
from units.history.events import (
    Decision,
    FormerName,
    FoundUnit,
    UnitEvent,
    What,
    add_event,
    find_units_by_name,
    list_events,
    list_former_names,
)
from units.history.inheritance import hand_over, hand_up_approvals
from units.history.rules import (
    Row,
    check_closing,
    check_foundings,
    check_merger,
    check_new_manager,
    list_open_below,
    lock_for_change,
    lock_tree,
    refuse,
)
from units.record.actions import Action
from units.record.entries import Actor, write
from units.units import Unit, UnitRefused, key_of

__all__ = [
    "Decision", "FormerName", "FoundUnit", "Founding", "UnitEvent", "add_unit", "add_units", "close_unit",
    "find_units_by_name", "list_events", "list_former_names", "merge_units", "move_unit", "rename_unit",
]  # fmt: skip

history = sql.load(__file__, "decisions")

_FOUNDED = ("name", "kind", "managed_by", "province_code", "commune_code", "address")
_NAMES = ("name", "short_name", "name_en")
_PLACE = ("managed_by", "province_code", "commune_code", "address")


class Founding(msgspec.Struct, frozen=True):
    """A unit that is to be, and the decision that founds it; None: it was there before it was put on record."""

    unit: Unit
    decision: Decision | None = None


async def add_unit(
    transaction: asyncpg.Connection, unit: Unit, *, decision: Decision | None = None, actor: Actor, now: datetime
) -> None:
    """Add a unit below the one that manages it.

    Raises UnitCodeTaken, UnitNotFound (no such manager), UnitRefused, PlaceNotFound.
    """
    async with transaction.transaction():
        await add_units(transaction, [Founding(unit, decision)], actor=actor, now=now)
        await announce(transaction, Change("unit", unit.code, "added"), now)


async def add_units(
    transaction: asyncpg.Connection, foundings: Sequence[Founding], *, actor: Actor, now: datetime
) -> None:
    """Add units that may manage one another, all or none; errors as in `add_unit`. The caller announces the change."""
    async with transaction.transaction():
        await lock_tree(transaction)
        managers = {founding.unit.code: founding.unit.managed_by for founding in foundings}
        await check_foundings(transaction, managers, {f.unit.code: f.decision for f in foundings}, now)
        facts = msgspec.json.encode([_founding_facts(founding) for founding in foundings]).decode()
        try:
            await history.add_units(transaction, units=facts)
        except asyncpg.IntegrityConstraintViolationError as violation:
            raise UnitRefused(rule=sql.broken_rule(violation), unit=foundings[0].unit.code) from None
        await history.add_foundings(transaction, units=facts, made_at=now)
        for founding in foundings:
            code, told = founding.unit.code, _told(founding.decision)
            await write(transaction, actor, "unit.added", ("unit", code), unit=code, **told)


async def rename_unit(
    transaction: asyncpg.Connection,
    code: str,
    name: str,
    *,
    short_name: str | None = None,
    name_en: str = "",
    decision: Decision,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a unit another name; the former one stays findable. Without a short name the whole one serves.

    Raises UnitNotFound, UnitRefused.
    """
    names = {"name": name.strip(), "short_name": (short_name or name).strip(), "name_en": name_en.strip()}
    async with transaction.transaction():
        unit = await lock_for_change(transaction, code, decision, now)
        refuse(not names["name"], "unit_has_a_name", code)
        refuse(names["name"] == unit["name"], "nothing_would_change", code)
        before, after = _differences(unit, names)
        event = await add_event(transaction, code, "renamed", decision, before, after, now=now)
        former = {fact: unit[fact] for fact in _NAMES}
        await history.add_former_name(
            transaction,
            unit_code=code,
            until=decision.on,
            event_id=event,
            search_key=key_of(unit["name"], unit["short_name"]),
            **former,
        )
        key = key_of(names["name"], names["short_name"])
        await history.mark_renamed(transaction, code=code, search_key=key, **names)
        await _Steps(transaction, decision, actor, now).tell(code, "renamed", changes=_pairs(before, after))


async def move_unit(
    transaction: asyncpg.Connection,
    code: str,
    *,
    managed_by: str | None = None,
    province_code: str | None = None,
    commune_code: str | None = None,
    address: str | None = None,
    decision: Decision,
    actor: Actor,
    now: datetime,
) -> None:
    """Give a unit another manager, another place, or both; what is None stays.

    Raises UnitNotFound (the unit or its manager), UnitRefused, PlaceNotFound.
    """
    target = {"managed_by": managed_by, "address": address}
    target = {fact: value for fact, value in target.items() if value is not None}
    if province_code or commune_code:
        # Who names just a province has left the commune.
        target |= {"province_code": places.check(province_code, commune_code), "commune_code": commune_code}
    async with transaction.transaction():
        unit = await lock_for_change(transaction, code, decision, now)
        await _Steps(transaction, decision, actor, now).move(unit, target)


async def merge_units(
    transaction: asyncpg.Connection,
    codes: Sequence[str],
    into: str,
    *,
    decision: Decision,
    actor: Actor,
    now: datetime,
) -> None:
    """Close units and let another one answer for them: the units they manage, their officers and what waits follow.

    Exams and pages follow by themselves, since a closed unit leads to its successor. Raises UnitNotFound, UnitRefused.
    """
    codes = list(dict.fromkeys(codes))
    steps = _Steps(transaction, decision, actor, now)
    async with transaction.transaction():
        await lock_for_change(transaction, into, decision, now)
        sources = [await lock_for_change(transaction, code, decision, now) for code in codes]
        check_merger(sources, into)
        for code in await list_open_below(transaction, codes):
            await steps.move(await lock_for_change(transaction, code, decision, now), {"managed_by": into})
        await history.mark_closed(transaction, codes=codes, closed_on=decision.on, succeeded_by=into)
        for code in codes:
            await steps.end(code, "merged", successor=into)
        await hand_over(transaction, codes, into, actor=actor, now=now)


async def close_unit(
    transaction: asyncpg.Connection, code: str, *, decision: Decision, actor: Actor, now: datetime
) -> None:
    """Close a unit that nobody succeeds; its code and names stay. What waited for its approver goes to its manager.

    Raises UnitNotFound, UnitRefused: units below it are moved or merged first.
    """
    async with transaction.transaction():
        unit = await lock_for_change(transaction, code, decision, now)
        await check_closing(transaction, unit)
        await history.mark_closed(transaction, codes=[code], closed_on=decision.on, succeeded_by=None)
        await hand_up_approvals(transaction, code, unit["managed_by"], now)
        await _Steps(transaction, decision, actor, now).end(code, "closed")


# What is told of each kind of event to the record.
_ACTIONS: dict[What, Action] = {
    "added": "unit.added",
    "renamed": "unit.renamed",
    "moved": "unit.moved",
    "merged": "unit.merged",
    "closed": "unit.closed",
}


class _Steps:
    """A decision as it is carried out: each step is an event, an entry of the record, and a change for every node."""

    def __init__(self, transaction: asyncpg.Connection, decision: Decision, actor: Actor, now: datetime) -> None:
        self._transaction, self._decision, self._actor, self._now = transaction, decision, actor, now

    async def move(self, unit: Row, target: Mapping[str, Any]) -> None:
        code = unit["code"]
        before, after = _differences(unit, target)
        refuse(not after, "nothing_would_change", code)
        if "managed_by" in after:
            await check_new_manager(self._transaction, unit, after["managed_by"])
        place = {fact: unit[fact] for fact in _PLACE} | after
        try:
            await history.mark_moved(self._transaction, code=code, **place)
        except asyncpg.CheckViolationError as violation:
            raise UnitRefused(rule=sql.broken_rule(violation), unit=code) from None
        await add_event(self._transaction, code, "moved", self._decision, before, after, now=self._now)
        await self.tell(code, "moved", changes=_pairs(before, after))

    async def end(self, code: str, what: What, successor: str | None = None) -> None:
        await add_event(self._transaction, code, what, self._decision, {}, {}, now=self._now, successor=successor)
        await self.tell(code, what, **({"into": successor} if successor else {}))

    async def tell(self, code: str, what: What, **details: Any) -> None:
        told = _told(self._decision) | details
        await write(self._transaction, self._actor, _ACTIONS[what], ("unit", code), unit=code, **told)
        await announce(self._transaction, Change("unit", code, what), self._now)


def _founding_facts(founding: Founding) -> dict[str, Any]:
    unit, decision = founding.unit, founding.decision
    province = places.check(unit.province_code, unit.commune_code)
    unit = msgspec.structs.replace(unit, province_code=province)
    return msgspec.structs.asdict(unit) | {
        "search_key": key_of(unit.name, unit.short_name),
        "decision_number": decision.number.strip() if decision else None,
        "effective_on": decision.on if decision else None,
        "facts": {fact: getattr(unit, fact) for fact in _FOUNDED},
    }


def _told(decision: Decision | None) -> dict[str, Any]:
    return {"decision": decision.number.strip(), "on": decision.on} if decision else {}


def _differences(unit: Row, target: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    changed = [fact for fact, value in target.items() if unit[fact] != value]
    return {fact: unit[fact] for fact in changed}, {fact: target[fact] for fact in changed}


def _pairs(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {fact: [before[fact], after[fact]] for fact in after}
