"""`baodanh unit`: who takes part."""

import asyncio
import os
import sys

from cyclopts import App

from kit.clock import utc_now
from server.running.service import connect
from server.settings import load_settings
from units import units
from units.record.entries import COMMAND
from units.unit_history import add_unit
from units.units import Unit

app = App(name="unit", help="Departments, communes and schools.")


@app.command(name="list")
def list_all() -> None:
    """One unit a line: code, kind, who manages it, name."""

    async def show() -> None:
        async with connect(load_settings(os.environ)) as connection:
            for unit in await units.list_units(connection):
                print(unit.code, unit.kind, unit.managed_by or "-", unit.name, sep="\t")

    asyncio.run(show())


@app.command
def describe(
    code: str,
    *,
    name: str | None = None,
    short_name: str | None = None,
    name_en: str | None = None,
    governing_body: str | None = None,
    responsible_person: str | None = None,
    address: str | None = None,
    hotline: str | None = None,
    email: str | None = None,
    website: str | None = None,
) -> None:
    """Change what every page of a unit says at its end; what is not given stays. The root unit is `so`."""
    facts = {fact: value for fact, value in locals().items() if fact != "code"}

    async def change() -> None:
        async with connect(load_settings(os.environ)) as connection:
            await units.describe_unit(connection, code, actor=COMMAND, now=utc_now(), **facts)

    asyncio.run(change())


@app.command
def add(
    code: str,
    *,
    kind: str,
    name: str,
    short_name: str | None = None,
    name_en: str = "",
    managed_by: str = "so",
    province_code: str | None = None,
    commune_code: str | None = None,
    governing_body: str = "",
    responsible_person: str = "",
    address: str = "",
    hotline: str = "",
    email: str = "",
    website: str | None = None,
) -> None:
    """Add a unit below the one that manages it."""
    unit = Unit(
        code, kind, name, short_name or name, name_en, managed_by, province_code, commune_code, governing_body,
        responsible_person, address, hotline, email, website,
    )  # fmt: skip

    async def store() -> None:
        async with connect(load_settings(os.environ)) as connection:
            await add_unit(connection, unit, actor=COMMAND, now=utc_now())

    asyncio.run(store())
    if sys.stdout.isatty():
        print(f"Unit {code} is there.")
