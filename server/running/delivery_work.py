"""Sealed releases on their way: this node's files, the keys at their second, and what is not needed any more."""

from functools import partial

import asyncpg

from kit.own_loop import in_a_loop_of_its_own
from kit.redis_servers import RedisServer
from lookup.sealed import delivery, slip_keeping, slip_opening
from lookup.sealed.delivery import Delivery
from lookup.sealed.key_sending import KeySender
from lookup.sealed.release_keys import RELEASE, ReleaseKeys
from server.running.workshop import Workshop

_ANSWER_SECONDS = 3


async def fetch_bundles(shop: Workshop) -> None:
    """Every file that this node must have, before its moment."""
    settings = shop.settings
    sends_keys = shop.keys.holds(RELEASE)
    work = Delivery(shop.pool, settings.releases_folder, settings.node, sends_keys=sends_keys, clock=shop.clock)
    await work.run(settings.database_url)


async def send_keys(shop: Workshop) -> None:
    """The keys of releases, where this worker can unwrap them."""
    if shop.keys.holds(RELEASE):
        # An import of a country's results may keep this loop busy at just that second.
        await in_a_loop_of_its_own(partial(_send_keys, shop), "release-keys")


async def _send_keys(shop: Workshop) -> None:
    settings = shop.settings
    async with (
        asyncpg.create_pool(
            settings.database_url, min_size=0, max_size=4, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS
        ) as pool,
        RedisServer(settings.redis_url) as redis,
    ):
        try:
            await KeySender(
                pool,
                settings.database_url,
                redis,
                settings.releases_folder,
                cache_key=shop.keys.current("cache").value,
                unwrap=ReleaseKeys(shop.keys).unwrap,
                clock=shop.clock,
            ).run()
        finally:
            # A dead server is not asked to say goodbye.
            pool.terminate()


async def make_slips(shop: Workshop) -> None:
    """Keys on paper for those who asked, where this worker can unwrap them."""
    if shop.keys.holds(RELEASE):
        await slip_keeping.make_slips(shop.pool, shop.keys, ReleaseKeys(shop.keys).unwrap)


async def note_slips(shop: Workshop) -> None:
    """What was opened on this node by a key on paper, while PostgreSQL was away."""
    await slip_opening.put_on_record(shop.pool, shop.settings.releases_folder, shop.settings.node)


async def tidy_pieces(shop: Workshop) -> None:
    """Pieces in PostgreSQL that no node will ask for."""
    await delivery.tidy(shop.pool)
