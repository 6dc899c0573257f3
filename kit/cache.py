"""What many ask for is made once: an answer is kept in Redis, for all nodes, until its time is over."""

import asyncio
import hashlib
import hmac
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
from prometheus_client import Counter

from kit.gathering import Gatherer
from kit.redis_servers import RedisServer

_ANSWERS = Counter("baodanh_cache_answers", "Answers given, by where they came from", ["name", "source"])
_REJECTED = Counter("baodanh_cache_rejected", "Values in Redis that were damaged or not ours")

Make = Callable[[], Awaitable[bytes | None]]

# One value in a gathered read must not hold up the others.
_LARGEST = 64 * 1024
# So many writes may wait; those beyond are made again by whoever asks next.
_WRITES = 2000
# Entries made in the same second should not all end in the same second.
_JITTER = 0.1
# Slots of a cluster that one name's entries are spread over: enough to use every node, few enough to gather by.
_SPREAD = 16
_SIGNATURE, _MOMENT = 8, 8
_NEGATIVE, _POSITIVE = b"-", b"+"

_encode = msgspec.msgpack.Encoder().encode


class Kept(NamedTuple):
    """An answer and the moment (Unix time) at which it stops being true; `body` None: there is no such thing."""

    body: bytes | None
    ends: float


class _Flight(NamedTuple):
    task: asyncio.Task[bytes | None]
    ends: float


class _Ask(NamedTuple):
    """One call of `get_or_make`: the moments until which an answer and a None may be kept."""

    name: str
    digest: bytes
    make: Make
    ends: float
    negative_ends: float


class Cache:
    """Answers by name and parts, in Redis for all nodes; while it is away, for a few seconds in this process.

    `key` makes the keys in Redis (an HMAC: they tell nothing about the parts) and signs the values. Another `version`
    never reads what this one wrote. Use it from one event loop.
    """

    def __init__(
        self, server: RedisServer, *, key: bytes, version: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._server, self._key, self._version, self._clock = server, key, version, clock
        self._flights: dict[bytes, _Flight] = {}
        self._local = LocalAnswers()
        self._reads = Gatherer(self._read)
        self._writes = Gatherer(server.run, backlog=_WRITES)

    async def get_or_make(
        self, name: str, parts: tuple[Any, ...], make: Make, *, ttl: float, negative_ttl: float | None = None
    ) -> bytes | None:
        """The answer kept under `name` and `parts`, else what `make()` returns, which is then kept.

        `parts` carry every input of the answer: texts, whole numbers, bytes, dates, None. An answer is kept for `ttl`
        seconds from now, None for `negative_ttl` (else `ttl`); for zero or less it is neither kept nor shared.
        Callers at the same time share one `make()`; what it raises goes to all of them and is never kept.
        """
        digest = self._digest(name, parts)
        now = self._clock()
        flight = self._flights.get(digest)
        # Whoever comes after an answer's time does not join those who asked within it.
        if flight is None or flight.ends <= now:
            ask = _Ask(name, digest, make, now + ttl, now + (ttl if negative_ttl is None else negative_ttl))
            flight = self._take_off(ask)
        else:
            _ANSWERS.labels(name, "shared").inc()
        # A caller who leaves does not take the answer away from the others.
        return await asyncio.shield(flight.task)

    def _take_off(self, ask: _Ask) -> _Flight:
        task = asyncio.get_running_loop().create_task(self._find_or_make(ask))
        flight = _Flight(task, min(ask.ends, ask.negative_ends))
        self._flights[ask.digest] = flight

        def land(task: asyncio.Task[bytes | None]) -> None:
            if self._flights.get(ask.digest) is flight:
                del self._flights[ask.digest]
            # Everybody may have left before it failed.
            if not task.cancelled():
                task.exception()

        task.add_done_callback(land)
        return flight

    async def _find_or_make(self, ask: _Ask) -> bytes | None:
        source, kept = await self._find(ask)
        if kept is None:
            source, body = "made", await ask.make()
            self._keep(ask, body)
        else:
            body = kept.body
        _ANSWERS.labels(ask.name, source).inc()
        return body

    async def _find(self, ask: _Ask) -> tuple[str, Kept | None]:
        if not self._server.is_away:
            # Nothing: it went away just now. Empty: there is no such key.
            sealed = await self._reads.ask(_redis_key(ask))
            if sealed is not None:
                return "redis", open_sealed(ask.digest, sealed, self._clock()) if sealed else None
        return "local", self._local.find(ask.digest, self._clock())

    def _keep(self, ask: _Ask, body: bytes | None) -> None:
        now = self._clock()
        ends = ask.negative_ends if body is None else ask.ends
        if ends <= now or (body and len(body) > _LARGEST):
            return
        if self._server.is_away:
            self._local.keep(ask.digest, Kept(body, ends), now)
            return
        ends -= (ends - now) * random.uniform(0, _JITTER)  # noqa: S311 -- spreads load, hides nothing
        left = max(1, int((ends - now) * 1000))
        # Nobody waits for it; lost writes are made again.
        self._writes.ask(("SET", _redis_key(ask), seal(ask.digest, Kept(body, ends)), "PX", left))

    async def _read(self, keys: list[bytes]) -> list[bytes] | None:
        values = await self._server.get_many(keys)
        return None if values is None else [value or b"" for value in values]

    def _digest(self, name: str, parts: tuple[Any, ...]) -> bytes:
        # MessagePack writes the length and the type of each part: no two lists of parts look alike.
        return hmac.digest(self._key, _encode(("cache", self._version, name, parts)), "sha256")


class LocalAnswers:
    """What this process remembers while Redis is away: so little, and so briefly, that nobody needs to correct it.

    Without it, PostgreSQL would be asked once per request.
    """

    SECONDS = 5.0
    ENTRIES = 4096
    BYTES = 16 * 1024 * 1024

    def __init__(self) -> None:
        self._entries: OrderedDict[bytes, Kept] = OrderedDict()
        self._bytes = 0

    def find(self, digest: bytes, now: float) -> Kept | None:
        """The answer, unless its time is over."""
        kept = self._entries.get(digest)
        if kept is None or kept.ends <= now:
            return None
        self._entries.move_to_end(digest)
        return kept

    def keep(self, digest: bytes, kept: Kept, now: float) -> None:
        """Remember it for a few seconds at most; what was not asked for longest gives way."""
        self._forget(digest)
        self._entries[digest] = Kept(kept.body, min(kept.ends, now + self.SECONDS))
        self._bytes += len(kept.body or b"")
        while len(self._entries) > self.ENTRIES or self._bytes > self.BYTES:
            self._forget(next(iter(self._entries)))

    def _forget(self, digest: bytes) -> None:
        if old := self._entries.pop(digest, None):
            self._bytes -= len(old.body or b"")


def seal(digest: bytes, kept: Kept) -> bytes:
    """The value as it lies in Redis: signature, end (milliseconds), sign of None, body.

    The signature is keyed by the digest, so a value that was cut off, altered or put under another key is not opened.
    """
    moment = int(kept.ends * 1000).to_bytes(_MOMENT, "big")
    content = moment + (_NEGATIVE if kept.body is None else _POSITIVE + kept.body)
    return _sign(digest, content) + content


def open_sealed(digest: bytes, sealed: bytes, now: float) -> Kept | None:
    """What was sealed for this digest, or None when its time is over or the value is not what it should be."""
    signature, content = sealed[:_SIGNATURE], sealed[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(digest, content)):
        _REJECTED.inc()
        return None
    ends = int.from_bytes(content[:_MOMENT], "big") / 1000
    # Redis counts from when the value arrived, which may be long after it was sent.
    if ends <= now:
        return None
    body = content[_MOMENT + 1 :]
    return Kept(None if content[_MOMENT : _MOMENT + 1] == _NEGATIVE else body, ends)


def _sign(digest: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, key=digest, digest_size=_SIGNATURE).digest()


def _redis_key(ask: _Ask) -> bytes:
    return b"bd:{%b-%d}:%b" % (ask.name.encode(), ask.digest[-1] % _SPREAD, ask.digest[:16].hex().encode())
