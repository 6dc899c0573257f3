"""Redis makes the service faster and its limits shared; it must never make anybody wait for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Self, TypeVar

import structlog
from prometheus_client import Counter
from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool
from redis.exceptions import (
    ClusterError,
    MaxConnectionsError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
)
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import TimeoutError as TooLate

from kit.redis_address import Client, is_found_at_once, open_client

_log = structlog.get_logger(__name__)
_FAILURES = Counter("baodanh_redis_failures", "Questions that Redis did not answer, by reason", ["reason"])

T = TypeVar("T")
D = TypeVar("D")

# One question may take this long, connecting included. An answer takes 0.1 ms on a local socket, 1 ms over a network.
PATIENCE = 0.05
# How long Redis is left alone after it failed to answer.
PAUSE = 1.0
# Nobody waits for the probe, so it has the time to walk past dead sentinels and cluster nodes.
_PROBE_PATIENCE = 2.0
# An answer that lies in the socket needs about four turns of our event loop, eight when the connection is new. A loop
# kept busy by the crowd may not get round to them in 50 ms; that is not the fault of Redis.
_TURNS_OF_GRACE = 10

# These mean that it cannot be talked to at the moment, and not only that it disliked one question.
_AWAY = (ConnectionLost, TooLate, OSError, EOFError, ReadOnlyError, ClusterError, RedisClusterException)
_FAILED = (RedisError, *_AWAY)
_NO_ANSWER: Any = object()


class RedisServer:
    """One Redis (or Valkey), a service behind Sentinel, or a cluster: it answers within 50 ms or is left alone.

    When a question gets no answer in time, every question under way ends at once with its default, later ones are not
    even asked, and a probe of our own looks every second whether it is back. So a stopped server costs a process one
    wait of 50 ms in all. Use it from one event loop; nothing is opened before the first question.

    `url` as in `kit.redis_address`; `patience` is how long one question may take and `pause` how long Redis is left
    alone after a failure, both in seconds. Raises UsageError, with no password in it, when `url` cannot be understood.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE, pause: float = PAUSE) -> None:
        self.client = open_client(url)
        self.is_cluster = isinstance(self.client, RedisCluster)
        # Why it is away, in the words of the operating system; for /readyz and doctor. Sentinels and clusters have to
        # be found first, which takes longer than anybody should wait: the probe does it.
        self.trouble: str | None = None if is_found_at_once(self.client) else "not found yet"
        self._patience, self._pause = patience, pause
        self._answers: dict[asyncio.Task[None], asyncio.Future[Any]] = {}
        self._probe: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def is_away(self) -> bool:
        """Whether it failed to answer lately. A server that was never asked counts as there: see `answers`."""
        return self.trouble is not None

    async def ask(self, question: Callable[[Any], Awaitable[T]], default: D = None) -> T | D:
        """The answer to `question(client)`, or `default` when Redis is away, too slow, or refuses.

        The question runs in a task of its own: a caller who leaves never abandons a connection with half a reply in it.
        """
        if self.trouble is not None:
            if self._probe is None:
                self._look_for_it(pause=0)
            return default
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        task = loop.create_task(self._put(question, answer))
        self._answers[task] = answer
        task.add_done_callback(self._answers.pop)
        reply = await answer
        return default if reply is _NO_ANSWER else reply

    async def get_many(self, keys: list[bytes]) -> list[bytes | None] | None:
        """The values of the keys, in their order, by one MGET (one per slot in a cluster); None when Redis is away."""
        if self.is_cluster:
            return await self.ask(lambda client: client.mget_nonatomic(keys))
        return await self.ask(lambda client: client.mget(keys))

    async def run(self, commands: list[tuple[Any, ...]]) -> list[Any] | None:
        """The replies to the commands, in their order, in one round trip (per node); None when Redis is away.

        Not a transaction. The reply to a command that was refused is the exception.
        """
        replies = await self.ask(lambda client: _pipe(client, commands))
        for reply in replies or ():
            if isinstance(reply, Exception):
                _FAILURES.labels("refused").inc()
        return replies

    async def answers(self) -> bool:
        """Whether Redis answers now; asks it even if it was away."""
        try:
            async with asyncio.timeout(_PROBE_PATIENCE):
                await self.client.ping(**({"target_nodes": RedisCluster.PRIMARIES} if self.is_cluster else {}))
        except _FAILED as error:
            self.trouble = self.trouble and _in_words(error)
            return False
        return True

    async def close(self) -> None:
        """End what is under way and close every connection."""
        ending = [*self._answers, *([self._probe] if self._probe else [])]
        self._release_everybody()
        if self._probe:
            self._probe.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await close_client(self.client)

    async def _put(self, question: Callable[[Client], Awaitable[Any]], answer: asyncio.Future[Any]) -> None:
        watch = asyncio.get_running_loop().call_later(self._patience, self._overdue, answer, _TURNS_OF_GRACE)
        try:
            reply = await question(self.client)
            if not answer.done():
                answer.set_result(reply)
        except _FAILED as error:
            self._failed(error)
            if not answer.done():
                answer.set_result(_NO_ANSWER)
        except Exception as error:  # noqa: BLE001 -- a mistake in the question goes to who asked
            if not answer.done():
                answer.set_exception(error)
        finally:
            watch.cancel()

    def _overdue(self, answer: asyncio.Future[Any], turns: int) -> None:
        if answer.done():
            return
        if turns:
            asyncio.get_running_loop().call_soon(self._overdue, answer, turns - 1)
        else:
            self._step_aside("timeout", f"no answer within {self._patience * 1000:.0f} ms")

    def _failed(self, error: Exception) -> None:
        # Too many connections of our own say nothing about the server.
        if isinstance(error, _AWAY) and not isinstance(error, MaxConnectionsError):
            self._step_aside("connection", _in_words(error))
        else:
            _FAILURES.labels("refused").inc()

    def _step_aside(self, reason: str, trouble: str) -> None:
        _FAILURES.labels(reason).inc()
        if self.trouble is None:
            self.trouble = trouble
            _log.warning("redis_away", trouble=trouble)
            self._look_for_it(self._pause)
        self._release_everybody()

    def _release_everybody(self) -> None:
        for task, answer in list(self._answers.items()):
            if not answer.done():
                answer.set_result(_NO_ANSWER)
            if task is not asyncio.current_task():
                # redis-py closes the connection of a cancelled question.
                task.cancel()

    def _look_for_it(self, pause: float) -> None:
        self._probe = asyncio.get_running_loop().create_task(self._keep_looking(pause))

    async def _keep_looking(self, pause: float) -> None:
        while True:
            # Connections that looked idle may be as dead as the one that failed.
            await _hang_up(self.client)
            await asyncio.sleep(pause)
            if await self.answers():
                break
            pause = self._pause
        self.trouble = None
        _log.info("redis_back")


async def _pipe(client: Client, commands: list[tuple[Any, ...]]) -> list[Any]:
    pipeline = client.pipeline(transaction=False)
    for command in commands:
        pipeline.execute_command(*command)
    replies = await pipeline.execute(raise_on_error=False)
    # A cluster hands out lost connections as replies.
    for reply in replies:
        if isinstance(reply, _AWAY):
            raise reply
    return replies


async def _hang_up(client: Client) -> None:
    try:
        async with asyncio.timeout(_PROBE_PATIENCE):
            if isinstance(client, RedisCluster):
                await client.aclose()
            else:
                await client.connection_pool.disconnect(inuse_connections=False)
    except _FAILED:
        _log.debug("redis_hang_up_failed")


async def close_client(client: Client) -> None:
    """Close every connection of a client, those to sentinels too."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        await client.connection_pool.sentinel_manager.aclose()


def _in_words(error: BaseException) -> str:
    return str(error) or type(error).__name__
