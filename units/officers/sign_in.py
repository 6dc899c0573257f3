"""Signing in: a password and a second factor; whoever fails learns nothing but that."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.bounded_pool import BoundedPool
from kit.errors import DomainError, FieldError, InvalidForm, ServiceUnavailable
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.vietnamese import nfc
from units.officers import devices, passwords, recovery_codes, sessions, throttle, tokens, two_factor
from units.officers.hashing import PasswordHashing
from units.officers.officers import Officer
from units.officers.open_forms import Knock
from units.officers.sessions import Session
from units.officers.throttle import Attempt, Factor, Slowness, TooManySignIns
from units.record.entries import fingerprint, write

sign_in = sql.load(__file__, "sign_in")

# An address cannot be longer (RFC 5321).
_LONGEST_ADDRESS = 254
# Somebody who is not there is looked up just as well.
_NOBODY = "00000000-0000-0000-0000-000000000000"
LINK_LASTS = timedelta(minutes=30)
# So many letters of a kind in an hour, whatever is tried.
MOST_LETTERS, LETTERS_COUNT_FOR = 3, timedelta(hours=1)
# From so many wrong codes on the officer is told that somebody knows her password.
_TOLD_AFTER = 10
# From so many on a browser that was never seen with her comes in by letter: there are a million codes, and three of
# them are right at any time.
_MOST_WRONG_CODES = 50


class Porter(msgspec.Struct, frozen=True):
    """What signing in needs, for one request."""

    pool: BoundedPool
    keys: KeyRing
    hashing: PasswordHashing
    slowness: Slowness
    post: Post
    now: datetime


class Signed(msgspec.Struct, frozen=True):
    """Somebody is signed in: what the cookies of session and device hold. `by_paper`: with a recovery code."""

    secret: str
    device_secret: str
    by_paper: bool


class AccountLeft(DomainError):
    """The officer may not come in any more: disabled while she was on the way."""

    code = "sign_in_first"
    status = 303


def porter_of(state: Any) -> Porter:
    """The porter of the running application."""
    return Porter(state.desk_pool, state.key_ring, state.hashing, state.slowness, state.post, state.clock())


def read_address(typed: Any) -> str:
    """A mail address as accounts know it."""
    return nfc(str(typed or "").strip().lower())[:_LONGEST_ADDRESS]


def home_of(officer: Officer) -> str | None:
    """The unit under which the record of an account is found."""
    return officer.roles[0].unit_code if officer.roles else None


async def check_password(porter: Porter, address: str, password: str, knock: Knock) -> str | None:
    """The first factor. Returns what the session's cookie shall hold, or None where a letter leads on from here.

    A wrong password, an unknown address and one that may not come in are one answer, after the same work: InvalidForm.
    Raises TooManySignIns, ServiceUnavailable.
    """
    account = throttle.account_key(porter.keys, address)
    attempt = await throttle.count_attempt(porter.pool, account, "password", knock.prefix, porter.now)
    found = await sign_in.find_credentials(porter.pool, email=address)
    password_hash = found["password_hash"] if found else None
    try:
        await _slow_down(porter, attempt, found["id"] if found else _NOBODY, knock)
        fits = await porter.hashing.fits(password_hash, passwords.normal(password)[: passwords.LONGEST + 1])
    except (TooManySignIns, ServiceUnavailable):
        await throttle.take_back(porter.pool, attempt)
        raise
    if not fits or found["state"] == "disabled":
        await _note_failure(porter, attempt, knock, found, address)
        raise InvalidForm([FieldError("password", "sign_in_refused")])
    await throttle.forgive(porter.pool, attempt)
    await _renew_hash(porter, found["id"], str(password_hash), password)
    return await _go_on(porter, found, account, knock)


async def check_code(porter: Porter, session: Session, typed: str, knock: Knock) -> Signed:
    """The second factor: a code of the authenticator, or a recovery code; the officer is signed in.

    Raises InvalidForm, TooManySignIns.
    """
    officer = session.officer
    attempt = await count_code(porter, officer, knock, by_password_alone=session.stage == "password")
    async with porter.pool.transaction() as transaction:
        by_paper = recovery_codes.looks_like_one(typed)
        if await use_either(transaction, porter, officer, typed, knock):
            signed = await enter(transaction, porter, session, knock, by_paper=by_paper)
            await throttle.forgive(transaction, attempt)
            return signed
        await note_wrong_code(transaction, porter, officer, attempt, knock)
    raise InvalidForm([FieldError("code", "code_wrong")])


async def count_code(porter: Porter, officer: Officer, knock: Knock, *, by_password_alone: bool = False) -> Attempt:
    """Count an attempt at the second factor, and make it wait. Raises TooManySignIns.

    After many wrong codes a strange browser gets no further with the password alone.
    """
    account = throttle.account_key(porter.keys, officer.email)
    attempt = await throttle.count_attempt(porter.pool, account, "code", knock.prefix, porter.now)
    try:
        is_known = await _slow_down(porter, attempt, officer.id, knock)
        _turn_strangers_away(attempt, may_try=is_known or not by_password_alone)
    except TooManySignIns:
        await throttle.take_back(porter.pool, attempt)
        raise
    return attempt


def _turn_strangers_away(attempt: Attempt, *, may_try: bool) -> None:
    if not may_try and attempt.overall > _MOST_WRONG_CODES:
        raise TooManySignIns(round(throttle.LOCKED_FOR.total_seconds()))


async def use_either(
    transaction: asyncpg.Connection, porter: Porter, officer: Officer, typed: str, knock: Knock
) -> bool:
    """Whether it is the authenticator's code or one of the recovery codes; it is used up."""
    if not recovery_codes.looks_like_one(typed):
        return await two_factor.use_code(transaction, porter.keys, officer.id, typed, porter.now)
    if not await recovery_codes.use_recovery_code(transaction, porter.keys, officer.id, typed, porter.now):
        return False
    left = await recovery_codes.count_left(transaction, officer.id)
    about = ("officer", officer.id)
    actor = knock.as_officer(officer.id)
    await write(transaction, actor, "recovery_code.used", about, unit=home_of(officer), left=left)
    return True


async def note_wrong_code(
    transaction: asyncpg.Connection, porter: Porter, officer: Officer, attempt: Attempt, knock: Knock
) -> None:
    """A wrong second factor stands on the record; after many the officer is told."""
    await _write_failure(transaction, knock, "code", ("officer", officer.id), attempt, unit=home_of(officer))
    if attempt.overall >= _TOLD_AFTER:
        key = f"code-guessed:{officer.id}:{porter.now:%Y-%m-%d}"
        await porter.post.send(transaction, "code_guessed", to=officer.email, key=key, now=porter.now, officer=officer)


async def enter(
    transaction: asyncpg.Connection, porter: Porter, session: Session, knock: Knock, *, by_paper: bool = False
) -> Signed:
    """Both factors were right: a new session, with a secret that nobody has seen before. Raises AccountLeft."""
    officer = session.officer
    # An account that fell asleep meanwhile is woken by its own link alone.
    entered = await sign_in.mark_signed_in(
        transaction, officer_id=officer.id, now=porter.now, wakes=session.stage == "waking"
    )
    if entered is None:
        raise AccountLeft(headers={"Location": "/can-bo/dang-nhap"})
    await sessions.end(transaction, session.id, "went_on", porter.now)
    actor, about, unit = knock.as_officer(officer.id), ("officer", officer.id), home_of(officer)
    if officer.state == "asleep":
        await write(transaction, actor, "officer.woken", about, unit=unit)
    device_secret = await _recognise(transaction, porter, session, knock)
    secret = await sessions.begin(
        transaction, officer.id, "full", address=knock.address, device=knock.device, now=porter.now
    )
    second = "recovery_code" if by_paper else "totp"
    await write(transaction, actor, "session.began", about, unit=unit, second_factor=second, device=knock.device)
    return Signed(secret, device_secret, by_paper)


async def _recognise(transaction: asyncpg.Connection, porter: Porter, session: Session, knock: Knock) -> str:
    officer = session.officer
    secret, was_known = await devices.recognise(transaction, officer.id, knock.device_secret, knock.device, porter.now)
    # Whoever has just set up everything on this device knows.
    if not was_known and session.stage != "set_up":
        await porter.post.send(
            transaction,
            "new_device",
            to=officer.email,
            key=f"new-device:{secrets.token_hex(8)}",
            now=porter.now,
            officer=officer,
            device=knock.device,
            address=knock.address,
        )
    return secret


async def _slow_down(porter: Porter, attempt: Attempt, officer_id: str, knock: Knock) -> bool:
    """Whether the browser is known; if not, it waits as the attempt has to."""
    is_known = await devices.is_known(porter.pool, officer_id, knock.device_secret)
    await porter.slowness.wait(attempt, is_known_device=is_known)
    return is_known


async def _go_on(porter: Porter, found: asyncpg.Record, account: bytes, knock: Knock) -> str | None:
    wrong_codes = await throttle.count_everywhere(porter.pool, account, "code", porter.now)
    is_known = await devices.is_known(porter.pool, found["id"], knock.device_secret)
    async with porter.pool.transaction() as transaction:
        if found["state"] == "active" and (is_known or wrong_codes < _MOST_WRONG_CODES):
            return await sessions.begin(
                transaction, found["id"], "password", address=knock.address, device=knock.device, now=porter.now
            )
        # The letter proves that it is still her address.
        purpose, letter = _BY_LETTER[found["state"]]
        await send_link(transaction, porter, found["id"], found["email"], purpose, letter)
    return None


_BY_LETTER: dict[str, tuple[tokens.Purpose, str]] = {
    "asleep": ("waking", "waking"),
    # Without a second factor, again or still.
    "invited": ("invitation", "first_steps_again"),
    "active": ("waking", "sign_in_by_letter"),
}


async def send_link(
    transaction: asyncpg.Connection,
    porter: Porter,
    officer_id: str,
    email: str,
    purpose: tokens.Purpose,
    letter: str,
) -> None:
    """A letter with a link that works once, for half an hour; silently none where an hour has seen enough of them."""
    since = porter.now - LETTERS_COUNT_FOR
    if await tokens.count_since(transaction, officer_id, purpose, since) >= MOST_LETTERS:
        return
    secret = await tokens.make_token(transaction, officer_id, purpose, LINK_LASTS, porter.now)
    path = tokens.link_path(purpose, secret)
    key = f"{letter}:{secrets.token_hex(8)}"
    await porter.post.send(transaction, letter, to=email, key=key, now=porter.now, path=path)


async def _renew_hash(porter: Porter, officer_id: str, old: str, password: str) -> None:
    """A hash that was made more cheaply is made anew while the password is at hand."""
    if porter.hashing.is_outdated(old):
        new = await porter.hashing.make(passwords.normal(password))
        await passwords.renew_hash(porter.pool, officer_id, old, new)


async def _note_failure(
    porter: Porter, attempt: Attempt, knock: Knock, found: asyncpg.Record | None, address: str
) -> None:
    key = porter.keys.current("record").value
    about = ("officer", found["id"]) if found else ("sign_in", "unknown")
    unit = found["unit_code"] if found else None
    told = {} if found else {"account": fingerprint(key, address)}
    async with porter.pool.transaction() as transaction:
        await _write_failure(transaction, knock, "password", about, attempt, unit=unit, **told)


async def _write_failure(
    transaction: asyncpg.Connection,
    knock: Knock,
    factor: Factor,
    about: tuple[str, str],
    attempt: Attempt,
    *,
    unit: str | None,
    **told: Any,
) -> None:
    actor = knock.actor
    await write(transaction, actor, "sign_in.failed", about, unit=unit, factor=factor, locked=attempt.locks, **told)
