"""A link in a letter that lets somebody in once: a secret whose hash alone is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal

import asyncpg

from kit import sql
from kit.errors import DomainError
from kit.sql import Database

tokens = sql.load(__file__, "tokens")

Purpose = Literal["invitation", "password_reset", "waking"]

# Where the link of each purpose leads: the secret is the last part of the address, and logs hold the route's pattern.
_PATHS: dict[Purpose, str] = {
    "invitation": "/can-bo/thiet-lap",
    "password_reset": "/can-bo/dat-lai-mat-khau",
    "waking": "/can-bo/danh-thuc",
}
_SECRET = 32


class LinkExpired(DomainError):
    """The link was used already, is too old, was replaced by a newer one, or is none of ours."""

    code = "link_expired"
    status = 410


def link_path(purpose: Purpose, secret: str) -> str:
    """The address of the page that a letter links to; `Post.link` makes a full one of it."""
    return f"{_PATHS[purpose]}/{secret}"


async def make_token(
    transaction: asyncpg.Connection, officer_id: str, purpose: Purpose, lifetime: timedelta, now: datetime
) -> str:
    """A new secret for this officer and purpose; earlier ones stay good until used, too old or ended."""
    secret = secrets.token_urlsafe(_SECRET)
    await tokens.add_token(
        transaction,
        token_hash=_digest(secret),
        officer_id=officer_id,
        purpose=purpose,
        made_at=now,
        expires_at=now + lifetime,
    )
    return secret


async def use_token(transaction: asyncpg.Connection, secret: str, purpose: Purpose, now: datetime) -> str:
    """Use the secret up; returns the officer's id. Of two at the same instant one succeeds. Raises LinkExpired."""
    officer_id = await tokens.mark_token_used(transaction, token_hash=_digest(secret), purpose=purpose, now=now)
    if officer_id is None:
        raise LinkExpired
    return officer_id


async def end_tokens(transaction: asyncpg.Connection, officer_id: str, purpose: Purpose, now: datetime) -> None:
    """Earlier links of this purpose open nothing any more."""
    await tokens.end_tokens(transaction, officer_id=officer_id, purpose=purpose, now=now)


async def count_since(transaction: asyncpg.Connection, officer_id: str, purpose: Purpose, since: datetime) -> int:
    """How many were made for the officer after `since`: nobody fills somebody's mailbox."""
    return await tokens.count_tokens(transaction, officer_id=officer_id, purpose=purpose, since=since)


async def forget(database: Database, before: datetime) -> None:
    """Drop those that became too old before."""
    await tokens.end_old_tokens(database, before=before)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
