"""Approval by two: what one person hands in, another decides about, and either can take back until its moment."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError, InvalidForm
from kit.mail.post import Post
from units.approvals import letters
from units.approvals.approval import (
    AlreadyDecided,
    AlreadyInEffect,
    AlreadyWaiting,
    Approval,
    ApprovalNotFound,
    ApprovalOutdated,
    OwnWork,
    read_approval,
)
from units.approvals.authority import Authority, find_authority, may_see, may_withdraw
from units.approvals.kinds import ApprovalKind, Kinds, Prepared, Preview
from units.approvals.lists import find_approval, find_waiting, list_of_thing, list_waiting_for, read_id
from units.approvals.places import find_place, is_staffed
from units.approvals.steps import Step, add_step
from units.officers.officers import NotPermitted, Officer
from units.record.entries import Actor
from units.unit_tree import UnitTree

__all__ = [
    "Approval",
    "approve",
    "find_approval",
    "find_waiting",
    "hand_in",
    "is_staffed",
    "list_of_thing",
    "list_waiting_for",
    "send_back",
    "withdraw",
]

approvals = sql.load(__file__, "approvals")

_LONGEST_TEXT = 2000


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
    wishes: Collection[str] = (),
) -> Approval:
    """Approve exactly what was handed in; it takes effect at its moment, or now if that is past or there is none.

    `wishes`: what the approver asks for with it, as far as the kind knows it. Raises ApprovalNotFound, NotPermitted,
    OwnWork, AlreadyDecided, ApprovalOutdated, and what the kind raises.
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
    payload = approval.payload
    if asked := sorted(set(wishes) & set(getattr(kind, "wishes", ()))):
        payload = payload | {"wishes": asked}
    await kind.take_effect(transaction, approval.about, payload, approval.takes_effect_at, actor, now)
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
    own = officer is not None and _is_own(approval, officer) and approval.state == "waiting"
    reason = reason.strip() if own else require_reason(reason)
    await approvals.mark_withdrawn(transaction, id=approval.id, now=now, reason=_bounded("reason", reason))
    if approval.state == "approved":
        await kinds[approval.kind].take_back(transaction, approval.about, approval.payload, actor, now)
    withdrawn = await _conclude(transaction, approval.id, "withdrawn", kinds, actor, now, post)
    if approval.state == "waiting":
        await letters.tell_that_nothing_waits(transaction, withdrawn, kinds, tree, actor, now, post)
    return withdrawn


async def find_changes(transaction: asyncpg.Connection, approval: Approval, kind: ApprovalKind) -> Preview | None:
    """What would become public now, if that is not what was handed in; None as long as nothing has changed.

    Raises the kind's DomainError when nothing could become public any more.
    """
    fresh = await kind.prepare(transaction, approval.about, approval.payload)
    same = _as_kept(approval.preview) == _as_kept(fresh.preview)
    return None if same and set(fresh.prepared_by) <= set(approval.prepared_by) else fresh.preview


def require_reason(reason: str) -> str:
    """The reason as it is kept. Raises InvalidForm when there is none."""
    if not reason.strip():
        raise InvalidForm([FieldError("reason", "required")])
    return _bounded("reason", reason.strip())


async def _lock(transaction: asyncpg.Connection, approval_id: str) -> Approval:
    row = await approvals.lock_approval(transaction, id=read_id(approval_id))
    if row is None:
        raise ApprovalNotFound
    return read_approval(row)


async def _lock_for_decision(
    transaction: asyncpg.Connection, approval_id: str, officer: Officer, tree: UnitTree, now: datetime
) -> tuple[Approval, Authority]:
    approval = await _lock(transaction, approval_id)
    authority = await find_authority(transaction, approval, officer, tree, now)
    if authority is None and not may_see(approval, officer, tree):
        raise ApprovalNotFound
    if _is_own(approval, officer):
        raise OwnWork(approval_id=approval.id)
    if authority is None:
        raise NotPermitted
    if approval.state != "waiting":
        raise AlreadyDecided(approval_id=approval.id, state=approval.state)
    return approval, authority


def _is_own(approval: Approval, officer: Officer) -> bool:
    """Said before anything is done; the constraint `nobody_approves_their_own_work` is what forbids it."""
    return officer.id in approval.prepared_by


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


def _bounded(field: str, text: str) -> str:
    if len(text) > _LONGEST_TEXT:
        raise InvalidForm([FieldError(field, "too_long")])
    return text
