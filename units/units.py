"""A unit that takes part: its names, where it stands, and how the public reaches it."""

from datetime import date, datetime

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from units.changes import Change, announce

units = sql.load(__file__, "units")

_DESCRIBABLE = (
    "name", "short_name", "name_en", "governing_body", "responsible_person", "address", "hotline", "email", "website",
)  # fmt: skip
_ADDED = ("code", "kind", "managed_by", "province_code", "commune_code", *_DESCRIBABLE)


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
    """A unit's facts break a rule of the database; `rule` names it."""

    code = "unit_refused"
    status = 422


class UnitCodeTaken(DomainError):
    """Another unit has this code."""

    code = "unit_code_taken"
    status = 409


async def list_units(database: Database) -> list[Unit]:
    """Every unit, the root first."""
    return [Unit(**row) for row in await units.list_units(database)]


async def root_unit_code(database: Database) -> str:
    """The unit that owns whatever names no other owner."""
    return await units.find_root_unit_code(database)


async def add_unit(connection: asyncpg.Connection, unit: Unit, now: datetime) -> None:
    """Add a unit below the one that manages it; UnitCodeTaken, UnitRefused, UnitNotFound (no such managing unit)."""
    try:
        async with connection.transaction():
            await units.add_unit(connection, **{fact: getattr(unit, fact) for fact in _ADDED})
            await announce(connection, Change("unit", unit.code, "added"), now)
    except asyncpg.UniqueViolationError:
        raise UnitCodeTaken(unit=unit.code) from None
    except asyncpg.ForeignKeyViolationError:
        raise UnitNotFound(unit=unit.managed_by) from None
    except asyncpg.CheckViolationError as violation:
        raise UnitRefused(rule=sql.broken_rule(violation)) from None


async def describe_unit(connection: asyncpg.Connection, code: str, now: datetime, **facts: str | None) -> None:
    """Change how a unit presents itself; a fact that is None stays as it stands. Raises UnitNotFound."""
    described = dict.fromkeys(_DESCRIBABLE) | facts
    async with connection.transaction():
        if await units.describe_unit(connection, code=code, **described) == "UPDATE 0":
            raise UnitNotFound(unit=code)
        await announce(connection, Change("unit", code, "described"), now)
