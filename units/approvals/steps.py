"""The steps of an approval: each once, with who, when and why, kept for the page and told to the record."""

from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database
from units.approvals.approval import Approval
from units.record.actions import Action
from units.record.entries import Actor, write

steps = sql.load(__file__, "steps")

Step = Literal["handed_in", "moved", "handed_over", "approved", "returned", "withdrawn"]

_ACTIONS: dict[Step, Action] = {
    "handed_in": "approval.handed_in",
    "moved": "approval.moved",
    "handed_over": "approval.handed_over",
    "approved": "approval.approved",
    "returned": "approval.returned",
    "withdrawn": "approval.withdrawn",
}


class StepTaken(msgspec.Struct, frozen=True):
    """One step as it happened; officers by their ids. `unit_code`: where it waits from then on."""

    step: Step
    officer_id: str | None
    decided_for: str | None
    handed_to: str | None
    unit_code: str | None
    reason: str | None
    at: datetime


async def add_step(
    transaction: asyncpg.Connection,
    approval: Approval,
    step: Step,
    actor: Actor,
    now: datetime,
    *,
    to: str | None = None,
) -> None:
    """Keep the step that brought the approval to where it is, and write it into the record. `to`: who took it over.

    What somebody wrote as a reason stands with the step alone: the record holds no free text.
    """
    decided_for = approval.decided_for if step in ("approved", "returned") else None
    await steps.add_step(
        transaction,
        approval_id=approval.id,
        step=step,
        officer_id=actor.officer_id,
        decided_for=decided_for,
        unit_code=approval.decided_in,
        reason=_told(approval, step),
        handed_to=to,
        at=now,
    )
    await write(
        transaction,
        actor,
        _ACTIONS[step],
        ("approval", approval.id),
        unit=approval.unit_code,
        **_facts(approval, decided_for) | ({"to": to} if to else {}),
    )


async def list_steps(database: Database, approval: Approval) -> list[StepTaken]:
    """All steps of an approval, the first first."""
    return [StepTaken(**row) for row in await steps.list_steps(database, approval_id=approval.id)]


def _told(approval: Approval, step: Step) -> str | None:
    if step == "handed_in":
        return approval.note or None
    return approval.reason or None if step in ("returned", "withdrawn") else None


def _facts(approval: Approval, decided_for: str | None) -> dict[str, Any]:
    facts = {
        "thing": (approval.kind, approval.about),
        "state": approval.state,
        "prepared_by": approval.prepared_by,
        "decided_in": approval.decided_in,
        "takes_effect_at": approval.takes_effect_at,
    }
    return facts | ({"decided_for": decided_for} if decided_for else {})
