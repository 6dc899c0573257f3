"""Where rate limits count: in Redis for all nodes, or in this process while Redis is away."""

import time
from typing import Any
from zlib import crc32

from limits.aio.storage import Storage
from limits.aio.storage.redis.bridge import RedisBridge

from kit.gathering import Gatherer
from kit.redis_servers import RedisServer


class RedisAway(Exception):
    """Redis cannot be asked at the moment."""


class SharedCounters(Storage):
    """Counters of `limits` in Redis, through the one door there is: hits of one moment make one round trip together.

    Its own Redis storage would open connections beside ours, make a round trip for each hit and wait again for a server
    that is known to be away. The counting itself is its script.
    """

    STORAGE_SCHEME = None

    def __init__(self, server: RedisServer) -> None:
        super().__init__()
        self._server = server
        self._commands = Gatherer(server.run)

    @property
    def base_exceptions(self) -> type[Exception]:
        """What it raises when it cannot count."""
        return RedisAway

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count with `amount` added; it ends `expiry` seconds after its first. Raises RedisAway."""
        return await self._ask("EVAL", RedisBridge.SCRIPT_INCR_EXPIRE, 1, f"bd:{key}", expiry, amount)

    async def get(self, key: str) -> int:
        """The count. Raises RedisAway."""
        return int(await self._ask("GET", f"bd:{key}") or 0)

    async def get_expiry(self, key: str) -> float:
        """When the count ends, in Unix time. Raises RedisAway."""
        return time.time() + max(0, await self._ask("PTTL", f"bd:{key}")) / 1000

    async def clear(self, key: str) -> None:
        """Start anew. Raises RedisAway."""
        await self._ask("DEL", f"bd:{key}")

    async def check(self) -> bool:
        """Whether Redis answers now."""
        return await self._server.answers()

    async def reset(self) -> int | None:
        """Not done: the counters of other nodes lie beside ours."""
        return None

    async def _ask(self, *command: str | bytes | int) -> Any:
        reply = await self._commands.ask(command)
        if reply is None or isinstance(reply, Exception):
            raise RedisAway
        return reply


class LocalCounters(Storage):
    """Counters of `limits` in this process: its own memory storage grows without end and walks all keys at each hit.

    Once so many count at the same time that there is no room, newcomers share counters: less for each, and never
    without a limit.
    """

    STORAGE_SCHEME = None
    # About 300 bytes each.
    ROOM = 50_000
    SHARED = 4096

    def __init__(self) -> None:
        super().__init__()
        # By key: the count, and when it ends in Unix time.
        self._counts: dict[str, tuple[int, float]] = {}
        self._swept_at = 0.0

    @property
    def base_exceptions(self) -> tuple[()]:
        """Nothing can fail here."""
        return ()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count with `amount` added; it ends `expiry` seconds after its first."""
        now = time.time()
        place = self._place(key, now)
        count, ends = self._counts.get(place, (0, 0.0))
        if ends <= now:
            count, ends = 0, now + expiry
        self._counts[place] = (count + amount, ends)
        return count + amount

    async def get(self, key: str) -> int:
        """The count."""
        now = time.time()
        count, ends = self._counts.get(self._place(key, now), (0, 0.0))
        return count if ends > now else 0

    async def get_expiry(self, key: str) -> float:
        """When the count ends, in Unix time."""
        now = time.time()
        return self._counts.get(self._place(key, now), (0, now))[1]

    async def clear(self, key: str) -> None:
        """Start anew; a counter shared with others stays."""
        self._counts.pop(key, None)

    async def check(self) -> bool:
        """Always there."""
        return True

    async def reset(self) -> int | None:
        """Forget everything."""
        self._counts.clear()
        return None

    def _place(self, key: str, now: float) -> str:
        if key in self._counts or len(self._counts) < self.ROOM or self._sweep(now):
            return key
        # Only those with the same rate share: the key ends with its amount, multiples and unit.
        rate = "/".join(key.rsplit("/", 3)[1:])
        return f"shared-{crc32(key.encode()) % self.SHARED}/{rate}"

    def _sweep(self, now: float) -> bool:
        """Drop what has ended, at most once a second; whether there is room now."""
        if now - self._swept_at >= 1:
            self._swept_at = now
            self._counts = {key: entry for key, entry in self._counts.items() if entry[1] > now}
        return len(self._counts) < self.ROOM
