"""The invented province Vân Giang: its department, communes and schools, and what has happened to them."""

import tomllib
from datetime import date, datetime
from pathlib import Path

import asyncpg
import msgspec

from units.changes import Change, announce
from units.history.decisions import (
    Decision,
    Founding,
    add_units,
    close_unit,
    merge_units,
    move_unit,
    rename_unit,
)
from units.record.entries import SERVICE
from units.units import Unit, describe_unit, list_units, root_unit_code

# No province has it.
_PROVINCE = "99"


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A decision, and one thing that it does."""

    number: str
    on: date
    rename: str | None = None
    name: str = ""
    short_name: str = ""
    name_en: str = ""
    move: tuple[str, ...] = ()
    managed_by: str | None = None
    merge: tuple[str, ...] = ()
    into: str = ""
    close: tuple[str, ...] = ()


async def add_department(connection: asyncpg.Connection, now: datetime) -> dict[str, Unit]:
    """Give the root unit its invented name, add the units below it with their history, and return all by code."""
    told = tomllib.loads((Path(__file__).parent / "data" / "units.toml").read_text(encoding="utf-8"))
    root = await root_unit_code(connection)
    await describe_unit(connection, root, actor=SERVICE, now=now, **told["root"])
    founded = [Founding(Unit(province_code=_PROVINCE, website=None, **unit)) for unit in told["unit"]]
    await add_units(connection, founded, actor=SERVICE, now=now)
    await announce(connection, Change("unit", root, "imported"), now)
    for decision in msgspec.convert(told["decision"], tuple[_Told, ...]):
        await _carry_out(connection, decision, now)
    return {unit.code: unit for unit in await list_units(connection)}


async def _carry_out(connection: asyncpg.Connection, told: _Told, now: datetime) -> None:
    decision = Decision(told.number, told.on)
    if told.rename:
        names = {"short_name": told.short_name, "name_en": told.name_en}
        await rename_unit(connection, told.rename, told.name, **names, decision=decision, actor=SERVICE, now=now)
    for code in told.move:
        await move_unit(connection, code, managed_by=told.managed_by, decision=decision, actor=SERVICE, now=now)
    if told.merge:
        await merge_units(connection, told.merge, told.into, decision=decision, actor=SERVICE, now=now)
    for code in told.close:
        await close_unit(connection, code, decision=decision, actor=SERVICE, now=now)
