"""Who works for a unit: roles are granted and taken, accounts end, and nobody does it for themselves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from kit import sql
from kit.errors import DomainError, FieldError, InvalidForm
from kit.mail.post import Post
from units.officers import sessions
from units.officers.devices import end_devices
from units.officers.handover import OpenWork, find_piles, hand_over, settle
from units.officers.letters import send_letter
from units.officers.officers import Held, NotPermitted, Officer, find_officer, read_officer
from units.officers.roles import ROLE_NAMES, ROLES, ROOT_ONLY, Role, go_together
from units.officers.tokens import end_tokens
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

staffing = sql.load(__file__, "staffing")

_LONGEST_REASON = 500


class RolesKeptApart(DomainError):
    """An auditor or an operator holds no other role in the same unit; operators belong to the root unit alone."""

    code = "roles_kept_apart"
    status = 409


class NotForOneself(DomainError):
    """Nobody gives themselves a role, ends their own account or sets up their own two factors anew this way."""

    code = "not_for_oneself"
    status = 403


class LastAdministrator(DomainError):
    """Without this administrator nobody would be left to administer the unit."""

    code = "last_administrator"
    status = 409


class OfficerHasLeft(DomainError):
    """The account was ended; whoever comes back is invited anew."""

    code = "officer_has_left"
    status = 409


async def lock_staff(transaction: asyncpg.Connection) -> None:
    """Changes of staff wait for one another until the transaction ends: they are rare, and count each other."""
    await staffing.lock_staff(transaction)


async def find_by_address(transaction: asyncpg.Connection, email: str) -> Officer | None:
    """Who has this address, if anybody; the address in its normal form."""
    row = await staffing.find_officer_by_email(transaction, email=email)
    return read_officer(row) if row else None


def may_end(by: Officer, officer: Officer, tree: UnitTree) -> bool:
    """Whether `by` administers every unit of the officer, who is somebody else: what concerns the whole account."""
    return by.id != officer.id and all(by.may("manage_officers", held.unit_code, tree) for held in officer.roles)


async def grant(
    transaction: asyncpg.Connection,
    officer_id: str,
    unit_code: str,
    role: Role,
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> None:
    """Give a role for a unit; the officer is told by mail, and signs in anew. `by` None: the command line.

    Raises NotPermitted, NotForOneself, RolesKeptApart, OfficerHasLeft, OfficerNotFound.
    """
    await lock_staff(transaction)
    officer = await find_officer(transaction, officer_id)
    if officer.state == "disabled":
        raise OfficerHasLeft
    if await add_role(transaction, officer, unit_code, role, by=by, tree=tree, actor=actor, now=now):
        await _tell_of_roles(transaction, officer_id, tree, post, now)


async def add_role(
    transaction: asyncpg.Connection,
    officer: Officer,
    unit_code: str,
    role: Role,
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
) -> bool:
    """Give the role without a letter; says whether she did not have it yet. For whoever holds `lock_staff`."""
    unit = tree.current(unit_code)
    if by and by.id == officer.id:
        raise NotForOneself
    if by:
        by.require("manage_officers", unit.code, tree)
    held: list[Role] = [each.role for each in officer.roles if tree.current(each.unit_code).code == unit.code]
    if role in held:
        return False
    if not go_together([*held, role]) or (role in ROOT_ONLY and unit.managed_by):
        raise RolesKeptApart
    await staffing.add_role(
        transaction, officer_id=officer.id, unit_code=unit.code, role=role, granted_by=by.id if by else None, now=now
    )
    await sessions.end_all(transaction, officer.id, "role_changed", now)
    await write(transaction, actor, "officer.role_granted", ("officer", officer.id), unit=unit.code, role=role)
    return True


async def revoke(
    transaction: asyncpg.Connection,
    officer_id: str,
    held: Held,
    *,
    works: Sequence[OpenWork],
    choices: Mapping[str, str],
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> None:
    """Take a role; the last one in a unit only with the open work handed over, the very last one ends the account.

    `choices` name the successors by the fields of `find_piles`. Raises NotPermitted, LastAdministrator,
    SuccessorNeeded, SuccessorUnfit, OfficerNotFound.
    """
    await lock_staff(transaction)
    officer = await find_officer(transaction, officer_id)
    if by:
        by.require("manage_officers", held.unit_code, tree)
    if held not in officer.roles:
        return
    await _keep_an_administrator(transaction, officer, [held], by, tree)
    if leaves_unit(officer, held, tree):
        piles = await find_piles(transaction, works, officer_id, [held.unit_code], tree, now)
        await hand_over(transaction, piles, officer_id, choices, actor, now)
    await staffing.end_role(transaction, officer_id=officer_id, unit_code=held.unit_code, role=held.role)
    await sessions.end_all(transaction, officer_id, "role_changed", now)
    await write(
        transaction, actor, "officer.role_revoked", ("officer", officer_id), unit=held.unit_code, role=held.role
    )
    if len(officer.roles) == 1:
        await _end_account(transaction, officer, "", actor, post, now)
    else:
        await _tell_of_roles(transaction, officer_id, tree, post, now)
    await settle(transaction, works, tree, now, post)


def leaves_unit(officer: Officer, held: Held, tree: UnitTree) -> bool:
    """Whether this is her last role in the unit."""
    unit = tree.current(held.unit_code).code
    return not any(each != held and tree.current(each.unit_code).code == unit for each in officer.roles)


async def disable(
    transaction: asyncpg.Connection,
    officer_id: str,
    reason: str,
    *,
    works: Sequence[OpenWork],
    choices: Mapping[str, str],
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> None:
    """End an account: open work is handed over, sessions and links end, the officer is told. Roles stay to be seen.

    Raises as `revoke`, NotForOneself, InvalidForm without a reason, OfficerHasLeft.
    """
    officer = await _lock_whole(transaction, officer_id, by, tree)
    reason = read_reason(reason)
    await _keep_an_administrator(transaction, officer, officer.roles, by, tree)
    units = {held.unit_code for held in officer.roles}
    piles = await find_piles(transaction, works, officer_id, units, tree, now)
    await hand_over(transaction, piles, officer_id, choices, actor, now)
    await _end_account(transaction, officer, reason, actor, post, now)
    await settle(transaction, works, tree, now, post)


async def reset_two_factor(
    transaction: asyncpg.Connection,
    officer_id: str,
    reason: str,
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
    post: Post,
    now: datetime,
) -> None:
    """Forget the second factor of an officer who has lost hers: she sets up another after her password.

    Her sessions end, and she is told. Raises NotPermitted, NotForOneself, InvalidForm without a reason, OfficerHasLeft.
    """
    officer = await _lock_whole(transaction, officer_id, by, tree)
    reason = read_reason(reason)
    await staffing.mark_without_two_factor(transaction, officer_id=officer_id)
    await staffing.end_recovery_codes(transaction, officer_id=officer_id)
    await end_devices(transaction, officer_id)
    await sessions.end_all(transaction, officer_id, "two_factor_reset", now)
    await write(transaction, actor, "two_factor.reset", ("officer", officer_id), unit=_home(officer), reason=reason)
    await send_letter(transaction, post, "two_factor_reset", officer, now, by=by)


def read_reason(typed: str) -> str:
    """A reason as it is kept. Raises InvalidForm where there is none, or a whole story."""
    reason = " ".join(typed.split())
    if not reason or len(reason) > _LONGEST_REASON:
        raise InvalidForm([FieldError("reason", "too_long" if reason else "required")])
    return reason


def read_role(typed: str) -> Role:
    """A role by its word. Raises InvalidForm."""
    for role in ROLES:
        if role == typed:
            return role
    raise InvalidForm([FieldError("role", "required" if not typed else "role_unknown")])


async def _lock_whole(transaction: asyncpg.Connection, officer_id: str, by: Officer | None, tree: UnitTree) -> Officer:
    await lock_staff(transaction)
    officer = await find_officer(transaction, officer_id)
    if by and by.id == officer.id:
        raise NotForOneself
    if by and not may_end(by, officer, tree):
        raise NotPermitted
    if officer.state == "disabled":
        raise OfficerHasLeft
    return officer


async def _keep_an_administrator(
    transaction: asyncpg.Connection, officer: Officer, leaving: Sequence[Held], by: Officer | None, tree: UnitTree
) -> None:
    """Each unit that loses this administrator has another, in it or above. The command line may have invited one."""
    for held in leaving:
        if held.role != "administrator":
            continue
        above = {tree.current(held.unit_code).code, *(unit.code for unit in tree.managers(held.unit_code))}
        codes = [unit.code for unit in tree if tree.current(unit.code).code in above]
        found = await staffing.list_administrators(transaction, unit_codes=codes)
        # Whoever was invited and never came is nobody's last administrator.
        is_one = any(row["officer_id"] == officer.id and row["has_come"] for row in found)
        others = [row for row in found if row["officer_id"] != officer.id and (row["has_come"] or by is None)]
        if is_one and not others:
            raise LastAdministrator(unit=held.unit_code)


async def _end_account(
    transaction: asyncpg.Connection, officer: Officer, reason: str, actor: Actor, post: Post, now: datetime
) -> None:
    await staffing.mark_disabled(transaction, officer_id=officer.id, reason=reason, now=now)
    await sessions.end_all(transaction, officer.id, "disabled", now)
    for purpose in ("invitation", "password_reset", "waking"):
        await end_tokens(transaction, officer.id, purpose, now)
    await write(transaction, actor, "officer.disabled", ("officer", officer.id), unit=_home(officer), reason=reason)
    await send_letter(transaction, post, "account_disabled", officer, now, reason=reason)


def _home(officer: Officer) -> str | None:
    """The unit under which an entry about the whole account is found: the first of hers."""
    return officer.roles[0].unit_code if officer.roles else None


async def _tell_of_roles(
    transaction: asyncpg.Connection, officer_id: str, tree: UnitTree, post: Post, now: datetime
) -> None:
    officer = await find_officer(transaction, officer_id)
    await send_letter(transaction, post, "role_changed", officer, now, roles=roles_in_words(officer, tree))


def roles_in_words(officer: Officer, tree: UnitTree) -> list[tuple[str, str]]:
    """Pairs of role and unit as letters and pages write them."""
    return [(ROLE_NAMES[held.role][0], tree.current(held.unit_code).name) for held in officer.roles]
