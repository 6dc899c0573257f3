"""Which approvals somebody is shown: what waits for them, what they handed in, what was decided."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kit import sql
from kit.sql import Database
from units.approvals.approval import Approval, ApprovalNotFound, read_approval
from units.approvals.authority import authority_over, places_of
from units.approvals.deputies import list_stood_for
from units.approvals.places import all_codes
from units.officers.officers import Officer
from units.unit_tree import UnitTree

approvals = sql.load(__file__, "approvals")


async def find_approval(database: Database, approval_id: str) -> Approval:
    """One approval by its id, whoever asks. Raises ApprovalNotFound."""
    row = await approvals.find_approval(database, id=read_id(approval_id))
    if row is None:
        raise ApprovalNotFound
    return read_approval(row)


async def find_approvals(database: Database, approval_ids: Sequence[str]) -> dict[str, Approval]:
    """Several approvals by their ids, whoever asks; what nobody has handed in is left out."""
    rows = await approvals.list_by_id(database, ids=list(approval_ids)) if approval_ids else []
    return {found.id: found for found in map(read_approval, rows)}


async def find_waiting(database: Database, kind: str, about: str) -> Approval | None:
    """The approval in which this thing waits, if it does."""
    return next((each for each in await list_of_thing(database, kind, about) if each.state == "waiting"), None)


async def list_of_thing(database: Database, kind: str, about: str) -> list[Approval]:
    """All approvals of one thing, the newest first."""
    return [read_approval(row) for row in await approvals.list_of_thing(database, kind=kind, about=about)]


async def list_waiting_for(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> list[Approval]:
    """What waits where the officer is an approver, or stands in for one: the next moment first, never her own work."""
    stood_for = await list_stood_for(database, officer, tree, now)
    codes = all_codes(tree, places_of(officer, tree) | {each.unit_code for each in stood_for})
    rows = await approvals.list_waiting(database, unit_codes=codes, but_of=officer.id)
    return [
        found
        for found in map(read_approval, rows)
        if authority_over(found.decided_in, found.prepared_by, officer, stood_for, tree)
    ]


async def count_waiting_for(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> int:
    """How many `list_waiting_for` finds, without reading what they are about."""
    stood_for = await list_stood_for(database, officer, tree, now)
    codes = all_codes(tree, places_of(officer, tree) | {each.unit_code for each in stood_for})
    rows = await approvals.list_waiting_places(database, unit_codes=codes, but_of=officer.id) if codes else []
    return sum(
        authority_over(row["decided_in"], row["prepared_by"], officer, stood_for, tree) is not None for row in rows
    )


async def list_waiting_below(database: Database, officer: Officer, tree: UnitTree) -> list[Approval]:
    """What waits in units further down for their own approvers; the officer may decide it where that is needed."""
    own = places_of(officer, tree)
    codes = [
        unit.code
        for unit in tree
        if tree.current(unit.code).code not in own and officer.may("approve", unit.code, tree)
    ]
    return [read_approval(row) for row in await approvals.list_waiting(database, unit_codes=codes, but_of=officer.id)]


async def list_handed_in(database: Database, officer_id: str, after: datetime) -> list[Approval]:
    """The officer's work: what waits, and what was decided or takes effect after that moment."""
    rows = await approvals.list_prepared_by(database, officer_id=officer_id, decided_after=after)
    return [read_approval(row) for row in rows]


async def list_returned_to(database: Database, officer_id: str, after: datetime) -> list[Approval]:
    """What was sent back to the officer and not handed in anew."""
    rows = await approvals.list_returned_to(database, officer_id=officer_id, decided_after=after)
    return [read_approval(row) for row in rows]


async def list_decided(database: Database, officer: Officer, tree: UnitTree, after: datetime) -> list[Approval]:
    """What was decided lately in units that the officer sees."""
    codes = [unit.code for unit in tree if officer.may("see_exams", unit.code, tree)]
    return [read_approval(row) for row in await approvals.list_decided(database, unit_codes=codes, decided_after=after)]


def read_id(approval_id: str) -> str:
    """An id as it came from an address. Raises ApprovalNotFound for what is none."""
    try:
        return str(UUID(approval_id))
    except ValueError:
        raise ApprovalNotFound from None
