"""The key of a release comes on four ways, each on its own: any one of them opens it, whatever the others do."""

import asyncio
import contextlib
import time
from datetime import timedelta

import asyncpg
import pytest

from kit.keys import KeyRing
from kit.redis_servers import RedisServer
from lookup.catalogue import Catalogue
from lookup.exams import find_exam
from lookup.releases import release
from lookup.sealed.key_hearing import KeyHearing
from lookup.sealed.key_message import CHANNEL, REDIS_CHANNEL, KeyMessage, seal_message, write_message
from lookup.sealed.release_folder import keep_key, read_key
from lookup.sealed.vault import Vault
from tests.exams import given_exam, given_results, paper_of
from tests.lookup.sealed.given import given_sealed_bundle
from tests.people import MINH, MORNING

DEAD_POSTGRESQL = "postgresql://nobody@127.0.0.1:1/nothing"
DEAD_REDIS = "redis://127.0.0.1:1/0"
BEFORE = MORNING - timedelta(seconds=1)


@pytest.fixture
async def dead_pool():
    pool = asyncpg.create_pool(DEAD_POSTGRESQL, min_size=0, timeout=0.5)
    await pool
    yield pool
    pool.terminate()


@pytest.fixture
async def sealed(connection, settings, clock):
    """A release whose moment has come, and nobody here has its key."""
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING, now=BEFORE)
    return await given_sealed_bundle(connection, settings, exam.code)


@pytest.fixture
async def vault(connection, settings, clock, sealed):
    vault = Vault(settings.releases_folder, clock)
    vault.follow([await find_exam(connection, "thpt-2026")], clock.now)
    yield vault
    vault.close()


@contextlib.asynccontextmanager
async def running(awaitable):
    task = asyncio.create_task(awaitable)
    try:
        yield
        assert not task.done(), "nothing ends it"
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def it_opens(vault, within: float = 2.0) -> float:
    """The seconds that it took."""
    began = time.monotonic()
    while not vault.openings():
        assert time.monotonic() - began < within, "it does not open"
        await asyncio.sleep(0.005)
    return time.monotonic() - began


def hearing(vault, pool, settings, clock) -> KeyHearing:
    return KeyHearing(vault, pool, KeyRing(settings.keys_folder), clock)


def cache_key(settings) -> bytes:
    return KeyRing(settings.keys_folder).current("cache").value


async def test_by_postgresqls_word_alone(connection, pool, settings, clock, vault, sealed, dead_pool):
    catalogue = Catalogue(pool, "node-1/1", vault, clock=clock)
    catalogue.also_hear(CHANNEL, hearing(vault, dead_pool, settings, clock).hear_notification)
    async with running(catalogue.watch()):
        await someone_listens(connection)
        for noise in ("", "no message", '[1,"x"]', write_message(KeyMessage(sealed.bundle_id, bytes(32)))):
            await connection.execute("select pg_notify($1, $2)", CHANNEL, noise)
        await connection.execute(
            "select pg_notify($1, $2)", CHANNEL, write_message(KeyMessage(sealed.bundle_id, sealed.key))
        )
        assert await it_opens(vault) < 0.5


async def someone_listens(connection) -> None:
    """Words that nobody listens to are lost, so wait for the listener."""
    async with asyncio.timeout(5):
        while not await connection.fetchval(  # noqa: ASYNC110
            "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%key%'"
        ):
            await asyncio.sleep(0.01)


async def test_by_the_row_alone(connection, pool, settings, clock, vault, sealed):
    async with running(hearing(vault, pool, settings, clock).listen(DEAD_REDIS)):
        await asyncio.sleep(0.1)
        await connection.execute(
            "update lookup.bundles set opening_key = $2, key_sent_at = clock_timestamp() where id = $1",
            sealed.bundle_id, sealed.key,
        )  # fmt: skip
        assert await it_opens(vault) < 0.5


async def test_through_redis_alone(settings, clock, vault, sealed, dead_pool, valkey):
    async with (
        running(hearing(vault, dead_pool, settings, clock).listen(valkey.url)),
        RedisServer(valkey.url) as redis,
    ):
        foreign = seal_message(KeyMessage(sealed.bundle_id, sealed.key), bytes(32))
        message = seal_message(KeyMessage(sealed.bundle_id, sealed.key), cache_key(settings))
        assert sealed.key not in message
        async with asyncio.timeout(5):
            while not (await redis.run([("PUBSUB", "NUMSUB", REDIS_CHANNEL)]))[0][1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await redis.run([("PUBLISH", REDIS_CHANNEL, noise) for noise in (b"", b"x" * 40, foreign)])
        await asyncio.sleep(0.1)
        assert not vault.openings()
        await redis.run([("PUBLISH", REDIS_CHANNEL, message)])
        assert await it_opens(vault) < 0.5


async def test_by_the_nodes_own_folder_alone(settings, clock, vault, sealed, dead_pool):
    async with running(hearing(vault, dead_pool, settings, clock).listen(DEAD_REDIS)):
        await asyncio.sleep(0.1)
        keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
        assert await it_opens(vault) < 0.5


async def test_no_way_opens_before_the_moment_and_all_of_them_then(settings, clock, connection, pool, sealed, valkey):
    clock.now = BEFORE
    vault = Vault(settings.releases_folder, clock)
    vault.follow([await find_exam(connection, "thpt-2026")], clock.now)
    keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
    async with running(hearing(vault, pool, settings, clock).listen(valkey.url)):
        await asyncio.sleep(0.3)
        assert not vault.awaited(), "the key has come"
        assert not vault.openings()
        clock.now = MORNING
        # This clock jumped: it is looked at within a second.
        await it_opens(vault)
    vault.close()


async def test_what_opened_keeps_its_key_for_the_next_start(settings, clock, vault, sealed, dead_pool):
    async with running(hearing(vault, dead_pool, settings, clock).listen(DEAD_REDIS)):
        vault.take_key(sealed.bundle_id, sealed.key, clock.now, "redis")
        async with asyncio.timeout(5):
            while read_key(settings.releases_folder, sealed.bundle_id) is None:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert read_key(settings.releases_folder, sealed.bundle_id) == sealed.key
