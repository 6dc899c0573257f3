"""Work for later: left with what it belongs to, counted, and forgotten once it was done long ago."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from kit.queue import count_jobs, leave_job, tidy
from kit.turns import TurnLost, alone
from tests.people import MORNING


async def test_a_job_that_was_rolled_back_is_never_done(connection):
    transaction = connection.transaction()
    await transaction.start()
    await leave_job(connection, "mail", b"x")
    await transaction.rollback()
    assert await count_jobs(connection) == []


async def test_what_stands_in_the_queue_is_counted_by_name(connection):
    for name in ("mail", "mail", "seal"):
        await leave_job(connection, name, b"x")
    counts = {(count.name, count.status): count.jobs for count in await count_jobs(connection)}
    assert counts == {("mail", "queued"): 2, ("seal", "queued"): 1}


async def test_notes_of_what_was_done_long_ago_are_deleted(connection):
    days = [MORNING - timedelta(days=days) for days in (1, 31, 91)]
    for at in days:
        await connection.execute(
            "insert into kit.pgqueuer_log (created, job_id, status, priority, entrypoint)"
            " values ($1, 1, 'successful', 0, 'mail')",
            at,
        )
        await connection.execute(
            "insert into kit.pgqueuer_statistics (created, count, priority, status, entrypoint)"
            " values ($1, 1, 0, 'successful', 'mail')",
            at,
        )
        for status in ("failed", "queued"):
            await connection.execute(
                "insert into kit.pgqueuer (updated, priority, status, entrypoint)"
                " values ($1, 0, $2::text::kit.pgqueuer_status, 'mail')",
                at, status,
            )  # fmt: skip
    await tidy(connection, now=MORNING)
    assert await connection.fetchval("select count(*) from kit.pgqueuer_log") == 1
    assert await connection.fetchval("select count(*) from kit.pgqueuer_statistics") == 1
    counts = {count.status: count.jobs for count in await count_jobs(connection)}
    assert counts == {"failed": 2, "queued": 3}, "what waits is never deleted"


async def test_one_alone_does_what_one_alone_may_do(database):
    running, most = 0, 0

    async def work():
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.2)
        running -= 1

    done = await asyncio.gather(*(alone(database.url, "sealing", work) for _ in range(4)))
    assert (sorted(done), most) == ([False, False, False, True], 1)
    # PostgreSQL hears of the end of a connection a little later.
    async with asyncio.timeout(5):
        while not await alone(database.url, "sealing", work):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    both = await asyncio.gather(*(alone(database.url, name, work) for name in ("this", "that")))
    assert both == [True, True]


async def test_who_loses_the_turn_stops(database, connection, monkeypatch):
    monkeypatch.setattr("kit.turns._LOOK_SECONDS", 0.05)
    ended = []

    async def work():
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    doing = asyncio.create_task(alone(database.url, "sealing", work))
    await asyncio.sleep(0.3)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
    )
    with pytest.raises(TurnLost):
        await asyncio.wait_for(doing, 10)
    assert ended


async def test_work_that_fails_says_so_and_gives_the_turn_back(database):
    async def work():
        raise KeyError

    with pytest.raises(KeyError):
        await alone(database.url, "sealing", work)


async def test_without_postgresql_nobody_has_a_turn():
    async def work():
        raise AssertionError

    with pytest.raises((OSError, asyncpg.PostgresError)):
        await alone("postgresql://nobody@127.0.0.1:1/nowhere", "sealing", work)
