"""Deputies (ủy quyền): who decides for an absent approver, from one day to another."""

from datetime import date, datetime, time, timedelta
from uuid import UUID

import asyncpg
import msgspec

from kit import sql
from kit.clock import VIETNAM
from kit.errors import DomainError, FieldError, InvalidForm
from kit.mail.post import Post
from kit.sql import Database
from units.approvals.places import all_codes
from units.officers.officers import NotPermitted, Officer, read_officer
from units.officers.roles import ALONE
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

deputies = sql.load(__file__, "deputies")

_LONGEST = timedelta(days=366)
_LONGEST_REASON = 500


class DeputyNotFound(DomainError):
    """There is no such delegation, or none that you may see."""

    code = "deputy_not_found"
    status = 404


class DeputyEnded(DomainError):
    """The delegation is over."""

    code = "deputy_ended"
    status = 409


class StoodFor(msgspec.Struct, frozen=True):
    """An absent approver, and the unit (by its present code) in which somebody stands in for them."""

    officer_id: str
    unit_code: str


class Deputy(msgspec.Struct, frozen=True):
    """Who stands in for whom, in which unit, from when until when; officers by their ids."""

    id: str
    unit_code: str
    absent_id: str
    deputy_id: str
    begins_at: datetime
    ends_at: datetime
    reason: str
    ended_at: datetime | None

    def state(self, now: datetime) -> str:
        """`running`, `coming`, or `over`."""
        if self.ended_at is not None or self.ends_at <= now:
            return "over"
        return "running" if self.begins_at <= now else "coming"

    @property
    def first_day(self) -> date:
        """The first day on which the deputy decides."""
        return self.begins_at.astimezone(VIETNAM).date()

    @property
    def last_day(self) -> date:
        """The last day on which the deputy decides."""
        return (self.ends_at - timedelta(microseconds=1)).astimezone(VIETNAM).date()


class Period(msgspec.Struct, frozen=True):
    """From the first day to the last, both included."""

    first: date
    last: date

    @property
    def begins_at(self) -> datetime:
        """The first midnight, on Vietnam's clock."""
        return datetime.combine(self.first, time(), VIETNAM)

    @property
    def ends_at(self) -> datetime:
        """The midnight after the last day."""
        return datetime.combine(self.last + timedelta(days=1), time(), VIETNAM)


async def list_stood_for(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> list[StoodFor]:
    """Whom the officer stands in for today. A deputy of a deputy there is not: only roles can be delegated."""
    found = []
    for row in await deputies.list_stood_for(database, deputy_id=officer.id, now=now):
        place = tree.current(row["unit_code"]).code
        # Who is no approver there any more has nothing to delegate.
        still = place in {tree.current(code).code for code in row["approves_in"]}
        if still and may_stand_in(officer, place, tree):
            found.append(StoodFor(row["absent_id"], place))
    return found


def may_stand_in(officer: Officer, unit_code: str, tree: UnitTree) -> bool:
    """Whether the officer is of that unit or of the one that manages it, and not there to check or run the service."""
    places = _places(unit_code, tree)
    held = [role for role in officer.roles if tree.current(role.unit_code).code in places]
    return officer.state == "active" and bool(held) and not any(role.role in ALONE for role in held)


async def list_candidates(database: Database, absent: Officer, unit_code: str, tree: UnitTree) -> list[Officer]:
    """Who could stand in for an approver of the unit, by name."""
    codes = all_codes(tree, _places(unit_code, tree))
    found = [read_officer(row) for row in await deputies.list_colleagues(database, unit_codes=codes, but=absent.id)]
    return [officer for officer in found if may_stand_in(officer, unit_code, tree)]


async def list_deputies(database: Database, officer_id: str, ended_after: datetime) -> list[Deputy]:
    """Delegations by the officer and to the officer that run, come, or ended after that moment; the newest first."""
    rows = await deputies.list_deputies(database, officer_id=officer_id, ended_after=ended_after)
    return [Deputy(**row) for row in rows]


async def add_deputy(
    transaction: asyncpg.Connection,
    absent: Officer,
    unit_code: str,
    deputy_id: str,
    period: Period,
    reason: str,
    *,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> str:
    """Let somebody else decide for an approver of the unit. Returns the delegation's id.

    Raises NotPermitted (no approver there), InvalidForm with every mistake at once.
    """
    absent.require("delegate_approval", unit_code, tree)
    unit_code = tree.current(unit_code).code
    deputy = {each.id: each for each in await list_candidates(transaction, absent, unit_code, tree)}.get(deputy_id)
    mistakes = [] if deputy else [FieldError("deputy", "required")]
    mistakes += _mistakes(period, reason, now)
    if mistakes or deputy is None:
        raise InvalidForm(mistakes)
    try:
        async with transaction.transaction():
            added = await deputies.add_deputy(
                transaction,
                unit_code=unit_code,
                absent_id=absent.id,
                deputy_id=deputy.id,
                begins_at=period.begins_at,
                ends_at=period.ends_at,
                reason=reason.strip(),
                made_at=now,
            )
    except asyncpg.UniqueViolationError:
        raise InvalidForm([FieldError("deputy", "deputy_already")]) from None
    await write(
        transaction, actor, "deputy.appointed", ("deputy", added), unit=unit_code,
        absent=absent.id, deputy=deputy.id, begins_at=period.begins_at, ends_at=period.ends_at,
    )  # fmt: skip
    await post.send(
        transaction, "approval_deputy", to=deputy.email, key=f"deputy:{added}", now=now, officer=deputy, absent=absent,
        unit_name=tree.current(unit_code).name, period=period, reason=reason.strip(),
    )  # fmt: skip
    return added


async def end_deputy(
    transaction: asyncpg.Connection,
    delegation_id: str,
    *,
    officer: Officer,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
) -> None:
    """End a delegation early: by the absent approver, the deputy, or an administrator of the unit or above.

    Raises DeputyNotFound, NotPermitted, DeputyEnded.
    """
    deputy = await _lock(transaction, delegation_id)
    if officer.id not in (deputy.absent_id, deputy.deputy_id) and not officer.may(
        "manage_officers", deputy.unit_code, tree
    ):
        raise NotPermitted if officer.may("see_officers", deputy.unit_code, tree) else DeputyNotFound
    await _end(transaction, deputy, actor, now)


async def end_delegation(transaction: asyncpg.Connection, delegation_id: str, actor: Actor, now: datetime) -> None:
    """End it because one of the two leaves; whether they may is the caller's question. Raises DeputyEnded."""
    await _end(transaction, await _lock(transaction, delegation_id), actor, now)


async def _lock(transaction: asyncpg.Connection, delegation_id: str) -> Deputy:
    row = await deputies.lock_deputy(transaction, id=_uuid(delegation_id))
    if row is None:
        raise DeputyNotFound
    return Deputy(**row)


async def _end(transaction: asyncpg.Connection, deputy: Deputy, actor: Actor, now: datetime) -> None:
    if deputy.state(now) == "over":
        raise DeputyEnded
    await deputies.end_deputy(transaction, id=deputy.id, ended_by=actor.officer_id, now=now)
    await write(
        transaction, actor, "deputy.ended", ("deputy", deputy.id), unit=deputy.unit_code,
        absent=deputy.absent_id, deputy=deputy.deputy_id, ends_at=deputy.ends_at,
    )  # fmt: skip


def _mistakes(period: Period, reason: str, now: datetime) -> list[FieldError]:
    mistakes = []
    if period.last < period.first:
        mistakes.append(FieldError("last_day", "period_backwards"))
    elif period.ends_at <= now:
        mistakes.append(FieldError("last_day", "period_past"))
    elif period.ends_at - period.begins_at > _LONGEST:
        mistakes.append(FieldError("last_day", "period_too_long"))
    if not reason.strip():
        mistakes.append(FieldError("reason", "required"))
    elif len(reason.strip()) > _LONGEST_REASON:
        mistakes.append(FieldError("reason", "too_long"))
    return mistakes


def _places(unit_code: str, tree: UnitTree) -> set[str]:
    return {unit.code for unit in [tree.current(unit_code), *tree.managers(unit_code)[:1]]}


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise DeputyNotFound from None
