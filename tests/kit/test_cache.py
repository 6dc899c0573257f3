"""An answer is made once, kept until its time is over, and never another's; without Redis it still comes."""

import asyncio
import datetime as dt
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.cache import Cache, Kept, LocalAnswers, open_sealed, seal
from kit.redis_servers import RedisServer

KEY = b"k" * 32


class Maker:
    """Makes answers, slowly if told so, and counts."""

    def __init__(self, answer=b"made", takes=0.0):
        self.answer, self.takes, self.count = answer, takes, 0

    async def __call__(self):
        self.count += 1
        await asyncio.sleep(self.takes)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
async def redis(stoppable_valkey):
    # More patience than in service: a busy test machine is not a stopped Redis.
    async with RedisServer(stoppable_valkey.url, patience=0.25, pause=0.1) as server:
        yield server


@pytest.fixture
def cache(redis):
    return Cache(redis, key=KEY, version="1")


async def written(valkey, count=1):
    while int(valkey.command("DBSIZE").strip(":\r\n")) < count:  # noqa: ASYNC110 -- another process writes
        await asyncio.sleep(0.005)


async def until_it_is_back(redis):
    while redis.is_away:  # noqa: ASYNC110 -- the probe has no event to wait for
        await asyncio.sleep(0.01)


async def test_an_answer_is_made_once_and_kept_for_every_process(stoppable_valkey, redis, cache):
    make = Maker()
    assert await cache.get_or_make("score", ("exam", 1), make, ttl=60) == b"made"
    await written(stoppable_valkey)
    other_process = Cache(redis, key=KEY, version="1")
    assert await other_process.get_or_make("score", ("exam", 1), make, ttl=60) == b"made"
    assert make.count == 1


async def test_that_there_is_no_such_thing_is_kept_too(stoppable_valkey, cache):
    make = Maker(None)
    assert await cache.get_or_make("score", ("nobody",), make, ttl=60) is None
    await written(stoppable_valkey)
    assert await cache.get_or_make("score", ("nobody",), make, ttl=60) is None
    assert make.count == 1


async def test_a_hundred_at_once_make_it_once(cache):
    make = Maker(takes=0.02)
    answers = await asyncio.gather(*(cache.get_or_make("score", ("a",), make, ttl=60) for _ in range(100)))
    assert answers == [b"made"] * 100
    assert make.count == 1


async def test_a_hundred_at_once_ask_redis_once(stoppable_valkey, cache):
    def ask_all():
        return asyncio.gather(*(cache.get_or_make("score", (i,), Maker(b"%d" % i), ttl=60) for i in range(100)))

    await ask_all()
    await written(stoppable_valkey, 100)
    before = stoppable_valkey.calls("mget")
    assert await ask_all() == [b"%d" % i for i in range(100)]
    assert stoppable_valkey.calls("mget") - before == 1
    assert stoppable_valkey.calls("get") == 0


async def test_the_first_to_ask_may_leave_without_taking_the_answer_along(cache):
    make = Maker(takes=0.05)
    first = asyncio.create_task(cache.get_or_make("score", ("a",), make, ttl=60))
    others = [asyncio.create_task(cache.get_or_make("score", ("a",), make, ttl=60)) for _ in range(3)]
    await asyncio.sleep(0.01)
    first.cancel()
    assert await asyncio.gather(*others) == [b"made"] * 3
    assert first.cancelled()
    assert make.count == 1


async def test_a_failure_is_shared_and_never_kept(cache):
    make = Maker(RuntimeError("no database"), takes=0.01)
    asks = [cache.get_or_make("score", ("a",), make, ttl=60) for _ in range(5)]
    failures = await asyncio.gather(*asks, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["no database"] * 5
    assert make.count == 1
    make.answer = b"back"
    assert await cache.get_or_make("score", ("a",), make, ttl=60) == b"back"


async def test_a_value_never_outlives_its_time(stoppable_valkey, redis):
    clock = Clock()
    cache = Cache(redis, key=KEY, version="1", clock=clock)
    make = Maker(None)
    await cache.get_or_make("score", ("sealed",), make, ttl=3600, negative_ttl=0.4)
    await written(stoppable_valkey)
    assert 0 < int(stoppable_valkey.command("PTTL", key_of(stoppable_valkey)).strip(":\r\n")) <= 400
    # Redis may have received it late and hold it still: the value itself knows its end.
    stoppable_valkey.command("PERSIST", key_of(stoppable_valkey))
    clock.ahead = 0.5
    make.answer = b"opened"
    assert await cache.get_or_make("score", ("sealed",), make, ttl=3600) == b"opened"


async def test_who_asks_after_the_time_does_not_join_those_before(redis):
    clock = Clock()
    cache = Cache(redis, key=KEY, version="1", clock=clock)
    early = asyncio.create_task(cache.get_or_make("score", ("a",), Maker(None, takes=0.1), ttl=60, negative_ttl=0.5))
    await asyncio.sleep(0.05)
    clock.ahead = 1
    assert await cache.get_or_make("score", ("a",), Maker(b"opened"), ttl=60) == b"opened"
    assert await early is None


@pytest.mark.parametrize("ttl", [0, -3])
async def test_what_has_no_time_left_is_not_kept(stoppable_valkey, cache, ttl):
    make = Maker()
    for _ in range(2):
        await cache.get_or_make("score", ("a",), make, ttl=ttl)
        await asyncio.sleep(0.01)
    assert make.count == 2
    assert stoppable_valkey.command("DBSIZE") == ":0\r\n"


async def test_a_thing_too_large_to_share_is_made_each_time(stoppable_valkey, cache):
    make = Maker(b"x" * 100_000)
    for _ in range(2):
        assert len(await cache.get_or_make("page", (), make, ttl=60)) == 100_000
        await asyncio.sleep(0.01)
    assert stoppable_valkey.command("DBSIZE") == ":0\r\n"


def key_of(valkey):
    return valkey.command("KEYS", "*").split("\r\n")[2]


async def test_keys_tell_nothing_about_people(stoppable_valkey, cache):
    await cache.get_or_make("score", ("exam", "99000001", dt.date(2008, 2, 1)), Maker(), ttl=60)
    await written(stoppable_valkey)
    key = key_of(stoppable_valkey)
    assert key.startswith("bd:{score-")
    assert len(key.rpartition(":")[2]) == 32
    assert "99000001" not in stoppable_valkey.command("KEYS", "*")


async def test_other_parts_names_versions_and_keys_are_other_answers(stoppable_valkey, redis):
    caches = [Cache(redis, key=key, version=version) for key in (KEY, b"other" * 8) for version in ("1", "2")]
    asks = [
        (cache, name, parts)
        for cache in caches
        for name in ("score", "page")
        for parts in [("a", "bc"), ("ab", "c"), ("abc",), ("a", "b", "c"), (1,), ("1",), (b"1",), (None,), (), ("",)]
    ]
    for _ in range(2):
        for i, (cache, name, parts) in enumerate(asks):
            assert await cache.get_or_make(name, parts, Maker(b"%d" % i), ttl=60) == b"%d" % i
        await written(stoppable_valkey, len(asks))


@pytest.mark.parametrize("damage", ["cut", "flipped", "swapped", "foreign", "empty", "list"])
async def test_a_damaged_or_foreign_value_is_a_miss(stoppable_valkey, redis, cache, damage):
    await cache.get_or_make("score", ("other",), Maker(b"another's"), ttl=60)
    await written(stoppable_valkey)
    others = key_of(stoppable_valkey)
    await cache.get_or_make("score", ("a",), Maker(b"mine"), ttl=60)
    await written(stoppable_valkey, 2)
    mine = next(
        key for key in stoppable_valkey.command("KEYS", "*").split("\r\n") if key.startswith("bd:") and key != others
    )
    value, other_value = await redis.get_many([mine.encode(), others.encode()])
    await redis.run([("DEL", mine)])
    put = {
        "cut": ("SET", mine, value[:-1]),
        "flipped": ("SET", mine, value[:-1] + b"x"),
        "swapped": ("SET", mine, other_value),
        "foreign": ("SET", mine, b"something else entirely, and longer than a signature"),
        "empty": ("SET", mine, b""),
        "list": ("LPUSH", mine, b"1"),
    }
    await redis.run([put[damage]])
    assert await cache.get_or_make("score", ("a",), Maker(b"made again"), ttl=60) == b"made again"


async def test_with_redis_killed_answers_come_and_each_is_made_once(stoppable_valkey, redis, cache):
    await cache.get_or_make("score", ("warm",), Maker(), ttl=60)
    stoppable_valkey.kill()
    make = Maker(b"from PostgreSQL")
    for _ in range(20):
        started = time.monotonic()
        assert await cache.get_or_make("score", ("a",), make, ttl=60) == b"from PostgreSQL"
        assert time.monotonic() - started < 0.2
    assert make.count == 1
    stoppable_valkey.start()
    await until_it_is_back(redis)
    await cache.get_or_make("score", ("a",), make, ttl=60)
    await written(stoppable_valkey)


async def test_with_redis_stopped_one_request_waits_and_the_others_do_not(stoppable_valkey, redis, cache):
    await cache.get_or_make("score", ("warm",), Maker(), ttl=60)
    stoppable_valkey.freeze()
    make, waits = Maker(None), []
    for i in range(200):
        started = time.monotonic()
        assert await cache.get_or_make("score", (i % 5,), make, ttl=60) is None
        waits.append(time.monotonic() - started)
        await asyncio.sleep(0.002)
    assert max(waits) < 0.5
    assert sum(wait > 0.2 for wait in waits) == 1
    assert make.count == 5
    stoppable_valkey.thaw()
    await until_it_is_back(redis)
    assert await cache.get_or_make("score", ("warm",), Maker(b"other"), ttl=60) == b"made"


async def test_what_is_remembered_without_redis_is_forgotten_in_seconds(stoppable_valkey, redis):
    clock = Clock()
    cache = Cache(redis, key=KEY, version="1", clock=clock)
    stoppable_valkey.kill()
    make = Maker()
    for clock.ahead in (0, 4.5, 5.5):
        await cache.get_or_make("score", ("a",), make, ttl=60)
    assert make.count == 2


def test_what_is_remembered_without_redis_is_bounded():
    local = LocalAnswers()
    for i in range(10_000):
        local.keep(b"%d" % i, Kept(b"x", 60), now=0)
    assert sum(local.find(b"%d" % i, 1) is not None for i in range(10_000)) == 4096
    assert local.find(b"9999", 1) == Kept(b"x", 5)
    for i in range(1000):
        local.keep(b"%d" % i, Kept(b"x" * 60_000, 60), now=0)
    assert sum(local.find(b"%d" % i, 1) is not None for i in range(10_000)) * 60_000 <= 16 * 1024 * 1024


async def test_no_answer_is_ever_another_persons(stoppable_valkey):
    """Redis stopped and continued, callers leaving, thousands of lookups: each gets its own or makes it."""
    async with RedisServer(stoppable_valkey.url, pause=0.03) as redis:
        cache, chance, ends = Cache(redis, key=KEY, version="1"), random.Random(3), time.monotonic() + 4
        made = answered = 0

        async def look_up(number):
            nonlocal made, answered

            async def make():
                nonlocal made
                made += 1
                await asyncio.sleep(chance.choice([0, 0.001]))
                return b"score of %d" % number

            assert (
                await cache.get_or_make("score", (number,), make, ttl=chance.choice([0.05, 1]))
                == b"score of %d" % number
            )
            answered += 1

        async def candidate():
            while time.monotonic() < ends:
                task = asyncio.create_task(look_up(chance.randrange(300)))
                if chance.random() < 0.1:
                    await asyncio.sleep(chance.choice([0, 0.0005]))
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                if not task.cancelled():
                    task.result()
                await asyncio.sleep(0)

        async def keep_stopping():
            while time.monotonic() < ends:
                await asyncio.sleep(chance.uniform(0.02, 0.2))
                stoppable_valkey.freeze()
                await asyncio.sleep(chance.choice([0.005, 0.045, 0.049, 0.051, 0.055, 0.12]))
                stoppable_valkey.thaw()

        await asyncio.gather(keep_stopping(), *(candidate() for _ in range(50)))
        assert answered > 5000
        assert made < answered / 2


async def test_a_cluster_keeps_answers_too(valkey_cluster):
    async with RedisServer(valkey_cluster.url, patience=0.25) as redis:
        cache, make = Cache(redis, key=KEY, version="1"), Maker()
        await redis.ask(lambda client: client.get("a"))
        await until_it_is_back(redis)
        for _ in range(2):
            answers = await asyncio.gather(*(cache.get_or_make("score", (i,), make, ttl=60) for i in range(300)))
            assert answers == [b"made"] * 300
            await written(valkey_cluster, 300)
        assert make.count == 300
        assert valkey_cluster.calls("mget") <= 2 * 3 * 16


@given(st.binary(min_size=32, max_size=32), st.none() | st.binary(max_size=200), st.floats(1, 4e9))
def test_what_was_sealed_opens_until_its_end_and_not_after(digest, body, ends):
    sealed = seal(digest, Kept(body, ends))
    opened = open_sealed(digest, sealed, ends - 0.5)
    assert opened.body == body
    assert abs(opened.ends - ends) < 0.0011
    assert open_sealed(digest, sealed, ends) is None
    assert open_sealed(digest[::-1] + b"x", sealed, ends - 0.5) is None
    for cut in range(len(sealed)):
        assert open_sealed(digest, sealed[:cut], ends - 0.5) is None
