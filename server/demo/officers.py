"""The invented staff of the demo: whoever started it can sign in as any of them, and nobody else can."""

import base64
import hmac
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path

import asyncpg
import msgspec
from argon2 import PasswordHasher

from kit import sql
from kit.errors import UsageError
from kit.keys import KeyRing
from units.officers import two_factor
from units.officers.allowed_domains import set_domains
from units.officers.roles import ROLE_NAMES
from units.officers.staffing import read_role
from units.record.entries import COMMAND, write
from units.unit_tree import UnitTree
from units.units import list_units

officers = sql.load(__file__, "officers")

# The passwords are random, 60 bits each: a hash need not be slow to protect them. Signing in makes it anew.
_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
_SECRET = 20


class _Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    salutation: str
    full_name: str
    position: str
    office_phone: str
    roles: tuple[str, ...]
    shown: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    domain: str
    officer: tuple[_Told, ...]


class DemoSignIn(msgspec.Struct, frozen=True):
    """How to sign in as one of them: address, password, and the code of this moment, which works once."""

    email: str
    roles: str
    password: str
    code: str
    shown: bool

    def __repr__(self) -> str:
        """Without what lets somebody in: it ends up in tracebacks."""
        return f"DemoSignIn({self.email!r})"


async def add_officers(connection: asyncpg.Connection, keys: KeyRing, now: datetime) -> None:
    """Staff the demo's units. Passwords and authenticators follow from this installation's own key `demo`."""
    told = _told()
    tree = UnitTree(await list_units(connection))
    for unit in tree:
        await set_domains(connection, unit.code, [told.domain], by=None, tree=tree, actor=COMMAND)
    for each in told.officer:
        await _add_officer(connection, keys, each, now)


async def demo_sign_ins(connection: asyncpg.Connection, keys: KeyRing, now: datetime) -> list[DemoSignIn]:
    """How to sign in as those who are there and have changed neither password nor authenticator; else empty."""
    emails = {_address(each): each for each in _told().officer}
    rows = await officers.list_untouched(connection, emails=list(emails))
    found = {row["email"] for row in rows if _has_our_secret(keys, row)}
    step = int(now.timestamp()) // two_factor.STEP_SECONDS
    return [
        DemoSignIn(
            email=email,
            roles=", ".join(dict.fromkeys(ROLE_NAMES[read_role(role.split()[1])][1] for role in each.roles)),
            password=_password(keys, email),
            code=two_factor.code_of(_secret(keys, email), step),
            shown=each.shown,
        )
        for email, each in emails.items()
        if email in found
    ]


async def _add_officer(connection: asyncpg.Connection, keys: KeyRing, told: _Told, now: datetime) -> None:
    email = _address(told)
    officer_id = await officers.add_officer(
        connection,
        email=email,
        salutation=told.salutation,
        full_name=told.full_name,
        position=told.position,
        office_phone=told.office_phone,
        now=now,
    )
    for unit_code, role in (pair.split() for pair in told.roles):
        await officers.add_role(connection, officer_id=officer_id, unit_code=unit_code, role=role, now=now)
        await write(connection, COMMAND, "officer.role_granted", ("officer", officer_id), unit=unit_code, role=role)
    await officers.mark_active(
        connection,
        officer_id=officer_id,
        password_hash=_HASHER.hash(_password(keys, email)),
        totp_secret=two_factor.seal(keys, officer_id, _secret(keys, email)),
        now=now,
    )


def _has_our_secret(keys: KeyRing, row: asyncpg.Record) -> bool:
    # Keys may be gone or not be ours to make (KEYS_DIR): then nobody can tell how to sign in.
    try:
        return two_factor.unseal(keys, row["id"], row["totp_secret"]) == _secret(keys, row["email"])
    except (LookupError, UsageError):
        return False


@cache
def _told() -> _File:
    text = (Path(__file__).parent / "data" / "officers.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _File)


def _address(told: _Told) -> str:
    return f"{told.name}@{_told().domain}"


def _password(keys: KeyRing, email: str) -> str:
    """Twelve letters and digits in groups of four, easy to read off a terminal."""
    signs = base64.b32encode(_derived(keys, "password", email))[:12].decode().lower()
    return "-".join(signs[place : place + 4] for place in range(0, 12, 4))


def _secret(keys: KeyRing, email: str) -> bytes:
    return _derived(keys, "totp", email)[:_SECRET]


def _derived(keys: KeyRing, what: str, email: str) -> bytes:
    # The oldest: whoever rotates keys still finds the demo as it was.
    return hmac.digest(keys.all("demo")[-1].value, f"{what}\0{email}".encode(), "sha256")
