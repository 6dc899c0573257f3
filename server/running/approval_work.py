"""What the worker does about approvals: what waits where nobody is left goes to where somebody can decide."""

from datetime import timedelta
from typing import cast

import asyncpg

from server.approval_kinds import KINDS
from server.running.workshop import Workshop
from units.approvals.rerouting import is_anything_misplaced, reroute
from units.unit_tree import UnitTree
from units.units import list_units

EVERY = timedelta(minutes=1)


async def find_places(shop: Workshop) -> None:
    """An approver who left, fell asleep or became its author; a unit that was merged: each soon has an answer."""
    if not await is_anything_misplaced(shop.pool):
        return
    async with shop.pool.acquire() as pooled, pooled.transaction():
        connection = cast("asyncpg.Connection", pooled)
        tree = UnitTree(await list_units(connection))
        await reroute(connection, KINDS, tree, shop.clock(), shop.post)
