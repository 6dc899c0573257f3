"""The steps of an approval: each once, with who, when and why, kept for the page and told to the record."""

from datetime import datetime
from typing import Any, Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database
from units.approvals.approval import Approval
from units.record.entries import Actor, write

steps = sql.load(__file__, "steps")

Step = Literal["handed_in", "moved", "handed_over", "approved", "returned", "withdrawn"]
_HAS_A_REASON = ("returned", "withdrawn")


class StepTaken(msgspec.Struct, frozen=True):
    """One step as it happened; officers by their ids. `unit_code`: where it waits from then on."""

    step: Step
    officer_id: str | None
    decided_for: str | None
    unit_code: str | None
    reason: str | None
    at: datetime


async def add_step(
    transaction: asyncpg.Connection, approval: Approval, step: Step, actor: Actor, now: datetime
) -> None:
    """Keep the step that brought the approval to where it is, and write it into the record.

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
        reason=approval.reason if step in _HAS_A_REASON else approval.note or None if step == "handed_in" else None,
        at=now,
    )
    await write(
        transaction,
        actor,
        f"approval.{step}",
        ("approval", approval.id),
        unit=approval.unit_code,
        **_facts(approval, decided_for),
    )


async def list_steps(database: Database, approval: Approval) -> list[StepTaken]:
    """All steps of an approval, the first first."""
    return [StepTaken(**row) for row in await steps.list_steps(database, approval_id=approval.id)]


def _facts(approval: Approval, decided_for: str | None) -> dict[str, Any]:
    facts = {
        "kind": approval.kind,
        "about": approval.about,
        "state": approval.state,
        "prepared_by": approval.prepared_by,
        "decided_in": approval.decided_in,
        "takes_effect_at": approval.takes_effect_at,
    }
    return facts | ({"decided_for": decided_for} if decided_for else {})
