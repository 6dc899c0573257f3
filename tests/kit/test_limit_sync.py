"""Nodes count by themselves and tell each other: together hardly more than the limit, with or without Redis."""

import asyncio
import contextlib
import multiprocessing
import time

import pytest

from kit.gcra import Pace, pace_of
from kit.limit_sync import LimitSync
from kit.node_limits import NodeLimiter
from kit.redis_servers import RedisServer
from kit.shared_counters import CounterTable

KEY = b"k" * 32
NODES = 4


class Node:
    """One process of a node of its own, with a table and a connection to Redis of its own."""

    def __init__(self, url: str, name: str, *, pause: float = 0.1) -> None:
        # More patience than in service: a busy test machine is not a stopped Redis.
        self.redis = RedisServer(url, patience=0.25, pause=pause)
        self.limiter = NodeLimiter(CounterTable(buckets=64), key=KEY)
        self.sync = LimitSync(self.limiter, self.redis, key=KEY, node=name, worker=1, patience=0.3)

    @contextlib.asynccontextmanager
    async def in_step(self):
        running = asyncio.create_task(self.sync.keep_in_step())
        yield self
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self.redis.close()

    async def knows(self, processes: int) -> None:
        async with asyncio.timeout(10):
            while self.limiter.processes != processes:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def nodes(stoppable_valkey):
    async with contextlib.AsyncExitStack() as stack:
        several = [Node(stoppable_valkey.url, f"n{number}") for number in range(NODES)]
        for node in several:
            await stack.enter_async_context(node.in_step())
        for node in several:
            await node.knows(NODES)
        yield several


def said(pace: Pace, seconds: float) -> float:
    """How many one limit lets through in so many seconds."""
    return pace.burst + seconds * 1e9 / pace.interval


async def rush(nodes, pace, seconds, identity="10.0.0.1", name="lookup") -> int:
    """Everybody asks every node about 500 times a second; how many were let through."""
    allowed, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        allowed += sum(node.limiter.hit(name, identity, pace) == 0 for node in nodes)
        await asyncio.sleep(0.002)
    return allowed


async def test_nodes_together_let_through_hardly_more_than_the_limit(nodes):
    pace = pace_of("200/second")
    allowed = await rush(nodes, pace, 2)
    assert 0.9 * said(pace, 2) <= allowed <= 1.2 * said(pace, 2)


async def test_few_at_the_same_instant_are_few_on_all_nodes_together(nodes):
    pace = pace_of("10/15minute")
    assert sum(node.limiter.hit("wrong_factor", "a", pace) == 0 for node in nodes for _ in range(20)) <= 8
    await asyncio.sleep(0.6)
    assert await rush(nodes, pace, 0.3, "a", "wrong_factor") == 0
    # Ten within the quarter of an hour, and a fifth more.
    assert await rush(nodes, pace, 0.3, "b", "wrong_factor") <= 12


async def test_a_node_hears_of_the_others_with_its_first(nodes):
    pace = pace_of("10/15minute")
    assert await rush(nodes[1:], pace, 0.3, "a", "wrong_factor") <= 12
    assert await rush(nodes[:1], pace, 0.3, "a", "wrong_factor") <= 2


async def test_who_is_not_in_a_hurry_is_not_refused(nodes):
    pace = pace_of("20000/minute")
    for number in range(200):
        assert nodes[number % NODES].limiter.hit("lookup", "school", pace) == 0
        await asyncio.sleep(0.001)


async def test_what_one_node_takes_back_is_taken_back_on_all(nodes):
    pace = pace_of("10/15minute")
    for _ in range(6):
        assert nodes[0].limiter.hit("wrong_factor", "a", pace) == 0
        await asyncio.sleep(0.06)
        nodes[0].limiter.take_back("wrong_factor", "a", pace)
        await asyncio.sleep(0.06)
    assert nodes[1].limiter.hit("wrong_factor", "a", pace) == 0
    await asyncio.sleep(0.1)
    assert nodes[1].limiter.hit("wrong_factor", "a", pace) == 0


async def test_without_redis_each_node_is_stricter_and_none_unlimited(nodes, stoppable_valkey):
    pace = pace_of("200/second")
    await rush(nodes, pace, 0.5)
    stoppable_valkey.kill()
    # What it let through before it notices is within its share.
    assert await rush(nodes, pace, 0.3) <= 1.2 * said(pace, 0.3)
    await asyncio.sleep(0.5)
    assert all(node.limiter.is_strict for node in nodes)
    allowed = await rush(nodes, pace, 1)
    assert 0 < allowed <= NODES * 1e9 / pace.interval / 2 + NODES * pace.burst / 2
    by_one = [await rush([node], pace, 0.5, "another") for node in nodes[:2]]
    assert all(each <= said(pace, 0.5) / 2 + 1 for each in by_one)


async def test_redis_comes_back_and_nodes_count_together_again(nodes, stoppable_valkey):
    pace = pace_of("200/second")
    stoppable_valkey.freeze()
    await rush(nodes, pace, 1)
    assert all(node.limiter.is_strict for node in nodes)
    stoppable_valkey.thaw()
    async with asyncio.timeout(10):
        while any(node.limiter.is_strict for node in nodes):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    allowed = await rush(nodes, pace, 1.5)
    assert 0.8 * 1.5 * 1e9 / pace.interval <= allowed <= 1.2 * said(pace, 1.5)


async def test_a_node_alone_tells_redis_nothing_about_anybody(stoppable_valkey):
    async with Node(stoppable_valkey.url, "n1").in_step() as node:
        await node.knows(1)
        await rush([node], pace_of("200/second"), 0.6)
        assert stoppable_valkey.command("KEYS", "bd:limit:*") == "*0\r\n"


async def test_redis_learns_no_address_and_forgets(nodes, stoppable_valkey):
    pace = pace_of("20/second")
    await rush(nodes, pace, 0.6, "203.0.113.7")
    keys = stoppable_valkey.command("KEYS", "*")
    assert "bd:limit:" in keys
    assert "203.0.113" not in keys
    for key in [line for line in keys.splitlines() if line.startswith("bd:limit:")]:
        assert 0 < int(stoppable_valkey.command("PTTL", key)[1:]) < 5000


async def test_nodes_share_limits_over_a_cluster_too(valkey_cluster):
    async with Node(valkey_cluster.url, "n1").in_step() as one, Node(valkey_cluster.url, "n2").in_step() as two:
        for node in (one, two):
            await node.knows(2)
        pace = pace_of("200/second")
        for identity in ("a", "b"):
            assert await rush([one, two], pace, 0.5, identity) <= 1.2 * said(pace, 0.5)


def _serve(url, number, begin, seconds, answers) -> None:
    """What a process of a node of its own lets through in so many seconds, all at the same time."""

    async def serve() -> int:
        async with Node(url, f"n{number}").in_step() as node:
            await node.knows(NODES)
            await asyncio.to_thread(begin.wait)
            return await rush([node], pace_of("200/second"), seconds)

    answers.put(asyncio.run(serve()))


def test_processes_of_several_nodes_let_through_hardly_more_than_the_limit(stoppable_valkey):
    context = multiprocessing.get_context("spawn")
    answers, begin, seconds = context.Queue(), context.Barrier(NODES, timeout=30), 2
    arguments = [(stoppable_valkey.url, number, begin, seconds, answers) for number in range(NODES)]
    processes = [context.Process(target=_serve, args=each, daemon=True) for each in arguments]
    for process in processes:
        process.start()
    allowed = [answers.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    assert sum(allowed) <= 1.2 * said(pace_of("200/second"), seconds)
    assert min(allowed) > 0
