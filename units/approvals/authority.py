"""By what right somebody decides, sees or takes back: their roles, their own work, or an absent approver's trust."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from kit.sql import Database
from units.approvals.approval import Approval
from units.approvals.deputies import StoodFor, list_stood_for
from units.officers.officers import Officer
from units.unit_tree import UnitTree


class Authority(msgspec.Struct, frozen=True):
    """By what right somebody decides: their own, or that of the absent approver they stand in for."""

    decided_for: str | None = None


def places_of(officer: Officer, tree: UnitTree) -> set[str]:
    """Where the officer is an approver: what waits there waits for her."""
    return {tree.current(held.unit_code).code for held in officer.roles if held.role == "approver"}


async def find_authority(
    database: Database, approval: Approval, officer: Officer, tree: UnitTree, now: datetime
) -> Authority | None:
    """By what right the officer may decide about it; None if by none, her own work or not."""
    stood_for = await list_stood_for(database, officer, tree, now)
    return authority_over(approval.decided_in, approval.prepared_by, officer, stood_for, tree)


def authority_over(
    decided_in: str, prepared_by: Collection[str], officer: Officer, stood_for: list[StoodFor], tree: UnitTree
) -> Authority | None:
    """As `find_authority`, of what waits in a unit and is the work of those: her own right before a borrowed one."""
    if officer.may("approve", decided_in, tree):
        return Authority()
    place = tree.current(decided_in).code
    borrowed = (each for each in stood_for if each.unit_code == place and each.officer_id not in prepared_by)
    return next((Authority(each.officer_id) for each in borrowed), None)


def may_see(approval: Approval, officer: Officer, tree: UnitTree) -> bool:
    """Whether somebody who has no part in deciding may read it: whose work it is, and who sees the unit's exams."""
    return officer.id in approval.prepared_by or officer.may("see_exams", approval.unit_code, tree)


def may_withdraw(approval: Approval, officer: Officer, tree: UnitTree) -> bool:
    """Whether it is the officer's to take back, as long as there is time."""
    return officer.id in approval.prepared_by or officer.may("take_down", approval.unit_code, tree)
