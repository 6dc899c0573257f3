"""When the second person leaves, what waited for them goes to where somebody else can decide."""

from datetime import datetime

import asyncpg

from kit import sql
from kit.mail.post import Post
from kit.sql import Database
from units.approvals import letters
from units.approvals.approval import Approval, read_approval
from units.approvals.kinds import Kinds
from units.approvals.lists import find_approval
from units.approvals.places import find_place
from units.approvals.steps import add_step
from units.record.entries import SERVICE
from units.unit_tree import UnitTree

rerouting = sql.load(__file__, "rerouting")


async def reroute(
    transaction: asyncpg.Connection, kinds: Kinds, tree: UnitTree, now: datetime, post: Post
) -> list[Approval]:
    """Move whatever waits where nobody can decide to the nearest unit that has somebody, and write to them.

    Called in the transaction in which an approver leaves, after the role is gone, and when somebody looks at the lists.
    Returns what has moved; where nobody is left up to the root, it stays.
    """
    moved = []
    for row in await rerouting.lock_misplaced(transaction):
        approval = read_approval(row)
        place = await find_place(transaction, tree, approval.kind, approval.unit_code, approval.prepared_by)
        if place.unit_code == approval.decided_in:
            continue
        await rerouting.mark_moved(transaction, id=approval.id, decided_in=place.unit_code)
        approval = await find_approval(transaction, approval.id)
        await add_step(transaction, approval, "moved", SERVICE, now)
        await letters.tell_deciders(transaction, approval, kinds, tree, now, post)
        moved.append(approval)
    return moved


async def is_anything_misplaced(database: Database) -> bool:
    """Whether anything waits where nobody can decide: cheap enough to ask before each list."""
    return bool(await rerouting.find_misplaced(database))
