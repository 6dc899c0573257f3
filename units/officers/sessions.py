"""A session: a row that says who is signed in where, for how long yet, and that can be ended."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database
from units.officers.officers import Officer, read_officer

sessions = sql.load(__file__, "sessions")

COOKIE = "__Host-baodanh"
# Level-3 controls: 15 minutes without a request, 5 for administrators, 12 hours at most.
IDLE, ADMINISTRATORS_IDLE, LONGEST = timedelta(minutes=15), timedelta(minutes=5), timedelta(hours=12)
# A session is not written at every request.
_SEEN_EVERY = timedelta(seconds=10)
_SECRET = 32

Stage = Literal["password", "full"]


class Session(msgspec.Struct, frozen=True):
    """Who is signed in. `csrf` must come back with every form; `id` names the session to its owner."""

    id: str
    officer: Officer
    stage: Stage
    began_at: datetime
    csrf: str


def idle_limit(officer: Officer) -> timedelta:
    """How long this officer may be silent."""
    administers = any(held.role == "administrator" for held in officer.roles)
    return ADMINISTRATORS_IDLE if administers else IDLE


async def begin(
    transaction: asyncpg.Connection, officer_id: str, stage: Stage, *, address: str, device: str, now: datetime
) -> str:
    """A new session; returns what the cookie holds, which is stored nowhere.

    Every step of signing in begins another: a cookie that somebody planted before is worth nothing after.
    """
    secret = secrets.token_urlsafe(_SECRET)
    await sessions.add_session(
        transaction,
        token_hash=_digest(secret),
        officer_id=officer_id,
        stage=stage,
        began_at=now,
        address=address,
        device=device,
    )
    return secret


async def find(database: Database, secret: str, now: datetime) -> Session | None:
    """The session of a cookie that is neither ended nor too old nor idle for too long; marks it as seen."""
    row = await sessions.find_session(database, token_hash=_digest(secret), began_after=now - LONGEST)
    if row is None:
        return None
    officer = read_officer(row)
    if officer.state != "active" and row["stage"] == "full":
        return None
    if row["seen_at"] <= now - idle_limit(officer):
        return None
    if row["seen_at"] <= now - _SEEN_EVERY:
        await sessions.mark_seen(database, token_hash=_digest(secret), seen_at=now)
    return Session(str(row["session_id"]), officer, row["stage"], row["began_at"], csrf_token(secret))


async def end(transaction: asyncpg.Connection, session_id: str, because: str, now: datetime) -> bool:
    """End one session; says whether it still ran. `because`: signed_out, ended_elsewhere, password_changed, ..."""
    return await sessions.end_session(transaction, id=session_id, because=because, now=now) != "UPDATE 0"


async def end_all(
    transaction: asyncpg.Connection, officer_id: str, because: str, now: datetime, *, but: str | None = None
) -> None:
    """End every session of an officer, except the one with the id `but`."""
    await sessions.end_sessions(transaction, officer_id=officer_id, but=but, because=because, now=now)


def csrf_token(secret: str) -> str:
    """What forms of this session carry: derived, so that it need not be stored, and tells nothing of the cookie."""
    digest = hmac.digest(secret.encode(), b"csrf", "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
