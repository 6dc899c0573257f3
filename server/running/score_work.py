"""Result files as work: they are checked and imported beside the requests, and forgotten after some days."""

import asyncio
from datetime import timedelta
from pathlib import Path

from lookup.gate.sightings import forget_sightings
from lookup.score_uploads import erase_old
from lookup.upload_work import Tools, sweep, work_on_uploads
from server.running.workshop import Workshop
from units.record.entries import SERVICE

# No import takes so long.
_LEFT_BEHIND = timedelta(days=1)


async def take_up_files(shop: Workshop, payload: bytes) -> None:
    """The job that a file leaves behind: all that waits for the same exam, in its order."""
    pin_key = shop.keys.current("pin").value
    tools = Tools(pool=shop.pool, folder=_folder(shop), pin_key=pin_key, clock=shop.clock)
    await work_on_uploads(tools, payload.decode())


async def erase_files(shop: Workshop) -> None:
    """What files held goes some days after they came."""
    while True:
        async with shop.pool.acquire() as connection, connection.transaction():
            if not await erase_old(connection, actor=SERVICE, now=shop.clock()):  # type: ignore[arg-type]  # a proxy
                return


async def sweep_files(shop: Workshop) -> None:
    """What a killed worker of this machine has left on its disk."""
    await asyncio.to_thread(sweep, _folder(shop), shop.clock() - _LEFT_BEHIND)


async def forget_what_was_seen(shop: Workshop) -> None:
    """Signs of collecting and guessing are kept for a season of exams."""
    await forget_sightings(shop.pool, shop.clock())


def _folder(shop: Workshop) -> Path:
    return shop.settings.state_dir / "uploads"
