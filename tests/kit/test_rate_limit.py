"""So many requests a minute for each, counted once for all nodes; without Redis stricter, and never without a limit."""

import asyncio
import time

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from limits import parse
from litestar import Litestar, Response, get
from litestar.datastructures import State

from kit.client_address import ClientAddress
from kit.errors import TooManyRequests
from kit.rate_counters import LocalCounters
from kit.rate_limit import RateLimiter, limited
from kit.redis_servers import RedisServer

KEY = b"k" * 32
RATES = {"few": parse("4/minute"), "once": parse("1/minute"), "brief": parse("3/second"), "many": parse("1000/minute")}


@pytest.fixture
async def redis(stoppable_valkey):
    # More patience than in service: a busy test machine is not a stopped Redis.
    async with RedisServer(stoppable_valkey.url, patience=0.25, pause=0.1) as server:
        yield server


@pytest.fixture
def limiter(redis):
    return RateLimiter(redis, key=KEY, rates=RATES)


async def hits(limiter, count, name="few", *identifiers):
    verdicts = await asyncio.gather(*(limiter.hit(name, *(identifiers or ("10.0.0.1",))) for _ in range(count)))
    return sum(verdict.allowed for verdict in verdicts)


async def test_so_many_are_allowed_and_the_rest_hear_how_long_to_wait(limiter):
    assert await hits(limiter, 4) == 4
    verdict = await limiter.hit("few", "10.0.0.1")
    assert not verdict.allowed
    assert 58 <= verdict.retry_after <= 60


async def test_who_waits_as_long_as_told_is_let_in(limiter):
    assert await hits(limiter, 10, "brief") == 3
    await asyncio.sleep((await limiter.hit("brief", "10.0.0.1")).retry_after)
    assert (await limiter.hit("brief", "10.0.0.1")).allowed


async def test_each_name_and_each_identifier_counts_for_itself(limiter):
    for name, *identifiers in [("few", "a"), ("once", "a"), ("once", "a", "b"), ("once", "ab"), ("once", "b", "a")]:
        assert await hits(limiter, 10, name, *identifiers) == RATES[name].amount


async def test_all_nodes_count_together(stoppable_valkey, limiter):
    async with RedisServer(stoppable_valkey.url, patience=0.25) as other_redis:
        other = RateLimiter(other_redis, key=KEY, rates=RATES)
        allowed = await asyncio.gather(hits(limiter, 600, "many"), hits(other, 600, "many"))
        assert sum(allowed) == 1000


async def test_what_is_cleared_begins_anew(limiter):
    assert await hits(limiter, 5) == 4
    await limiter.clear("few", "10.0.0.1")
    assert await hits(limiter, 5) == 4


async def test_a_thousand_hits_of_one_moment_are_a_few_round_trips_and_one_command_each(stoppable_valkey, limiter):
    before = stoppable_valkey.calls("eval")
    await hits(limiter, 900, "many")
    assert stoppable_valkey.calls("eval") - before == 900


async def test_keys_tell_nothing_about_people(stoppable_valkey, limiter):
    await limiter.hit("few", "99000001", "203.0.113.0/24")
    keys = stoppable_valkey.command("KEYS", "*")
    assert "99000001" not in keys
    assert "203.0.113" not in keys


async def test_with_redis_killed_half_as_many_are_allowed_at_once(stoppable_valkey, redis, limiter):
    stoppable_valkey.kill()
    started = time.monotonic()
    assert await hits(limiter, 50) == 2
    assert await hits(limiter, 50, "once", "a") == 1
    assert time.monotonic() - started < 0.2
    assert 58 <= (await limiter.hit("few", "10.0.0.1")).retry_after <= 60
    await limiter.clear("few", "10.0.0.1")
    assert await hits(limiter, 50) == 2
    stoppable_valkey.start()
    while redis.is_away:  # noqa: ASYNC110 -- the probe has no event to wait for
        await asyncio.sleep(0.01)
    assert await hits(limiter, 50) == 4


async def test_with_redis_stopped_one_waits_and_nobody_is_without_a_limit(stoppable_valkey, limiter):
    await limiter.hit("many", "a")
    stoppable_valkey.freeze()
    waits, allowed = [], 0
    for _ in range(100):
        started = time.monotonic()
        allowed += (await limiter.hit("few", "10.0.0.1")).allowed
        waits.append(time.monotonic() - started)
        await asyncio.sleep(0.003)
    assert allowed == 2
    assert max(waits) < 0.5
    assert sum(wait > 0.2 for wait in waits) == 1


async def test_when_redis_refuses_to_count_this_process_counts(stoppable_valkey, limiter):
    stoppable_valkey.command("CONFIG", "SET", "maxmemory", "1")
    stoppable_valkey.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    assert await hits(limiter, 50) == 2


async def test_a_cluster_counts_too(valkey_cluster):
    async with RedisServer(valkey_cluster.url, patience=0.25) as redis:
        limiter = RateLimiter(redis, key=KEY, rates=RATES)
        await redis.ask(lambda client: client.get("a"))
        while redis.is_away:  # noqa: ASYNC110 -- the probe has no event to wait for
            await asyncio.sleep(0.01)
        counts = await asyncio.gather(*(hits(limiter, 6, "few", f"10.0.0.{i}") for i in range(30)))
        assert counts == [4] * 30
        await limiter.clear("few", "10.0.0.1")
        assert await hits(limiter, 5) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    amount=st.integers(1, 6),
    hitters=st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), min_size=1, max_size=40),
    seed=st.integers(),
)
async def test_no_order_of_hits_on_two_nodes_gets_more_than_the_rate(stoppable_valkey, redis, amount, hitters, seed):
    rates = {"any": parse(f"{amount}/minute")}
    nodes = [RateLimiter(redis, key=b"%d" % seed, rates=rates) for _ in range(2)]
    stoppable_valkey.command("FLUSHALL")
    verdicts = await asyncio.gather(*(nodes[second].hit("any", who) for who, second in hitters))
    for person in "ab":
        asked = [v.allowed for (who, _), v in zip(hitters, verdicts, strict=True) if who == person]
        assert sum(asked) == min(amount, len(asked))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 9), st.lists(st.integers(0, 30), max_size=200))
async def test_with_little_room_nobody_gets_more_and_nobody_is_unlimited(amount, people):
    counters = LocalCounters()
    counters.ROOM, counters.SHARED = 4, 2
    rate = parse(f"{amount}/minute")
    allowed = dict.fromkeys(people, 0)
    for person in people:
        allowed[person] += await counters.incr(rate.key_for(str(person)), rate.get_expiry()) <= amount
    assert all(count <= amount for count in allowed.values())
    assert sum(allowed.values()) <= amount * (counters.ROOM + counters.SHARED)
    assert len(counters._counts) <= counters.ROOM + counters.SHARED


async def test_memory_without_redis_is_bounded_and_comes_back(monkeypatch):
    counters = LocalCounters()
    counters.ROOM = 1000
    for i in range(20_000):
        await counters.incr(f"LIMITER/{i}/5/1/minute", 60)
    assert len(counters._counts) <= 1000 + counters.SHARED
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert await counters.incr("LIMITER/new/5/1/minute", 60) == 1
    assert len(counters._counts) == 1


@get("/", guards=[limited("few")])
async def look_up() -> str:
    return "found"


def refuse(_request, error):
    return Response("wait", status_code=error.status, headers=error.headers)


async def test_a_route_counts_by_address_and_ipv6_by_subscriber(limiter):
    app = Litestar([look_up], state=State({"limiter": limiter}), exception_handlers={TooManyRequests: refuse})
    proxied = ClientAddress(app, ["10.0.0.1"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(proxied, client=("10.0.0.1", 1)), base_url="http://service"
    ) as client:

        async def ask_from(address):
            return await client.get("/", headers={"X-Real-IP": address})

        for host in ["2001:db8::1", "2001:db8::2", "2001:db8::3:0:0:1", "2001:db8::4"]:
            assert (await ask_from(host)).text == "found"
        refusal = await ask_from("2001:db8::ffff")
        assert refusal.status_code == 429
        assert 58 <= int(refusal.headers["Retry-After"]) <= 60
        for host in ["2001:db8:0:1::1", "10.0.0.1", "10.0.0.2", "nobody"]:
            assert (await ask_from(host)).text == "found"
