"""One approval: what was handed in, where it waits, and what became of it."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from kit.errors import DomainError
from units.approvals.kinds import Preview

State = Literal["waiting", "approved", "returned", "withdrawn"]


class ApprovalNotFound(DomainError):
    """There is no such approval, or none that you may see."""

    code = "approval_not_found"
    status = 404


class AlreadyWaiting(DomainError):
    """The same thing is waiting for approval already."""

    code = "already_waiting"
    status = 409


class AlreadyDecided(DomainError):
    """Somebody else was quicker, or it was withdrawn meanwhile."""

    code = "already_decided"
    status = 409


class AlreadyInEffect(DomainError):
    """Its moment has come: what is public is taken down, not withdrawn."""

    code = "already_in_effect"
    status = 409


class ApprovalOutdated(DomainError):
    """What would become public is no longer what was handed in."""

    code = "approval_outdated"
    status = 409


class OwnWork(DomainError):
    """Nobody approves their own work, not for somebody else either."""

    code = "own_work"
    status = 403


class Approval(msgspec.Struct, frozen=True):
    """One thing handed in. Officers are named by their ids; `decided_in` is where the second person sits.

    `looked_after_by` is whom it goes back to. `takes_effect_at` None: at once, when it is approved.
    """

    id: str
    kind: str
    about: str
    unit_code: str
    decided_in: str
    payload: dict[str, Any]
    preview: Preview
    note: str
    prepared_by: tuple[str, ...]
    handed_in_by: str | None
    looked_after_by: str | None
    handed_in_at: datetime
    takes_effect_at: datetime | None
    state: State
    decided_by: str | None
    decided_for: str | None
    decided_at: datetime | None
    reason: str | None

    @property
    def in_effect_at(self) -> datetime | None:
        """When it becomes or became public; None while nobody has approved it."""
        if self.state != "approved" or self.decided_at is None:
            return None
        return max(self.decided_at, self.takes_effect_at or self.decided_at)

    def is_in_effect(self, now: datetime) -> bool:
        """Whether it is approved and its moment has come."""
        return self.in_effect_at is not None and self.in_effect_at <= now

    def can_be_withdrawn(self, now: datetime) -> bool:
        """Whether it waits, or is approved for a moment that has not come."""
        return self.state == "waiting" or (self.state == "approved" and not self.is_in_effect(now))


def read_approval(row: Any) -> Approval:
    """An Approval from a row of the table."""
    facts = dict(row)
    for name in ("id", "handed_in_by", "looked_after_by", "decided_by", "decided_for"):
        facts[name] = str(facts[name]) if facts[name] else None
    facts["prepared_by"] = tuple(str(officer_id) for officer_id in facts["prepared_by"])
    facts["payload"] = msgspec.json.decode(facts["payload"])
    facts["preview"] = msgspec.json.decode(facts["preview"], type=Preview)
    return Approval(**facts)
