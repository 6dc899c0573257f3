"""A password that others would not guess, and that was not used before."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

import asyncpg

from kit import sql
from kit.errors import FieldError, InvalidForm
from kit.sql import Database
from kit.vietnamese import nfc, search_key
from units.officers.hashing import PasswordHashing
from units.officers.officers import Officer

passwords = sql.load(__file__, "passwords")

SHORTEST, LONGEST = 8, 128
# Level-3 controls: the last ten are not used again.
REMEMBERED = 10

_OURS = Path(__file__).parent / "data" / "common_passwords.txt"
# `matkhau2026!` is `matkhau`.
_ENDING = re.compile(r"[^a-z]{0,5}$")
_LETTERS_THAT_DIFFER = 4
_SHORTEST_PERSONAL = 4


def normal(password: str) -> str:
    """The same password, however a keyboard put its letters together."""
    return nfc(password)


async def choose(database: Database, hashing: PasswordHashing, officer: Officer, typed: str, repeated: str) -> str:
    """The hash of a new password. Raises InvalidForm with everything that speaks against it."""
    password = normal(typed)
    errors = mistakes_in_both(officer, typed, repeated)
    if not errors and await _was_used(database, hashing, officer.id, password):
        errors.append(FieldError("password", "password_used_before", count=REMEMBERED))
    if errors:
        raise InvalidForm(errors)
    return await hashing.make(password)


async def store(transaction: asyncpg.Connection, officer_id: str, password_hash: str, now: datetime) -> None:
    """From now on it is the officer's. Other sessions are ended by whoever calls."""
    await passwords.change_password(transaction, officer_id=officer_id, hash=password_hash, now=now)
    await passwords.add_past_password(transaction, officer_id=officer_id, hash=password_hash, now=now)
    await passwords.end_past_passwords(transaction, officer_id=officer_id, kept=REMEMBERED)


async def renew_hash(database: Database, officer_id: str, old: str, new: str) -> None:
    """The same password under a better hash, unless it was changed meanwhile."""
    await passwords.change_outdated_hash(database, officer_id=officer_id, old=old, new=new)


async def exists(database: Database, officer_id: str) -> bool:
    """Whether the officer has chosen one."""
    return await passwords.find_password(database, officer_id=officer_id) is not None


async def is_right(database: Database, hashing: PasswordHashing, officer_id: str, typed: str) -> bool:
    """Whether it is the officer's password."""
    return await hashing.fits(
        await passwords.find_password(database, officer_id=officer_id), normal(typed)[: LONGEST + 1]
    )


def mistakes_in_both(officer: Officer, typed: str, repeated: str) -> list[FieldError]:
    """What is wrong with a new password as it was typed twice, whatever was used before."""
    errors = mistakes(normal(typed), officer.email, officer.full_name)
    if normal(repeated) != normal(typed):
        errors.append(FieldError("repeated", "password_repeated_wrong"))
    return errors


def mistakes(password: str, email: str, full_name: str) -> list[FieldError]:
    """What is wrong with a password, whoever chose it before."""
    if not password:
        return [FieldError("password", "required")]
    if len(password) < SHORTEST:
        return [FieldError("password", "password_too_short", count=SHORTEST)]
    if len(password) > LONGEST:
        return [FieldError("password", "password_too_long", count=LONGEST)]
    if _is_personal(password, email, full_name):
        return [FieldError("password", "password_personal")]
    if _is_common(password):
        return [FieldError("password", "password_common")]
    return []


def _is_common(password: str) -> bool:
    plain = search_key(password).replace(" ", "")
    bare = _ENDING.sub("", plain)
    return (
        len(set(plain)) < _LETTERS_THAT_DIFFER
        or not {password.lower(), plain, bare}.isdisjoint(common_passwords())
        or plain in "01234567890123456789"
        or plain in "98765432109876543210"
    )


def _is_personal(password: str, email: str, full_name: str) -> bool:
    """Little is left of it without the name or the address."""
    plain = search_key(password).replace(" ", "")
    local, _, domain = email.lower().partition("@")
    for part in (local, domain, domain.partition(".")[0], search_key(full_name).replace(" ", "")):
        if len(part) >= _SHORTEST_PERSONAL and part in plain and len(plain.replace(part, "")) < SHORTEST:
            return True
    return False


@cache
def common_passwords() -> frozenset[str]:
    """The passwords that everybody tries first."""
    # A long list, wanted seldom.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    listed = FREQUENCY_LISTS["passwords"]
    ours = _OURS.read_text(encoding="utf-8").splitlines()
    return frozenset(listed.split(",") if isinstance(listed, str) else listed) | frozenset(
        line for line in ours if line and not line.startswith("#")
    )


async def _was_used(database: Database, hashing: PasswordHashing, officer_id: str, password: str) -> bool:
    # The one in use may stand there twice, when its hash was made anew.
    for row in await passwords.list_past_passwords(database, officer_id=officer_id, most=REMEMBERED + 1):
        if await hashing.fits(row["hash"], password):
            return True
    return False
