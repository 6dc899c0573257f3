"""What one alone may do at a time goes on as long as it takes, and ends with its lock."""

import asyncio

import asyncpg
import pytest

from kit import turns


@pytest.fixture(autouse=True)
def _look_often(monkeypatch):
    monkeypatch.setattr(turns, "_LOOK_SECONDS", 0.01)


async def test_a_long_turn_comes_to_its_end(database):
    ended = []

    async def work():
        await asyncio.sleep(0.2)
        ended.append(True)

    assert await turns.alone(database.url, "long", work)
    assert ended == [True]


async def test_a_second_one_does_nothing_while_the_first_is_at_it(database):
    at_it, enough, done = asyncio.Event(), asyncio.Event(), []

    async def first():
        at_it.set()
        await enough.wait()

    async def second():
        done.append(True)

    turn = asyncio.create_task(turns.alone(database.url, "one", first))
    await at_it.wait()
    assert not await turns.alone(database.url, "one", second)
    assert await turns.alone(database.url, "another", second)
    enough.set()
    assert await turn
    assert await turns.alone(database.url, "one", second)
    assert done == [True, True]


async def test_work_ends_with_the_connection_that_holds_its_lock(database, connection):
    at_it = asyncio.Event()

    async def work():
        at_it.set()
        await asyncio.sleep(60)

    turn = asyncio.create_task(turns.alone(database.url, "lost", work))
    await at_it.wait()
    with pytest.raises(turns.TurnLost):
        await _end_others(connection, turn)


async def _end_others(connection: asyncpg.Connection, turn: asyncio.Task) -> None:
    async with asyncio.timeout(10):
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_locks join pg_database d on d.oid = database"
            " where locktype = 'advisory' and datname = current_database()"
        )
        await turn
