"""Units and officers for tests, and a way to come in as one of them."""

from datetime import datetime

import asyncpg
import httpx
from argon2 import PasswordHasher

from kit.keys import KeyRing
from tests.people import MORNING
from units.history.decisions import add_unit
from units.officers import sessions, two_factor
from units.officers.officers import Officer, find_officer
from units.officers.roles import Role
from units.officers.sessions import COOKIE
from units.record.entries import COMMAND
from units.units import Unit

# One hash for all: making one takes a tenth of a second.
PASSWORD = "mùa thu lá vàng rơi 2026"
_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
# What everybody's authenticator holds.
TOTP_SECRET = b"a secret of 20 bytes"


async def given_unit(connection, code: str, *, kind: str = "upper-secondary", managed_by: str = "so", **facts) -> Unit:
    """A unit below `managed_by`; its name is its code unless told."""
    unit = Unit(
        code=code,
        kind=kind,
        name=facts.get("name", f"Trường {code}"),
        short_name=facts.get("short_name", code),
        name_en="",
        managed_by=managed_by,
        province_code=facts.get("province_code"),
        commune_code=facts.get("commune_code"),
        governing_body="",
        responsible_person="",
        address="",
        hotline="",
        email="",
        website=None,
    )
    await add_unit(connection, unit, actor=COMMAND, now=MORNING)
    return unit


async def given_officer(connection, name: str, *roles: tuple[str, Role], **facts) -> Officer:
    """An active officer who holds `roles`, pairs of unit code and role; `name` makes the address.

    With `keys` (the service's KeyRing) she can sign in herself: PASSWORD and `code_at` are her two factors.
    """
    officer_id = await connection.fetchval(
        "insert into units.officers (email, salutation, full_name, position, state, password_hash, password_changed_at,"
        " totp_secret, created_at, last_signed_in_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $7, $7)"
        " returning id::text",
        facts.get("email", f"{name}@vangiang.edu.vn"),
        facts.get("salutation", "Bà"),
        facts.get("full_name", name),
        facts.get("position", "Chuyên viên"),
        facts.get("state", "active"),
        _HASH,
        MORNING,
        facts.get("totp_secret", b"not used"),
    )
    if keys := facts.get("keys"):
        await connection.execute(
            "update units.officers set totp_secret = $2 where id = $1::text::uuid",
            officer_id, two_factor.seal(keys, officer_id, TOTP_SECRET),
        )  # fmt: skip
    for unit_code, role in roles:
        await connection.execute(
            "insert into units.officer_roles (officer_id, unit_code, role, granted_at)"
            " values ($1::text::uuid, $2, $3, $4)",
            officer_id, unit_code, role, MORNING,
        )  # fmt: skip
    return await find_officer(connection, officer_id)


def keys_of(settings) -> KeyRing:
    """The keys of the service with these settings."""
    return KeyRing(settings.keys_folder)


def code_at(now: datetime, *, steps: int = 0) -> str:
    """What the authenticator shows then, or so many steps later."""
    return two_factor.code_of(TOTP_SECRET, int(now.timestamp()) // two_factor.STEP_SECONDS + steps)


class Desk(httpx.AsyncClient):
    """The browserless client of a signed-in officer; `csrf` is what her forms carry."""

    officer: Officer
    csrf: str

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Post a form as her own page would."""
        return await self.post(
            path, data={"csrf": self.csrf, **fields}, headers={"Origin": str(self.base_url).rstrip("/")}
        )


async def signed_in(service, officer: Officer, *, now: datetime = MORNING, address: str = "203.0.113.7") -> Desk:
    """A session of hers that began at `now`; the client is closed with the service's others."""
    connection = await asyncpg.connect(service.settings.database_url)
    try:
        secret = await sessions.begin(connection, officer.id, "full", address=address, device="test", now=now)
    finally:
        await connection.close()
    # httpx keeps __Host- cookies to itself on http.
    desk = service.visitor(address, headers={"Cookie": f"{COOKIE}={secret}"}, client=Desk)
    desk.officer, desk.csrf = officer, sessions.csrf_token(secret)
    return desk
