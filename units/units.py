"""A unit that takes part: its names, where it stands, and how the public reaches it."""

from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from kit.vietnamese import search_key
from units import places
from units.changes import Change, announce
from units.record.entries import Actor, write
from units.rule_words import rule_in_words

units = sql.load(__file__, "units")

# How a unit presents itself. Its name, its manager and its place are changed by decisions: units/history/decisions.py.
DESCRIBABLE = (
    "short_name", "name_en", "governing_body", "responsible_person", "address", "hotline", "email", "website",
)  # fmt: skip
_PLACE = ("province_code", "commune_code")
# A person's name does not go into the record.
_PERSONAL = "responsible_person"


class Unit(msgspec.Struct, frozen=True):
    """A department, commune or school. Codes are text; `commune_code` is where it stands, not who manages it."""

    code: str
    kind: str
    name: str
    short_name: str
    name_en: str
    managed_by: str | None
    province_code: str | None
    commune_code: str | None
    governing_body: str
    responsible_person: str
    address: str
    hotline: str
    email: str
    website: str | None
    closed_on: date | None = None
    succeeded_by: str | None = None
    # How its pages look: its own accent colour or else the root's, and the hash of its logo.
    accent: str | None = None
    logo: str | None = None


class UnitNotFound(DomainError):
    """No unit has this code."""

    code = "unit_not_found"
    status = 404


class UnitRefused(DomainError):
    """What was asked for breaks a rule about units; `rule` names it, `unit` is the code."""

    code = "unit_refused"
    status = 422

    def __init__(self, *, rule: str, **facts: Any) -> None:
        super().__init__(rule=rule, sentence=rule_in_words(rule, "vi"), **facts)


class UnitCodeTaken(DomainError):
    """Another unit has this code, or had it."""

    code = "unit_code_taken"
    status = 409


async def list_units(database: Database) -> list[Unit]:
    """Every unit, the root first."""
    return [Unit(*row) for row in await units.list_units(database)]


async def root_unit_code(database: Database) -> str:
    """The unit that owns whatever names no other owner."""
    return await units.find_root_unit_code(database)


async def describe_unit(
    transaction: asyncpg.Connection, code: str, *, actor: Actor, now: datetime, **facts: str | None
) -> bool:
    """Change how a unit presents itself; a fact that is None stays. Says whether anything is different now.

    Besides the describable facts there are two that somebody says once. `name`: who runs this service, so the root is
    named here as long as no decision stands about it; `province_code` and `commune_code`: where a unit stands of which
    that was not known. Later they change by `rename_unit` and `move_unit`. Raises UnitNotFound, UnitRefused,
    PlaceNotFound, CommuneElsewhere.
    """
    async with transaction.transaction():
        row = await units.lock_unit(transaction, code=code)
        if row is None:
            raise UnitNotFound(unit=code)
        told = {fact: value for fact, value in facts.items() if value is not None}
        if told.keys() & set(_PLACE):
            place = {fact: told.get(fact, row[fact]) for fact in _PLACE}
            if province := places.check(place["province_code"], place["commune_code"]):
                told["province_code"] = province
        changed = {fact: value for fact, value in told.items() if value != row[fact]}
        if not changed:
            return False
        if row["closed_on"]:
            raise UnitRefused(rule="a_closed_unit_stays_as_it_was", unit=code)
        if "name" in changed and (row["managed_by"] or await units.count_decisions(transaction, code=code)):
            raise UnitRefused(rule="a_name_is_changed_by_decision", unit=code)
        if any(row[fact] for fact in changed.keys() & set(_PLACE)):
            raise UnitRefused(rule="a_place_is_changed_by_decision", unit=code)
        await _store(transaction, code, dict(row) | changed)
        await write(transaction, actor, "unit.described", ("unit", code), unit=code, **_differences(row, changed))
        await announce(transaction, Change("unit", code, "described"), now)
    return True


async def _store(transaction: asyncpg.Connection, code: str, facts: dict[str, Any]) -> None:
    # A website may be given up; an empty one is none.
    described = {fact: facts[fact] for fact in ("name", *_PLACE, *DESCRIBABLE)} | {"website": facts["website"] or None}
    key = key_of(facts["name"], facts["short_name"])
    try:
        await units.describe_unit(transaction, code=code, search_key=key, **described)
    except asyncpg.CheckViolationError as violation:
        raise UnitRefused(rule=sql.broken_rule(violation), unit=code) from None


def key_of(name: str, short_name: str) -> str:
    """What a search compares: without marks, in small letters."""
    return search_key(f"{name} {short_name}")


def _differences(row: asyncpg.Record, changed: dict[str, Any]) -> dict[str, Any]:
    told = {fact: [row[fact], value] for fact, value in changed.items() if fact != _PERSONAL}
    return {"changes": told} | ({"withheld": [_PERSONAL]} if _PERSONAL in changed else {})
