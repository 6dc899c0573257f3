"""What the worker does about officers who are not there: letters, sleep, invitations that ran out."""

from typing import cast

import asyncpg

from server.running.workshop import Workshop
from units.officers.sleeping import look_after_idle_accounts


async def look_after_idle(shop: Workshop) -> None:
    """Once a day, and at the start: whatever is due."""
    async with shop.pool.acquire() as connection, connection.transaction():
        await look_after_idle_accounts(cast("asyncpg.Connection", connection), shop.post, shop.clock())
