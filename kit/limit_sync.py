"""Nodes tell each other, through Redis, what they let through for whoever is in a hurry; no request waits for it.

A few times a second each process adds what it let through to one number per key, the arrival time that all nodes
together have reached, and hears how far ahead of its pace the key is. So what one node let through too much until it
heard of the others is paid back by all. While Redis is away, each node counts everything twice: never unlimited.
"""

import asyncio
import contextlib
import hashlib
import time
from typing import Any

import structlog

from kit.node_limits import NodeLimiter, Use
from kit.redis_servers import RedisServer

_log = structlog.get_logger(__name__)

# How often a process tells what it let through; a key that has used up half of its share is told sooner.
EVERY_SECONDS = 0.25
SOONEST_SECONDS = 0.02
# How often a node that is alone looks whether another has come.
_ALONE_SECONDS = 1.0
# A process that has said nothing for so long is gone.
_GONE_SECONDS = 5
# A Redis that did not answer for so long is away, for limits; before, one busy moment would halve everybody's.
_PATIENCE_SECONDS = 2.5
# The keys nearest to their limit: a crowd of others must not fill the pipeline.
_MOST_KEYS = 512
# So much of what the limits allow may stay untold, all processes together. In percent.
_UNTOLD = 10

# Times are microseconds of the clock of Redis, so that no two nodes have to agree on one.
_COME_IN = """
local now = redis.call('TIME')
redis.call('ZADD', KEYS[1], now[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now[1] - ARGV[2])
redis.call('EXPIRE', KEYS[1], 60)
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
_MOVE_ON = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local ahead = math.max((tonumber(redis.call('GET', KEYS[1])) or 0) - now, 0) + ARGV[1]
ahead = math.max(math.min(ahead, tonumber(ARGV[2])), 0)
redis.call('SET', KEYS[1], string.format('%.0f', now + ahead), 'PX', math.ceil(ahead / 1000) + 1000)
return math.ceil(ahead)
"""


class LimitSync:
    """Keeps the limiter of one process, the `worker`th of `node`, in step with those of all others.

    `key` hides what is counted; it is the same on every node. `patience` in seconds.
    """

    def __init__(
        self,
        limiter: NodeLimiter,
        redis: RedisServer,
        *,
        key: bytes,
        node: str,
        worker: int,
        patience: float = _PATIENCE_SECONDS,
    ) -> None:
        self._limiter, self._redis, self._key, self._patience = limiter, redis, key, patience
        # Since when Redis has not answered, as often as it was asked.
        self._silent_since: float | None = None
        # Two services may share one Redis: each knows its own processes by its key.
        self._all = f"bd:limit-processes:{self._hide('processes')}"
        self._me = f"{self._hide(f'node {node}')}/{worker}"
        self._called = asyncio.Event()
        limiter.hurry = self._called.set

    async def keep_in_step(self) -> None:
        """Tell and hear, until cancelled."""
        while True:
            try:
                await self.exchange()
            except Exception:  # noqa: BLE001 -- whatever it is, limits must go on
                # A mistake of ours: this node counts by itself and stricter, until the next time.
                _log.exception("limits_out_of_step")
                self._limiter.is_strict = True
            self._limiter.tell_metrics()
            await asyncio.sleep(SOONEST_SECONDS)
            every = EVERY_SECONDS if self._limiter.processes > 1 else _ALONE_SECONDS
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes together with the word.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every - SOONEST_SECONDS):
                    await self._called.wait()

    async def exchange(self) -> None:
        """Tell once what was let through since the last time, and hear of the others."""
        self._called.clear()
        uses = self._take_uses()
        commands = [_command(_COME_IN, self._all, self._me, _GONE_SECONDS), *(self._move_on(use) for use in uses)]
        try:
            replies = await self._redis.run(commands)
        finally:
            untold, self._limiter.telling = self._limiter.telling, {}
        if replies and isinstance(replies[0], list):
            self._silent_since, self._limiter.is_strict = None, False
            self._hear(uses, *replies)
        else:
            self._bear_silence(untold)

    def _bear_silence(self, untold: dict[int, Use]) -> None:
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since < self._patience:
            # Told with the next words, and until then still counted as a part of this process's share.
            self._limiter.put_back(untold)
        else:
            self._limiter.is_strict = True

    def _hear(self, uses: list[Use], processes: list[bytes], *aheads: Any) -> None:
        self._limiter.processes = _sharing([process.decode() for process in processes])
        for use, ahead in zip(uses, aheads, strict=True):
            if isinstance(ahead, int):
                self._limiter.learn(use, ahead * 1000)
                if use.cost and 4000 * ahead > use.pace.span:
                    # Others may tell of it a moment later: ask once more.
                    self._limiter.ask_again(use)

    def _take_uses(self) -> list[Use]:
        """What is worth telling, the keys nearest to their limit first."""
        uses = self._limiter.telling = self._limiter.uses
        self._limiter.uses = {}
        least = EVERY_SECONDS * 1e9 * _UNTOLD / 100 / self._limiter.processes
        told = [use for use in uses.values() if abs(use.cost) >= least or use.asks]
        return sorted(told, key=_part_of_burst, reverse=True)[:_MOST_KEYS]

    def _move_on(self, use: Use) -> tuple[Any, ...]:
        key = f"bd:limit:{self._hide(f'{use.name} {use.identity}')}"
        return _command(_MOVE_ON, key, use.cost // 1000, use.pace.longest // 1000)

    def _hide(self, what: str) -> str:
        return hashlib.blake2b(what.encode(), key=self._key, digest_size=16).hexdigest()


def _command(script: str, key: str, *arguments: str | int) -> tuple[Any, ...]:
    return ("EVAL", script, 1, key, *arguments)


def _part_of_burst(use: Use) -> float:
    return abs(use.cost) / use.pace.span


def _sharing(processes: list[str]) -> int:
    """How many processes share the limits; 1 when all are of one node, whose table counts exactly."""
    nodes = {process.partition("/")[0] for process in processes}
    return len(processes) if len(nodes) > 1 else 1
