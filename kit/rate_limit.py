"""Everybody gets their turn: so many requests a minute for each, counted once for all nodes."""

import hmac
import math
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from limits import RateLimitItem
from limits.aio.strategies import FixedWindowRateLimiter
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from prometheus_client import Counter

from kit.client_address import UNKNOWN, address_bucket, address_prefix
from kit.errors import TooManyRequests
from kit.rate_counters import LocalCounters, RedisAway, SharedCounters
from kit.redis_servers import RedisServer

__all__ = ["RateLimiter", "Verdict", "address_bucket", "address_prefix", "limited"]

HITS = Counter("baodanh_limit_hits", "Requests that met a rate limit", ["name", "verdict"])

_encode = msgspec.msgpack.Encoder().encode


class Verdict(msgspec.Struct, frozen=True):
    """Whether a request may go on; if not, after how many whole seconds it is worth trying again."""

    allowed: bool
    retry_after: int


_ALLOWED = Verdict(allowed=True, retry_after=0)


class RateLimiter:
    """Limits by name, each counted per combination of identifiers, in Redis for all nodes.

    The window is fixed: it opens with the first request and closes `rate` later, by the clock of Redis, and a refused
    request does not prolong it. That is one small counter and one round trip for each request, the seconds to wait are
    known exactly, and whoever waits them is let in; a moving window keeps a list of moments per address instead.
    While Redis is away each process counts for itself, with half the amount. `key` hides the identifiers (HMAC).
    """

    def __init__(self, server: RedisServer, *, key: bytes, rates: Mapping[str, RateLimitItem]) -> None:
        self._key = key
        self._rates = dict(rates)
        self._halved = {name: type(rate)(max(1, rate.amount // 2), rate.multiples) for name, rate in rates.items()}
        self._shared = FixedWindowRateLimiter(SharedCounters(server))
        self._local = FixedWindowRateLimiter(LocalCounters())

    async def hit(self, name: str, *identifiers: str) -> Verdict:
        """Count one request and say whether it may go on."""
        identity = self._identity(name, identifiers)
        try:
            verdict = await _hit(self._shared, self._rates[name], identity)
        except RedisAway:
            verdict = await _hit(self._local, self._halved[name], identity)
        HITS.labels(name, "allowed" if verdict.allowed else "refused").inc()
        return verdict

    async def clear(self, name: str, *identifiers: str) -> None:
        """Forget what was counted: they have proved that they are not guessing."""
        identity = self._identity(name, identifiers)
        await self._local.clear(self._halved[name], identity)
        try:
            await self._shared.clear(self._rates[name], identity)
        except RedisAway:
            return

    def _identity(self, name: str, identifiers: tuple[str, ...]) -> str:
        return hmac.digest(self._key, _encode(("limit", name, identifiers)), "sha256")[:16].hex()


async def _hit(strategy: FixedWindowRateLimiter, rate: RateLimitItem, identity: str) -> Verdict:
    if await strategy.hit(rate, identity):
        return _ALLOWED
    seconds = await strategy.storage.get_expiry(rate.key_for(identity)) - time.time()
    return Verdict(allowed=False, retry_after=max(1, min(math.ceil(seconds), rate.get_expiry())))


def limited(name: str) -> Callable[[ASGIConnection, BaseRouteHandler], Awaitable[None]]:
    """A route guard: `guards=[limited("score_lookup")]` counts each request by the client's address.

    The limiter is `app.state.limiter`. Raises TooManyRequests.
    """

    async def guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:
        host = connection.client.host if connection.client else UNKNOWN
        verdict = await connection.app.state.limiter.hit(name, address_bucket(host))
        if not verdict.allowed:
            raise TooManyRequests(verdict.retry_after)

    return guard
