"""An invitation: a letter to an official address, whose link makes its reader an officer."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.mail.post import Post
from units.officers.allowed_domains import read_official_address
from units.officers.devices import end_devices
from units.officers.letters import send_letter
from units.officers.officers import NotPermitted, Officer, find_officer
from units.officers.public_cards import FIELDS
from units.officers.roles import Role
from units.officers.sessions import end_all
from units.officers.staffing import (
    NotForOneself,
    add_role,
    find_by_address,
    grant,
    lock_staff,
    may_end,
    roles_in_words,
)
from units.officers.tokens import end_tokens, link_path, make_token
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

invitations = sql.load(__file__, "invitations")

# How long the link of an invitation opens its door.
LIFETIME = timedelta(days=7)


class InvitationTakenUp(DomainError):
    """The officer has come in already, or has left since."""

    code = "invitation_taken_up"
    status = 409


class Invited(msgspec.Struct, frozen=True):
    """What came of it: `link` is the path of the letter's link, None where an officer was only given another role."""

    officer_id: str
    link: str | None


async def invite(
    transaction: asyncpg.Connection,
    email: str,
    unit_code: str,
    role: Role,
    card: Mapping[str, str],
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> Invited:
    """Invite an address to a role. Whoever has the address already is given the role, and told.

    Whoever had left begins anew: nothing of the earlier account comes back but its name. `card` holds the fields of
    `public_cards.FIELDS` as far as they are known; `by` None is the command line. Raises NotPermitted, InvalidForm,
    NotForOneself, RolesKeptApart.
    """
    unit = tree.current(unit_code)
    if by:
        by.require("manage_officers", unit.code, tree)
    await lock_staff(transaction)
    address = await read_official_address(transaction, unit.code, email)
    officer = await find_by_address(transaction, address)
    if officer and officer.state not in ("invited", "disabled"):
        await grant(
            transaction, officer.id, unit.code, role, by=by, tree=tree, actor=actor, post=post, now=now
        )  # fmt: skip
        return Invited(officer.id, None)
    officer = await _make_account(transaction, address, officer, card, by, now)
    await add_role(transaction, officer, unit.code, role, by=by, tree=tree, actor=actor, now=now)
    link = await _send(transaction, officer.id, by, tree, actor, post, now)
    return Invited(officer.id, link)


async def invite_again(
    transaction: asyncpg.Connection,
    officer_id: str,
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> str:
    """Send the letter anew to whoever has not taken it up; the earlier link opens nothing any more. Returns the link.

    A password without a second factor is erased, so that whoever has lost both begins anew: that says an administrator
    of all her units, no mailbox alone. Raises NotPermitted, InvitationTakenUp, OfficerNotFound.
    """
    await lock_staff(transaction)
    officer = await find_officer(transaction, officer_id)
    if by and not any(by.may("manage_officers", held.unit_code, tree) for held in officer.roles):
        raise NotPermitted
    if officer.state != "invited":
        raise InvitationTakenUp
    told = {}
    if (by is None or may_end(by, officer, tree)) and await invitations.end_password(
        transaction, officer_id=officer_id
    ):
        await end_all(transaction, officer_id, "password_changed", now)
        told = {"password_erased": True}
    return await _send(transaction, officer_id, by, tree, actor, post, now, **told)


async def _make_account(
    transaction: asyncpg.Connection,
    address: str,
    officer: Officer | None,
    card: Mapping[str, str],
    by: Officer | None,
    now: datetime,
) -> Officer:
    """The account that is invited: a new one, one that waits, or one that had ended and begins anew."""
    if officer is None:
        known = {field: card.get(field, "") for field in FIELDS}
        officer_id = await invitations.add_officer(transaction, email=address, now=now, **known)
        return await find_officer(transaction, officer_id)
    if by and by.id == officer.id:
        raise NotForOneself
    if officer.state == "disabled":
        await invitations.end_roles(transaction, officer_id=officer.id)
        await invitations.end_recovery_codes(transaction, officer_id=officer.id)
        await end_devices(transaction, officer.id)
        await invitations.mark_begun_anew(transaction, officer_id=officer.id)
    return await find_officer(transaction, officer.id)


async def _send(
    transaction: asyncpg.Connection,
    officer_id: str,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
    **told: bool,
) -> str:
    officer = await find_officer(transaction, officer_id)
    await end_tokens(transaction, officer_id, "invitation", now)
    link = link_path("invitation", await make_token(transaction, officer_id, "invitation", LIFETIME, now))
    await invitations.mark_invited(transaction, officer_id=officer_id, now=now)
    for unit_code in sorted({held.unit_code for held in officer.roles}):
        await write(transaction, actor, "officer.invited", ("officer", officer_id), unit=unit_code, **told)
    await send_letter(
        transaction, post, "invitation", officer, now,
        path=link, by=by, roles=roles_in_words(officer, tree), until=now + LIFETIME,
    )  # fmt: skip
    return link
