"""Redis killed, stopped, slow, restarted, in a cluster and behind Sentinel: nobody waits and no answer is another's."""

import asyncio
import random
import time

import pytest

from kit.errors import UsageError
from kit.redis_address import open_client
from kit.redis_servers import RedisServer

# Longer than in service, so that a busy test machine is not taken for a stopped Redis.
PATIENCE = 0.25
NOBODY_WAITED = 0.1


async def found(redis):
    """Sentinels and clusters are looked for when first asked for."""
    await redis.ask(get("a"))
    await until(lambda: not redis.is_away)


async def until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.01)


async def timed(awaitable):
    started = time.monotonic()
    answer = await awaitable
    return answer, time.monotonic() - started


def get(key):
    return lambda client: client.get(key)


@pytest.fixture
async def redis(stoppable_valkey):
    async with RedisServer(stoppable_valkey.url, patience=PATIENCE, pause=0.1) as server:
        yield server


async def test_a_question_gets_its_answer(redis):
    assert await redis.run([("SET", "a", "1"), ("INCR", "a")]) == [True, 2]
    assert await redis.get_many([b"a", b"nothing"]) == [b"2", None]
    assert not redis.is_away


async def test_a_stopped_server_costs_one_wait_for_everybody_together(stoppable_valkey, redis):
    await redis.run([("SET", "a", "1")])
    stoppable_valkey.freeze()
    answers, first = await timed(asyncio.gather(*(redis.ask(get("a"), default="none") for _ in range(50))))
    assert answers == ["none"] * 50
    # Fifty waits one after the other would be fifty times as long.
    assert PATIENCE - 0.01 < first < 10 * PATIENCE
    assert redis.is_away
    # On a busy machine it is the new connection that got no answer.
    assert redis.trouble in ("no answer within 250 ms", "Timeout connecting to server")
    _, later = await timed(asyncio.gather(*(redis.ask(get("a")) for _ in range(50))))
    assert later < NOBODY_WAITED
    stoppable_valkey.thaw()
    await until(lambda: not redis.is_away)
    assert await redis.ask(get("a")) == b"1"


async def test_who_asks_late_in_the_first_wait_is_released_with_the_others(stoppable_valkey, redis):
    await redis.run([("SET", "a", "1")])
    stoppable_valkey.freeze()
    first = asyncio.create_task(redis.ask(get("a")))
    await asyncio.sleep(PATIENCE - 0.05)
    _, waited = await timed(redis.ask(get("a")))
    assert waited < 0.15
    await first


async def test_a_stopped_server_never_makes_anybody_wait_again(stoppable_valkey, redis):
    stoppable_valkey.freeze()
    await redis.ask(get("a"))
    waits = [(await timed(redis.ask(get("a"))))[1] for _ in range(30) if await asyncio.sleep(0.02) is None]
    assert max(waits) < NOBODY_WAITED


async def test_a_killed_server_is_missed_by_nobody_and_found_again(stoppable_valkey, redis):
    await redis.run([("SET", "a", "1")])
    stoppable_valkey.kill()
    answer, waited = await timed(redis.ask(get("a"), default="none"))
    assert answer == "none"
    assert waited < NOBODY_WAITED
    assert redis.is_away
    stoppable_valkey.start()
    await until(lambda: not redis.is_away)
    assert await redis.run([("SET", "a", "2"), ("GET", "a")]) == [True, b"2"]


async def test_a_server_restarted_between_two_questions_is_not_noticed(stoppable_valkey, redis):
    await asyncio.gather(*(redis.ask(get("a")) for _ in range(5)))
    stoppable_valkey.kill()
    stoppable_valkey.start()
    await asyncio.sleep(0)
    assert await redis.run([("SET", "a", "2")]) == [True]
    assert not redis.is_away


async def test_in_service_a_stopped_server_is_waited_for_50_ms(stoppable_valkey):
    async with RedisServer(stoppable_valkey.url) as redis:
        stoppable_valkey.freeze()
        _, waited = await timed(redis.ask(get("a")))
        assert 0.045 < waited < 0.2


async def test_our_own_busy_loop_is_not_taken_for_a_slow_server(stoppable_valkey):
    async with RedisServer(stoppable_valkey.url) as redis:
        await redis.run([("SET", "a", "1")])
        asking = asyncio.create_task(redis.ask(get("a")))
        for _ in range(6):
            await asyncio.sleep(0)
            time.sleep(0.06)  # noqa: ASYNC251 -- the crowd keeps the loop busy
        assert await asking == b"1"
        assert not redis.is_away


async def test_connections_that_died_in_silence_are_not_tried_one_after_the_other(stoppable_valkey):
    """As when a firewall forgets them: they look open, and nothing comes back; new ones work."""
    mute = []

    async def relay(reader, writer):
        there_reader, there_writer = await asyncio.open_unix_connection(str(stoppable_valkey.socket))
        silence = asyncio.Event()
        mute.append(silence)
        await asyncio.gather(carry(reader, there_writer, silence), carry(there_reader, writer, silence))

    async def carry(source, target, silence):
        while data := await source.read(65536):
            if not silence.is_set():
                target.write(data)
        target.close()

    path = str(stoppable_valkey.folder / "relay.sock")
    async with (
        await asyncio.start_unix_server(relay, path),
        RedisServer(f"unix://{path}", patience=0.1, pause=0.1) as redis,
    ):
        await asyncio.gather(*(redis.ask(get("a")) for _ in range(10)))
        for silence in mute:
            silence.set()
        assert await redis.ask(get("a"), default="none") == "none"
        await until(lambda: not redis.is_away, 1)
        assert await redis.run([("SET", "a", "1")]) == [True]
        assert await asyncio.gather(*(redis.ask(get("a")) for _ in range(10))) == [b"1"] * 10


async def test_a_refused_command_is_no_reason_to_step_aside(redis):
    replies = await redis.run([("SET", "a", "text"), ("INCR", "a"), ("GET", "a")])
    assert replies[0] is True
    assert isinstance(replies[1], Exception)
    assert replies[2] == b"text"
    assert await redis.ask(lambda client: client.incr("a"), default="refused") == "refused"
    assert not redis.is_away


async def test_a_mistake_in_the_question_is_told_to_who_asked(redis):
    with pytest.raises(AttributeError):
        await redis.ask(lambda client: client.no_such_command())


async def test_a_caller_who_leaves_takes_no_connection_with_it(stoppable_valkey, redis):
    await redis.run([("SET", f"k{i}", str(i)) for i in range(100)])
    for _ in range(30):
        leaving = [asyncio.create_task(redis.ask(get(f"k{i}"))) for i in range(20)]
        for _ in range(random.Random(1).randrange(4)):
            await asyncio.sleep(0)
        for task in leaving:
            task.cancel()
        staying = await asyncio.gather(*(redis.ask(get(f"k{i}")) for i in range(20)))
        assert staying == [str(i).encode() for i in range(20)]


async def test_no_answer_ever_goes_to_another_question(stoppable_valkey):
    """Stopped and continued while thousands ask: every answer is the right one or none."""
    async with RedisServer(stoppable_valkey.url, pause=0.03) as redis:
        await redis.run([("SET", f"k{i}", f"v{i}") for i in range(500)])
        right = none = 0
        chance, ends = random.Random(7), time.monotonic() + 4

        async def keep_asking():
            nonlocal right, none
            while time.monotonic() < ends:
                i = chance.randrange(500)
                many = await redis.get_many([b"k%d" % i, b"k%d" % (i // 2)])
                assert many in (None, [b"v%d" % i, b"v%d" % (i // 2)])
                one = await redis.ask(get(f"k{i}"))
                assert one in (None, b"v%d" % i)
                right, none = right + (one is not None), none + (one is None)
                await asyncio.sleep(0.002 if one is None else 0)

        async def keep_stopping():
            while time.monotonic() < ends:
                await asyncio.sleep(chance.uniform(0.02, 0.15))
                stoppable_valkey.freeze()
                await asyncio.sleep(chance.choice([0.005, 0.045, 0.049, 0.051, 0.055, 0.12]))
                stoppable_valkey.thaw()

        await asyncio.gather(keep_stopping(), *(keep_asking() for _ in range(30)))
        assert right > 1000
        assert none > 100


async def test_a_cluster_is_asked_through_the_same_door(valkey_cluster):
    async with RedisServer(valkey_cluster.url, patience=PATIENCE, pause=0.1) as redis:
        await found(redis)
        keys = [b"k%d" % i for i in range(50)]
        assert await redis.run([("SET", key, key) for key in keys]) == [True] * 50
        assert await redis.get_many([*keys, b"nothing"]) == [*keys, None]
        assert await redis.answers()
        valkey_cluster.freeze()
        _, waited = await timed(redis.get_many(keys))
        assert waited < 10 * PATIENCE
        assert redis.is_away
        valkey_cluster.thaw()
        await until(lambda: not redis.is_away)
        assert await redis.get_many(keys) == keys


async def test_a_killed_cluster_is_found_again(valkey_cluster):
    async with RedisServer(valkey_cluster.url, patience=PATIENCE, pause=0.1) as redis:
        await found(redis)
        valkey_cluster.kill()
        assert await redis.get_many([b"a"]) is None
        assert await redis.run([("SET", "a", "1")]) is None
        valkey_cluster.start()
        await until(lambda: not redis.is_away, 10)
        await until(lambda: "cluster_state:ok" in valkey_cluster.command("CLUSTER", "INFO"))
        assert await redis.run([("SET", "a", "1")]) == [True]


async def test_a_dead_sentinel_in_the_list_hides_nothing(valkey_behind_sentinel):
    async with RedisServer(valkey_behind_sentinel.url, patience=PATIENCE, pause=0.1) as redis:
        await found(redis)
        assert await redis.run([("SET", "a", "1"), ("GET", "a")]) == [True, b"1"]
        valkey_behind_sentinel.freeze()
        _, waited = await timed(redis.ask(get("a")))
        assert waited < 10 * PATIENCE
        valkey_behind_sentinel.thaw()
        await until(lambda: not redis.is_away)
        assert await redis.ask(get("a")) == b"1"


async def test_a_password_and_a_database_are_taken_from_the_address(stoppable_valkey):
    stoppable_valkey.command("CONFIG", "SET", "requirepass", "s3c/ret")
    async with RedisServer(f"{stoppable_valkey.url}?db=3&password=s3c%2Fret") as redis:
        assert await redis.run([("SET", "a", "1")]) == [True]
        assert "db=3" in str(await redis.ask(lambda client: client.client_info())).replace("'db': 3", "db=3")
    async with RedisServer(stoppable_valkey.url) as redis:
        assert not await redis.answers()
        assert await redis.ask(get("a"), default="none") == "none"


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "localhost:6379",
        "",
        "redis://host:port/0",
        "redis+sentinel://:s3cret@host:26379",
        "redis+sentinel://:s3cret@host:26379/service/x",
        "redis+sentinel://:s3cret@host:1,/service",
        "redis+cluster://:s3cret@a:1,b:2/0",
        "redis+cluster://:s3cret@a b:1",
    ],
)
def test_an_address_that_cannot_be_understood_is_refused_in_one_sentence_without_its_password(url):
    with pytest.raises(UsageError) as refusal:
        RedisServer(url)
    assert str(refusal.value).startswith("REDIS_URL ")
    assert "s3cret" not in str(refusal.value)


def test_every_part_of_an_address_with_several_hosts_arrives():
    client = open_client("rediss+sentinel://user:p%40ss@[::1]:7000,b.example/service/2?sentinel_password=other")
    pool = client.connection_pool
    assert (pool.service_name, pool.connection_kwargs["db"]) == ("service", 2)
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("user", "p@ss")
    sentinels = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
    assert [(s["host"], s["port"], s["password"]) for s in sentinels] == [
        ("::1", 7000, "other"),
        ("b.example", 26379, "other"),
    ]
    assert "SSL" in pool.connection_class.__name__
