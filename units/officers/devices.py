"""A browser that an officer has used before, so that a strange one is told."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import TypeGuard

import asyncpg
from litestar.datastructures import Cookie

from kit import sql
from kit.sql import Database

devices = sql.load(__file__, "devices")

COOKIE = "__Host-baodanh-thiet-bi"
# The longest that browsers keep a cookie: 400 days.
COOKIE_SECONDS = 400 * 24 * 3600
_SECRET = 32
_OURS = re.compile(r"[A-Za-z0-9_-]{43}")

# The first that stands in the text counts: every browser names others beside itself.
_BROWSERS = (
    ("Zalo", "Zalo"),
    ("coc_coc", "Cốc Cốc"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def cookie(secret: str) -> Cookie:
    """What a browser is known by from now on."""
    return Cookie(
        key=COOKIE, value=secret, path="/", secure=True, httponly=True, samesite="lax", max_age=COOKIE_SECONDS
    )


def describe(user_agent: str) -> str:
    """Browser and system in words, such as `Chrome trên Android`: enough to recognise it, too little to trace it."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "Trình duyệt khác")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    return f"{browser} trên {system}" if system else browser


async def is_known(database: Database, officer_id: str, secret: str | None) -> bool:
    """Whether the officer has signed in with this browser before."""
    if not _is_ours(secret):
        return False
    return await devices.find_device(database, officer_id=officer_id, secret_hash=_digest(secret)) is not None


async def recognise(
    transaction: asyncpg.Connection, officer_id: str, secret: str | None, device: str, now: datetime
) -> tuple[str, bool]:
    """What the browser's cookie shall hold, and whether the officer was seen with it before.

    A computer may be shared: a secret that belongs to anybody's browser is kept. Any other is none of ours, and
    whoever planted it shall not pass for a known device later.
    """
    if not _is_ours(secret) or not await devices.find_anybodys_device(transaction, secret_hash=_digest(secret)):
        secret = secrets.token_urlsafe(_SECRET)
    was_known = await devices.mark_device_seen(
        transaction, officer_id=officer_id, secret_hash=_digest(secret), device=device, now=now
    )
    return secret, was_known


async def end_devices(transaction: asyncpg.Connection, officer_id: str, *, but: str | None = None) -> None:
    """The officer's browsers are strange again, but the one: whoever holds one of their cookies gains nothing."""
    await devices.end_devices(transaction, officer_id=officer_id, but=_digest(but) if _is_ours(but) else None)


def _is_ours(secret: str | None) -> TypeGuard[str]:
    return bool(secret and _OURS.fullmatch(secret))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
