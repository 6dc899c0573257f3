"""The record's chores, as the worker gives them what they need."""

from server.running.workshop import Workshop
from units.record import chores
from units.record.sealer import seal_until_cancelled


async def seal(shop: Workshop) -> None:
    """Chain what has settled, or wait for the place of whoever does."""
    await seal_until_cancelled(shop.pool)


async def tell_head(shop: Workshop) -> None:
    """Where the chain ends, told outside the database."""
    await chores.tell_head(shop.pool, shop.settings.heads_folder)


async def make_room(shop: Workshop) -> None:
    """Segments for the months to come."""
    await chores.make_room(shop.pool)


async def check(shop: Workshop) -> None:
    """The whole record, once a day."""
    await chores.check(shop.pool, shop.settings.database_url, shop.settings.heads_folder, shop.clock())
