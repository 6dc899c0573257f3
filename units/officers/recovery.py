"""A forgotten password: a letter to the official address, and nothing that tells whether anybody has it."""

import secrets
from datetime import datetime

import asyncpg
import msgspec

from kit import sql
from kit.keys import KeyRing
from kit.mail.post import Post, seal, unseal
from kit.queue import leave_job
from units.officers import passwords, sessions, tokens
from units.officers.officers import find_officer
from units.officers.open_forms import Knock
from units.officers.sessions import Session, Stage
from units.officers.sign_in import LETTERS_COUNT_FOR, LINK_LASTS, MOST_LETTERS, Porter, home_of
from units.officers.tokens import LinkExpired
from units.record.entries import SERVICE, write

recovery = sql.load(__file__, "recovery")

JOB = "password_reset"
# Every request leaves as many bytes, whatever was typed.
_ROOM = 320


class _Asked(msgspec.Struct):
    id: str
    address: str


async def ask_for_reset(porter: Porter, address: str) -> None:
    """Somebody has forgotten the password of this account, if there is one: the worker looks.

    The request does the same for every address: one job of one size.
    """
    asked = msgspec.json.encode(_Asked(secrets.token_hex(8), address)).ljust(_ROOM)
    async with porter.pool.transaction() as transaction:
        await leave_job(transaction, JOB, seal(porter.keys, JOB, asked))


async def answer_request(pool: asyncpg.Pool, keys: KeyRing, post: Post, payload: bytes, now: datetime) -> None:
    """The worker's part: a letter, if an officer has the address and has not had enough of them in the last hour."""
    asked = msgspec.json.decode(unseal(keys, JOB, payload), type=_Asked)
    async with pool.acquire() as connection, connection.transaction():
        transaction: asyncpg.Connection = connection  # type: ignore[assignment]  # the pool's proxy of one
        found = await recovery.find_resettable(transaction, email=asked.address)
        since = now - LETTERS_COUNT_FOR
        if found and found["state"] not in _AFTER_RESET:
            await _refuse(transaction, post, found, now)
            return
        if not found or await tokens.count_since(transaction, found["id"], "password_reset", since) >= MOST_LETTERS:
            return
        secret = await tokens.make_token(transaction, found["id"], "password_reset", LINK_LASTS, now)
        path = tokens.link_path("password_reset", secret)
        key = f"password-reset:{asked.id}"
        await post.send(transaction, "password_reset", to=found["email"], key=key, now=now, path=path)
        await write(transaction, SERVICE, "password_reset.sent", ("officer", found["id"]), unit=found["unit_code"])


async def _refuse(transaction: asyncpg.Connection, post: Post, found: asyncpg.Record, now: datetime) -> None:
    """The letter says that an administrator has to help; once an hour, since it leads nowhere."""
    key = f"password-reset-refused:{found['id']}:{now:%Y-%m-%dT%H}"
    await post.send(transaction, "password_reset_refused", to=found["email"], key=key, now=now)
    await write(transaction, SERVICE, "password_reset.refused", ("officer", found["id"]), unit=found["unit_code"])


async def open_link(porter: Porter, secret: str, purpose: tokens.Purpose, knock: Knock) -> str:
    """Use up the link of a letter; returns what the session's cookie shall hold from now on. Raises LinkExpired."""
    async with porter.pool.transaction() as transaction:
        officer_id = await tokens.use_token(transaction, secret, purpose, porter.now)
        officer = await find_officer(transaction, officer_id)
        if officer.state not in _OPENS_FOR[purpose]:
            raise LinkExpired
        about = ("officer", officer_id)
        actor = knock.as_officer(officer_id)
        await write(transaction, actor, "link.used", about, unit=home_of(officer), purpose=purpose)
        return await sessions.begin(
            transaction,
            officer_id,
            _LEADS_TO[purpose],
            address=knock.address,
            device=knock.device,
            now=porter.now,
        )


_OPENS_FOR: dict[tokens.Purpose, tuple[str, ...]] = {
    "invitation": ("invited",),
    "password_reset": ("active", "asleep"),
    "waking": ("asleep", "active"),
}
# Who has no second factor (again) resets nothing: with the mailbox alone one would set another up.
_AFTER_RESET: dict[str, Stage] = {"active": "password", "asleep": "waking"}
_LEADS_TO: dict[tokens.Purpose, Stage] = {"invitation": "invitation", "password_reset": "reset", "waking": "waking"}


async def reset_password(porter: Porter, session: Session, typed: str, repeated: str, knock: Knock) -> str:
    """Another password, chosen by whoever reads the officer's mail; the second factor is still asked for.

    Returns what the session's cookie shall hold. Raises InvalidForm, LinkExpired,
    ServiceUnavailable.
    """
    officer = session.officer
    password_hash = await passwords.choose(porter.pool, porter.hashing, officer, typed, repeated)
    async with porter.pool.transaction() as transaction:
        await change_password(transaction, porter, session, password_hash, knock)
        # Looked at behind the change, which holds the row: an administrator may just have forgotten the second factor.
        stage = _AFTER_RESET.get((await find_officer(transaction, officer.id)).state)
        if stage is None:
            raise LinkExpired
        await sessions.end_all(transaction, officer.id, "password_changed", porter.now)
        return await sessions.begin(
            transaction,
            officer.id,
            stage,
            address=knock.address,
            device=knock.device,
            now=porter.now,
        )


async def change_password(
    transaction: asyncpg.Connection, porter: Porter, session: Session, password_hash: str, knock: Knock
) -> None:
    """Store it, on the record; links that were sent before open nothing, and the officer is told by mail."""
    officer, now = session.officer, porter.now
    await passwords.store(transaction, officer.id, password_hash, now)
    await tokens.end_tokens(transaction, officer.id, "password_reset", now)
    actor = knock.as_officer(officer.id)
    by_mail = session.stage == "reset"
    await write(transaction, actor, "password.changed", ("officer", officer.id), unit=home_of(officer), by_mail=by_mail)
    await porter.post.send(
        transaction,
        "password_changed",
        to=officer.email,
        key=f"password-changed:{secrets.token_hex(8)}",
        now=now,
        officer=officer,
        device=knock.device,
    )
