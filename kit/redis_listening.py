"""What Redis passes on at once: heard as long as somebody speaks, and nobody waits for it."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable

import structlog
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.client import PubSub
from redis.exceptions import ClusterError, RedisClusterException, RedisError

from kit.redis_address import open_client, open_node
from kit.redis_servers import close_client

_log = structlog.get_logger(__name__)

_FAILED = (RedisError, ClusterError, RedisClusterException, OSError, EOFError, TimeoutError)
# A line on which nothing came for so long, not even the answer to a ping, is taken for dead.
_PULSE_SECONDS, _SILENCE_SECONDS = 1.0, 3.0
_CONNECT_SECONDS = 2.0


async def listen(url: str, channel: str, hear: Callable[[bytes], None], *, pause: float = 1.0) -> None:
    """Call `hear` with each message of `channel` until cancelled; comes back by itself after any loss, `pause` later.

    It has a connection of its own: nothing it meets disturbs other questions to Redis. Messages sent while the line
    was down are lost. `url` as in `kit.redis_address`; in a cluster any node passes on what any other was told.
    """
    is_there = True
    while True:
        try:
            async with _subscribed(url, channel) as line:
                if not is_there:
                    _log.info("redis_heard_again")
                is_there = True
                await _hear(line, hear)
        except _FAILED as error:
            if is_there:
                _log.warning("redis_not_heard", problem=type(error).__name__)
            is_there = False
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def _subscribed(url: str, channel: str) -> AsyncIterator[PubSub]:
    client = await _find(url)
    line = client.pubsub(ignore_subscribe_messages=True)
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await line.subscribe(channel)
        yield line
    finally:
        with contextlib.suppress(*_FAILED):
            async with asyncio.timeout(_CONNECT_SECONDS):
                await line.aclose()
        with contextlib.suppress(*_FAILED):
            await close_client(client)


async def _find(url: str) -> Redis:
    """A client that can subscribe; in a cluster that of any node which is known now."""
    client = open_client(url)
    if not isinstance(client, RedisCluster):
        return client
    try:
        async with asyncio.timeout(_CONNECT_SECONDS):
            await client.initialize()
        return open_node(url, random.choice(client.get_nodes()))  # noqa: S311 - any will do
    finally:
        with contextlib.suppress(*_FAILED):
            await client.aclose()


async def _hear(line: PubSub, hear: Callable[[bytes], None]) -> None:
    heard_at = time.monotonic()
    while True:
        message = await line.get_message(timeout=_PULSE_SECONDS)
        if message is not None:
            heard_at = time.monotonic()
            if message["type"] == "message":
                hear(message["data"])
        elif time.monotonic() - heard_at > _SILENCE_SECONDS:
            raise TimeoutError
        else:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await line.ping()
