"""First steps: who I am, a password, a second factor, recovery codes; then the officer is signed in."""

from collections.abc import Mapping

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError, InvalidForm, ServiceUnavailable
from units.officers import passwords, public_cards, recovery_codes, sessions, throttle, tokens, two_factor
from units.officers.officers import Officer
from units.officers.open_forms import Knock
from units.officers.sessions import Session
from units.officers.sign_in import AccountLeft, Porter, Signed, enter, home_of
from units.officers.two_factor import read_draft
from units.record.entries import write

first_steps = sql.load(__file__, "first_steps")


async def introduce(porter: Porter, session: Session, fields: Mapping[str, str], knock: Knock) -> str:
    """Card and password of somebody new; returns what the session's cookie shall hold for the next step.

    Raises InvalidForm with all mistakes of both, ServiceUnavailable.
    """
    officer, now = session.officer, porter.now
    card, errors = _read_card(fields)
    named = msgspec.structs.replace(officer, full_name=card.get("full_name", ""))
    try:
        password_hash = await passwords.choose(
            porter.pool, porter.hashing, named, fields.get("password", ""), fields.get("repeated", "")
        )
    except InvalidForm as refused:
        raise InvalidForm(errors + refused.errors) from None
    if errors:
        raise InvalidForm(errors)
    actor, about = knock.as_officer(officer.id), ("officer", officer.id)
    async with porter.pool.transaction() as transaction:
        key = porter.keys.current("record").value
        await public_cards.change_card(transaction, officer, card, actor=actor, key=key)
        await passwords.store(transaction, officer.id, password_hash, now)
        await write(transaction, actor, "password.set", about, unit=home_of(officer))
        return await _begin_set_up(transaction, porter, session, knock)


async def show_password_again(porter: Porter, session: Session, typed: str, knock: Knock) -> str:
    """Somebody who chose a password before proves to know it, and goes on to the second factor.

    Neither this letter nor that of a forgotten password suffices: without the password an administrator has to
    invite again, which forgets it. Raises InvalidForm, TooManySignIns, ServiceUnavailable.
    """
    await prove_password(porter, session, typed, knock)
    async with porter.pool.transaction() as transaction:
        return await _begin_set_up(transaction, porter, session, knock)


async def prove_password(porter: Porter, session: Session, typed: str, knock: Knock) -> None:
    """Raises InvalidForm unless it is the officer's password; counted like a password at the sign-in."""
    officer = session.officer
    account = throttle.account_key(porter.keys, officer.email)
    attempt = await throttle.count_attempt(porter.pool, account, "password", knock.prefix, porter.now)
    try:
        fits = await passwords.is_right(porter.pool, porter.hashing, officer.id, typed)
    except ServiceUnavailable:
        await throttle.take_back(porter.pool, attempt)
        raise
    if fits:
        await throttle.forgive(porter.pool, attempt)
        return
    about, unit = ("officer", officer.id), home_of(officer)
    async with porter.pool.transaction() as transaction:
        actor = knock.as_officer(officer.id)
        await write(transaction, actor, "sign_in.failed", about, unit=unit, factor="password", locked=attempt.locks)
    raise InvalidForm([FieldError("current", "password_wrong")])


async def confirm(porter: Porter, session: Session, typed: str, knock: Knock) -> tuple[Signed, list[str]]:
    """The first code of the new authenticator: the account is active, its owner signed in.

    Returns what the cookies hold, and the recovery codes, which are shown this once. Raises InvalidForm, AccountLeft.
    """
    officer = session.officer
    secret, step = check_new_code(porter, session, typed)
    actor, about = knock.as_officer(officer.id), ("officer", officer.id)
    async with porter.pool.transaction() as transaction:
        await two_factor.store_second_factor(transaction, porter.keys, officer.id, secret, step)
        if await first_steps.mark_active(transaction, officer_id=officer.id) is None:
            raise AccountLeft(headers={"Location": "/can-bo/dang-nhap"})
        await tokens.end_tokens(transaction, officer.id, "invitation", porter.now)
        codes = await recovery_codes.make_codes(transaction, porter.keys, officer.id, porter.now)
        await write(transaction, actor, "two_factor.set_up", about, unit=home_of(officer))
        return await enter(transaction, porter, session, knock), codes


def check_new_code(porter: Porter, session: Session, typed: str) -> tuple[bytes, int]:
    """The secret that was shown, and the step of the code that proves that an authenticator has it.

    Raises InvalidForm.
    """
    secret = read_draft(porter.keys, session.officer.id, session.totp_draft)
    step = two_factor.step_of(secret, typed, porter.now, None) if secret else None
    if secret is None or step is None:
        raise InvalidForm([FieldError("code", "code_of_new_wrong")])
    return secret, step


def new_draft(porter: Porter, officer: Officer) -> bytes:
    """A new second factor, sealed, to be shown and confirmed."""
    return two_factor.seal(porter.keys, officer.id, two_factor.new_secret())


async def _begin_set_up(transaction: asyncpg.Connection, porter: Porter, session: Session, knock: Knock) -> str:
    officer, now = session.officer, porter.now
    await sessions.end(transaction, session.id, "went_on", now)
    return await sessions.begin(
        transaction,
        officer.id,
        "set_up",
        address=knock.address,
        device=knock.device,
        now=now,
        draft=new_draft(porter, officer),
    )


def _read_card(fields: Mapping[str, str]) -> tuple[dict[str, str], list[FieldError]]:
    try:
        return public_cards.read_card(fields), []
    except InvalidForm as refused:
        return {}, refused.errors
