"""Approval by two: what one person hands in, another decides about, and either can take back until its moment."""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError, InvalidForm
from kit.mail.post import Post
from kit.sql import Database
from units.approvals import letters
from units.approvals.approval import (
    AlreadyDecided,
    AlreadyInEffect,
    AlreadyWaiting,
    Approval,
    ApprovalNotFound,
    ApprovalOutdated,
    Authority,
    OwnWork,
    read_approval,
)
from units.approvals.deputies import list_stood_for
from units.approvals.kinds import ApprovalKind, Kinds, Prepared, Preview
from units.approvals.places import all_codes, find_place, is_staffed
from units.approvals.steps import Step, add_step
from units.officers.officers import NotPermitted, Officer
from units.record.entries import Actor
from units.unit_tree import UnitTree

__all__ = ["Approval", "approve", "find_approval", "hand_in", "is_staffed", "list_waiting_for", "send_back", "withdraw"]

approvals = sql.load(__file__, "approvals")

_LONGEST_TEXT = 2000


async def find_approval(database: Database, approval_id: str) -> Approval:
    """One approval by its id, whoever asks. Raises ApprovalNotFound."""
    row = await approvals.find_approval(database, id=_uuid(approval_id))
    if row is None:
        raise ApprovalNotFound
    return read_approval(row)


async def find_waiting(database: Database, kind: str, about: str) -> Approval | None:
    """The approval in which this thing waits, if it does."""
    return next((each for each in await list_of_thing(database, kind, about) if each.state == "waiting"), None)


async def list_of_thing(database: Database, kind: str, about: str) -> list[Approval]:
    """All approvals of one thing, the newest first."""
    return [read_approval(row) for row in await approvals.list_of_thing(database, kind=kind, about=about)]


async def list_waiting_for(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> list[Approval]:
    """What waits where the officer is an approver, or stands in for one: the next moment first, never her own work."""
    own = {tree.current(held.unit_code).code for held in officer.roles if held.role == "approver"}
    stood_for = await list_stood_for(database, officer, tree, now)
    codes = all_codes(tree, own | {each.unit_code for each in stood_for})
    rows = await approvals.list_waiting(database, unit_codes=codes, but_of=officer.id)
    found = [read_approval(row) for row in rows]
    return [each for each in found if await find_authority(database, each, officer, tree, now)]


async def find_authority(
    database: Database, approval: Approval, officer: Officer, tree: UnitTree, now: datetime
) -> Authority | None:
    """By what right the officer may decide about it; None if by none, whoever prepared it."""
    if officer.may("approve", approval.decided_in, tree):
        return Authority()
    place = tree.current(approval.decided_in).code
    for absent in await list_stood_for(database, officer, tree, now):
        if absent.unit_code == place and absent.officer_id not in approval.prepared_by:
            return Authority(absent.officer_id)
    return None


async def hand_in(
    transaction: asyncpg.Connection,
    kinds: Kinds,
    kind_name: str,
    about: str,
    payload: dict[str, Any],
    *,
    unit_code: str,
    takes_effect_at: datetime | None,
    note: str,
    officer_id: str | None,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> Approval:
    """Hand a thing in for approval; whether the officer may prepare it is the caller's question.

    The letter to those who can decide is queued. `decided_in` of the answer says where it waits; whether anybody is
    there, `is_staffed`. Raises AlreadyWaiting, and what `prepare` raises. `officer_id` None: the command line.
    """
    payload = msgspec.json.decode(msgspec.json.encode(payload))
    prepared = await kinds[kind_name].prepare(transaction, about, payload)
    prepared_by = _everybody(officer_id, prepared)
    place = await find_place(transaction, tree, kind_name, unit_code, prepared_by)
    try:
        async with transaction.transaction():
            approval_id = await approvals.add_approval(
                transaction,
                kind=kind_name,
                about=about,
                unit_code=tree.current(unit_code).code,
                decided_in=place.unit_code,
                payload=msgspec.json.encode(payload).decode(),
                preview=msgspec.json.encode(prepared.preview).decode(),
                note=_bounded("note", note.strip()),
                prepared_by=prepared_by,
                handed_in_by=officer_id,
                handed_in_at=now,
                takes_effect_at=takes_effect_at,
            )
    except asyncpg.UniqueViolationError:
        raise AlreadyWaiting(kind=kind_name) from None
    approval = await find_approval(transaction, approval_id)
    await add_step(transaction, approval, "handed_in", actor, now)
    await letters.tell_deciders(transaction, approval, kinds, tree, now, post)
    return approval


async def approve(
    transaction: asyncpg.Connection,
    kinds: Kinds,
    approval_id: str,
    *,
    officer: Officer,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> Approval:
    """Approve exactly what was handed in; it takes effect at its moment, or now if that is past or there is none.

    Raises ApprovalNotFound, NotPermitted, OwnWork, AlreadyDecided, ApprovalOutdated, and what the kind raises.
    """
    approval, authority = await _lock_for_decision(transaction, approval_id, officer, tree, now)
    kind = kinds[approval.kind]
    if await find_changes(transaction, approval, kind) is not None:
        raise ApprovalOutdated(approval_id=approval.id)
    try:
        async with transaction.transaction():
            await _decide(transaction, approval, "approved", officer, authority, now)
    except asyncpg.CheckViolationError as violation:
        if sql.broken_rule(violation) == "nobody_approves_their_own_work":
            raise OwnWork(approval_id=approval.id) from None
        raise
    await kind.take_effect(transaction, approval.about, approval.payload, approval.takes_effect_at, actor, now)
    return await _conclude(transaction, approval.id, "approved", kinds, actor, now, post)


async def send_back(
    transaction: asyncpg.Connection,
    kinds: Kinds,
    approval_id: str,
    reason: str,
    *,
    officer: Officer,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> Approval:
    """Return it to whoever handed it in, with a reason; what is public stays as it is.

    Raises InvalidForm without a reason, else as `approve`.
    """
    approval, authority = await _lock_for_decision(transaction, approval_id, officer, tree, now)
    await _decide(transaction, approval, "returned", officer, authority, now, require_reason(reason))
    return await _conclude(transaction, approval.id, "returned", kinds, actor, now, post)


async def withdraw(
    transaction: asyncpg.Connection,
    kinds: Kinds,
    approval_id: str,
    reason: str,
    *,
    officer: Officer | None,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> Approval:
    """Take it back before its moment: by whoever prepared it, an approver or an administrator of the unit or above.

    A reason is wanted unless one takes back what nobody has decided about and is one's own. `officer` None: the command
    line. Raises ApprovalNotFound, NotPermitted, AlreadyInEffect, AlreadyDecided, InvalidForm, and what the kind raises.
    """
    approval = await _lock(transaction, approval_id)
    if officer is not None:
        await _require_withdrawer(transaction, approval, officer, tree, now)
    if approval.is_in_effect(now):
        raise AlreadyInEffect(approval_id=approval.id)
    if not approval.can_be_withdrawn(now):
        raise AlreadyDecided(approval_id=approval.id, state=approval.state)
    own = officer is not None and officer.id in approval.prepared_by and approval.state == "waiting"
    reason = reason.strip() if own else require_reason(reason)
    await approvals.mark_withdrawn(transaction, id=approval.id, now=now, reason=_bounded("reason", reason))
    if approval.state == "approved":
        await kinds[approval.kind].take_back(transaction, approval.about, approval.payload, actor, now)
    return await _conclude(transaction, approval.id, "withdrawn", kinds, actor, now, post)


async def find_changes(transaction: asyncpg.Connection, approval: Approval, kind: ApprovalKind) -> Preview | None:
    """What would become public now, if that is not what was handed in; None as long as nothing has changed.

    Raises the kind's DomainError when nothing could become public any more.
    """
    fresh = await kind.prepare(transaction, approval.about, approval.payload)
    same = _as_kept(approval.preview) == _as_kept(fresh.preview)
    return None if same and set(fresh.prepared_by) <= set(approval.prepared_by) else fresh.preview


def may_see(approval: Approval, officer: Officer, tree: UnitTree) -> bool:
    """Whether somebody who has no part in deciding may read it: whose work it is, and who sees the unit's exams."""
    return officer.id in approval.prepared_by or officer.may("see_exams", approval.unit_code, tree)


def may_withdraw(approval: Approval, officer: Officer, tree: UnitTree) -> bool:
    """Whether it is the officer's to take back, as long as there is time."""
    return officer.id in approval.prepared_by or officer.may("take_down", approval.unit_code, tree)


def require_reason(reason: str) -> str:
    """The reason as it is kept. Raises InvalidForm when there is none."""
    if not reason.strip():
        raise InvalidForm([FieldError("reason", "required")])
    return _bounded("reason", reason.strip())


async def _lock(transaction: asyncpg.Connection, approval_id: str) -> Approval:
    row = await approvals.lock_approval(transaction, id=_uuid(approval_id))
    if row is None:
        raise ApprovalNotFound
    return read_approval(row)


async def _lock_for_decision(
    transaction: asyncpg.Connection, approval_id: str, officer: Officer, tree: UnitTree, now: datetime
) -> tuple[Approval, Authority]:
    approval = await _lock(transaction, approval_id)
    authority = await find_authority(transaction, approval, officer, tree, now)
    if authority is None:
        raise NotPermitted if may_see(approval, officer, tree) else ApprovalNotFound
    if approval.state != "waiting":
        raise AlreadyDecided(approval_id=approval.id, state=approval.state)
    if officer.id in approval.prepared_by:
        raise OwnWork(approval_id=approval.id)
    return approval, authority


async def _require_withdrawer(
    transaction: asyncpg.Connection, approval: Approval, officer: Officer, tree: UnitTree, now: datetime
) -> None:
    if may_withdraw(approval, officer, tree) or approval.decided_by == officer.id:
        return
    if may_see(approval, officer, tree) or await find_authority(transaction, approval, officer, tree, now):
        raise NotPermitted
    raise ApprovalNotFound


async def _decide(
    transaction: asyncpg.Connection,
    approval: Approval,
    state: str,
    officer: Officer,
    authority: Authority,
    now: datetime,
    reason: str | None = None,
) -> None:
    await approvals.mark_decided(
        transaction,
        id=approval.id,
        state=state,
        decided_by=officer.id,
        decided_for=authority.decided_for,
        now=now,
        reason=reason,
    )


async def _conclude(
    transaction: asyncpg.Connection, approval_id: str, step: Step, kinds: Kinds, actor: Actor, now: datetime, post: Post
) -> Approval:
    approval = await find_approval(transaction, approval_id)
    await add_step(transaction, approval, step, actor, now)
    await letters.tell_of_decision(transaction, approval, step, kinds, actor, now, post)
    return approval


def _as_kept(preview: Preview) -> Any:
    return msgspec.json.decode(msgspec.json.encode(preview))


def _everybody(officer_id: str | None, prepared: Prepared) -> list[str]:
    return list(dict.fromkeys([*([officer_id] if officer_id else []), *prepared.prepared_by]))


def _uuid(approval_id: str) -> str:
    try:
        return str(UUID(approval_id))
    except ValueError:
        raise ApprovalNotFound from None


def _bounded(field: str, text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise InvalidForm([FieldError(field, "too_long")])
    return text
