"""The invented province Vân Giang: its department, two communes and four schools."""

import tomllib
from datetime import datetime
from pathlib import Path

import asyncpg

from units.record.entries import SERVICE
from units.unit_history import add_unit
from units.units import Unit, describe_unit, list_units, root_unit_code

# No province has it.
_PROVINCE = "99"


async def add_department(connection: asyncpg.Connection, now: datetime) -> dict[str, Unit]:
    """Give the root unit its invented name, add the units below it, and return all of them by code."""
    told = tomllib.loads((Path(__file__).parent / "data" / "units.toml").read_text(encoding="utf-8"))
    await describe_unit(connection, await root_unit_code(connection), actor=SERVICE, now=now, **told["root"])
    for unit in told["unit"]:
        await add_unit(connection, Unit(province_code=_PROVINCE, website=None, **unit), actor=SERVICE, now=now)
    return {unit.code: unit for unit in await list_units(connection)}
