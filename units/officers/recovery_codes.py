"""Ten codes on paper for the day when the phone is lost: each opens once in place of the second factor."""

import hmac
import re
import secrets
from datetime import datetime

import asyncpg

from kit import sql
from kit.keys import KeyRing
from kit.sql import Database

recovery_codes = sql.load(__file__, "recovery_codes")

HOW_MANY = 10
# From here on pages ask to make new ones.
FEW = 3
# Crockford's 32 signs: five bits each, sixty in all.
_SIGNS = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 3, 4
# Signs that are none of ours, as people read them.
_MISREAD = str.maketrans("oliu", "011v")


async def make_codes(transaction: asyncpg.Connection, keys: KeyRing, officer_id: str, now: datetime) -> list[str]:
    """Ten new codes, to be shown once; earlier ones open nothing any more."""
    codes = ["-".join(_group() for _ in range(_GROUPS)) for _ in range(HOW_MANY)]
    await recovery_codes.end_codes(transaction, officer_id=officer_id)
    hashes = [_hashes(keys, officer_id, code)[0] for code in codes]
    await recovery_codes.add_codes(transaction, officer_id=officer_id, hashes=hashes, now=now)
    return codes


async def use_recovery_code(
    transaction: asyncpg.Connection, keys: KeyRing, officer_id: str, typed: str, now: datetime
) -> bool:
    """Whether it is one of the officer's; it is used up."""
    code = _plain(typed)
    if len(code) != _GROUPS * _GROUP:
        return False
    used = await recovery_codes.mark_code_used(
        transaction, officer_id=officer_id, hashes=_hashes(keys, officer_id, code), now=now
    )
    return used is not None


async def count_left(database: Database, officer_id: str) -> int:
    """How many are still good."""
    return await recovery_codes.count_codes(database, officer_id=officer_id)


def looks_like_one(typed: str) -> bool:
    """Whether this was meant for a recovery code rather than for six digits."""
    return len(_plain(typed)) == _GROUPS * _GROUP


def _group() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUP))


def _plain(typed: str) -> str:
    return re.sub(r"[^a-z0-9]", "", typed.lower()[:64]).translate(_MISREAD)


def _hashes(keys: KeyRing, officer_id: str, code: str) -> list[bytes]:
    """By every key we have, the newest first: a stolen table alone cannot be tried out."""
    text = f"recovery code\0{officer_id}\0{_plain(code)}".encode()
    return [hmac.digest(key.value, text, "sha256") for key in keys.all("totp")]
