"""My account: another password, another second factor, new codes, and where I am signed in."""

import secrets

import asyncpg

from kit.errors import FieldError, InvalidForm
from units.officers import devices, passwords, recovery_codes, sessions, throttle, two_factor
from units.officers.first_steps import check_new_code, new_draft, prove_password
from units.officers.open_forms import Knock
from units.officers.recovery import change_password
from units.officers.sessions import Session
from units.officers.sign_in import Porter, count_code, home_of, note_wrong_code, use_either
from units.record.actions import Action
from units.record.entries import write


async def choose_password(
    porter: Porter, session: Session, current: str, typed: str, repeated: str, knock: Knock
) -> None:
    """Another password for whoever knows the one in use; every other session ends.

    Raises InvalidForm, TooManySignIns, ServiceUnavailable.
    """
    officer = session.officer
    try:
        await prove_password(porter, session, current, knock)
    except InvalidForm as refused:
        raise InvalidForm(refused.errors + passwords.mistakes_in_both(officer, typed, repeated)) from None
    password_hash = await passwords.choose(porter.pool, porter.hashing, officer, typed, repeated)
    async with porter.pool.transaction() as transaction:
        await change_password(transaction, porter, session, password_hash, knock)
        await sessions.end_all(transaction, officer.id, "password_changed", porter.now, but=session.id)


async def prove_both(porter: Porter, session: Session, password: str, code: str, knock: Knock) -> None:
    """Password and code once more, before what would outlast a stolen session. Raises InvalidForm, TooManySignIns."""
    await prove_password(porter, session, password, knock)
    attempt = await count_code(porter, session.officer, knock)
    async with porter.pool.transaction() as transaction:
        if await use_either(transaction, porter, session.officer, code, knock):
            await throttle.forgive(transaction, attempt)
            return
        await note_wrong_code(transaction, porter, session.officer, attempt, knock)
    raise InvalidForm([FieldError("code", "code_wrong")])


async def begin_renewal(porter: Porter, session: Session) -> None:
    """Show another second factor; the one in use stays good until the new one is confirmed."""
    async with porter.pool.transaction() as transaction:
        await sessions.keep_draft(transaction, session, new_draft(porter, session.officer))


async def renew_second_factor(porter: Porter, session: Session, code: str, knock: Knock) -> list[str]:
    """The new authenticator is the officer's from now on; returns new recovery codes. Other sessions end.

    Raises InvalidForm.
    """
    officer = session.officer
    secret, step = check_new_code(porter, session, code)
    async with porter.pool.transaction() as transaction:
        await two_factor.store_second_factor(transaction, porter.keys, officer.id, secret, step)
        await sessions.keep_draft(transaction, session, None)
        await sessions.end_all(transaction, officer.id, "two_factor_changed", porter.now, but=session.id)
        codes = await recovery_codes.make_codes(transaction, porter.keys, officer.id, porter.now)
        await _tell(transaction, porter, session, knock, "two_factor.renewed", "two_factor_changed")
    return codes


async def renew_codes(porter: Porter, session: Session, knock: Knock) -> list[str]:
    """Ten new recovery codes; the old ones open nothing any more."""
    async with porter.pool.transaction() as transaction:
        codes = await recovery_codes.make_codes(transaction, porter.keys, session.officer.id, porter.now)
        await _tell(transaction, porter, session, knock, "recovery_codes.renewed", "recovery_codes_changed")
    return codes


async def end_session(porter: Porter, session: Session, session_id: str, knock: Knock) -> bool:
    """End one of one's own sessions; says whether it still ran."""
    officer_id = session.officer.id
    because = "signed_out" if session_id == session.id else "ended_elsewhere"
    async with porter.pool.transaction() as transaction:
        ended = await sessions.end(transaction, session_id, because, porter.now, officer_id=officer_id)
        if ended:
            await _note_end(transaction, session, because, knock)
        return ended


async def end_other_sessions(porter: Porter, session: Session, knock: Knock) -> None:
    """End all but this one, and forget which browsers were known."""
    async with porter.pool.transaction() as transaction:
        await sessions.end_all(transaction, session.officer.id, "ended_elsewhere", porter.now, but=session.id)
        await devices.end_devices(transaction, session.officer.id, but=knock.device_secret)
        await _note_end(transaction, session, "ended_elsewhere", knock)


async def _note_end(transaction: asyncpg.Connection, session: Session, because: str, knock: Knock) -> None:
    officer = session.officer
    about = ("officer", officer.id)
    await write(
        transaction, knock.as_officer(officer.id), "session.ended", about, unit=home_of(officer), because=because
    )


async def _tell(
    transaction: asyncpg.Connection, porter: Porter, session: Session, knock: Knock, action: Action, letter: str
) -> None:
    officer = session.officer
    actor, about = knock.as_officer(officer.id), ("officer", officer.id)
    await write(transaction, actor, action, about, unit=home_of(officer))
    key = f"{letter}:{secrets.token_hex(8)}"
    await porter.post.send(
        transaction, letter, to=officer.email, key=key, now=porter.now, officer=officer, device=knock.device
    )
