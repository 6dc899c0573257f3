"""What the worker does for signing in: letters for forgotten passwords, and traces that nobody needs any more."""

from datetime import timedelta

from server.running.workshop import Workshop
from units.officers import recovery, sessions, throttle, tokens

# The record keeps what was; these rows only serve while they can matter.
_SESSIONS_KEPT = timedelta(days=30)


async def answer_forgotten_password(shop: Workshop, payload: bytes) -> None:
    """The job that every report of a forgotten password leaves behind, whoever is meant."""
    await recovery.answer_request(shop.pool, shop.keys, shop.post, payload, shop.clock())


async def forget_traces(shop: Workshop) -> None:
    """Sessions long over, links long too old, failures that count no longer."""
    now = shop.clock()
    await throttle.forget(shop.pool, now)
    await sessions.forget(shop.pool, now - _SESSIONS_KEPT)
    await tokens.forget(shop.pool, now - _SESSIONS_KEPT)
