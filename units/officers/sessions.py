"""A session: a row that says who is signed in where, for how long yet, and that can be ended."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec
from litestar.datastructures import Cookie

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

# invitation: came by a link, tells who they are and chooses a password; set_up: sets up the second factor; password:
# the second factor is awaited; waking: the same, and wakes a sleeping account; reset: chooses another password.
Stage = Literal["invitation", "set_up", "password", "waking", "reset", "full"]

# A step on the way in takes as long as finding one's phone, or installing an authenticator.
_STEPS_LAST: dict[Stage, timedelta] = {
    "invitation": timedelta(minutes=60),
    "set_up": timedelta(minutes=60),
    "password": timedelta(minutes=10),
    "waking": timedelta(minutes=10),
    "reset": timedelta(minutes=15),
}


class Session(msgspec.Struct, frozen=True):
    """Who is signed in. `csrf` must come back with every form; `id` names the session to its owner.

    `waiting` is how many approvals wait for them, beside a name in the navigation.
    """

    id: str
    officer: Officer
    stage: Stage
    began_at: datetime
    csrf: str
    waiting: int = 0
    # The second factor on its way to be set up, sealed.
    totp_draft: bytes | None = None

    @property
    def idle_seconds(self) -> int:
        """How long it lasts without a request."""
        return int(idle_limit(self.officer).total_seconds())


class OpenSession(msgspec.Struct, frozen=True):
    """One line of the list of sessions: `device` are a few words, `address` is where it began."""

    id: str
    began_at: datetime
    seen_at: datetime
    address: str
    device: str


def idle_limit(officer: Officer) -> timedelta:
    """How long this officer may be silent."""
    administers = any(held.role == "administrator" for held in officer.roles)
    return ADMINISTRATORS_IDLE if administers else IDLE


async def begin(
    transaction: asyncpg.Connection,
    officer_id: str,
    stage: Stage,
    *,
    address: str,
    device: str,
    now: datetime,
    draft: bytes | None = None,
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
        draft=draft,
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
    if _is_over(row, officer, now):
        return None
    if row["stage"] == "full" and row["seen_at"] <= now - _SEEN_EVERY:
        await sessions.mark_seen(database, token_hash=_digest(secret), seen_at=now)
    return Session(
        id=str(row["session_id"]),
        officer=officer,
        stage=row["stage"],
        began_at=row["began_at"],
        csrf=csrf_token(secret),
        totp_draft=row["totp_draft"],
    )


async def list_open(database: Database, officer: Officer, now: datetime) -> list[OpenSession]:
    """Where the officer is signed in at the moment, the last seen first."""
    rows = await sessions.list_open_sessions(
        database, officer_id=officer.id, began_after=now - LONGEST, seen_after=now - idle_limit(officer)
    )
    return [OpenSession(row["id"], row["began_at"], row["seen_at"], row["address"], row["device"]) for row in rows]


async def keep_draft(transaction: asyncpg.Connection, session: Session, draft: bytes | None) -> None:
    """Remember a second factor until it is confirmed (None) or the session is over."""
    await sessions.change_draft(transaction, id=session.id, draft=draft)


async def end(
    transaction: asyncpg.Connection, session_id: str, because: str, now: datetime, *, officer_id: str | None = None
) -> bool:
    """End one session; says whether it still ran. `because`: signed_out, ended_elsewhere, password_changed, ...

    With `officer_id` only if it is that officer's.
    """
    ended = await sessions.end_session(transaction, id=session_id, officer_id=officer_id, because=because, now=now)
    return ended != "UPDATE 0"


async def end_by_secret(transaction: asyncpg.Connection, secret: str, because: str, now: datetime) -> None:
    """End whatever session a cookie holds."""
    await sessions.end_session_of_cookie(transaction, token_hash=_digest(secret), because=because, now=now)


async def end_all(
    transaction: asyncpg.Connection, officer_id: str, because: str, now: datetime, *, but: str | None = None
) -> None:
    """End every session of an officer, except the one with the id `but`."""
    await sessions.end_sessions(transaction, officer_id=officer_id, but=but, because=because, now=now)


async def forget(database: Database, before: datetime) -> None:
    """Drop the rows of sessions that began before; the record keeps that they were."""
    await sessions.end_old_sessions(database, before=before)


def cookie(secret: str) -> Cookie:
    """What holds a session in the browser: until it is closed, for this host alone, out of scripts' reach.

    Lax, not Strict: a link in a letter leads to where one is signed in. What changes something is a POST with a token.
    """
    return Cookie(key=COOKIE, value=secret, path="/", secure=True, httponly=True, samesite="lax")


def no_cookie() -> Cookie:
    """Takes the session's cookie away."""
    return Cookie(key=COOKIE, value="", path="/", secure=True, httponly=True, samesite="lax", max_age=0)


def csrf_token(secret: str) -> str:
    """What forms of this session carry: derived, so that it need not be stored, and tells nothing of the cookie."""
    digest = hmac.digest(secret.encode(), b"csrf", "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()


def _is_over(row: asyncpg.Record, officer: Officer, now: datetime) -> bool:
    if row["stage"] == "full":
        return row["seen_at"] <= now - idle_limit(officer)
    return row["began_at"] <= now - _STEPS_LAST[row["stage"]]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
