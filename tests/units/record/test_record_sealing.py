# ruff: noqa: ASYNC220, PT012 - a sealer is killed; what is rolled back is more than one step
"""What is written becomes a chain without gaps, once nobody can come before it any more."""

import asyncio
import os
import signal
import subprocess
import sys

import asyncpg
import pytest

from tests.units.record.writing import check, given_entries, sealed
from units.record import sealer
from units.record.entries import COMMAND, SERVICE, write
from units.record.sealer import find_head, find_holder, seal_batch, seal_until_cancelled


async def numbers(connection) -> list[int]:
    return [row["number"] for row in await connection.fetch("select number from units.record_chain order by number")]


async def test_settled_entries_get_numbers_without_gaps_in_the_order_of_their_transactions(connection, database):
    await given_entries(connection, 3)
    assert await sealed(connection) == 3
    await given_entries(connection, 2)
    assert await sealed(connection) == 5
    assert await numbers(connection) == [1, 2, 3, 4, 5]
    rows = await connection.fetch(
        "select e.object_id from units.record_chain c join units.record_entries e using (xid, id, at) order by c.number"
    )
    assert [row["object_id"] for row in rows] == ["thi-0", "thi-1", "thi-2", "thi-0", "thi-1"]
    verified = await check(database)
    assert (verified.findings, verified.entries, verified.batches, verified.head_number) == ([], 5, 2, 5)


async def test_an_empty_record_is_well(database, connection):
    assert await seal_batch(connection) is None
    verified = await check(database)
    assert (verified.findings, verified.entries, verified.head_number) == ([], 0, 0)


async def test_a_rolled_back_transaction_leaves_no_gap(connection, database):
    await given_entries(connection, 1)
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            await given_entries(connection, 1)
            raise ZeroDivisionError
    await given_entries(connection, 1)
    assert await sealed(connection) == 2
    assert not (await check(database)).findings


async def test_a_savepoint_that_is_rolled_back_leaves_no_gap(connection, database):
    async with connection.transaction():
        await given_entries(connection, 1)
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                await given_entries(connection, 1)
                raise ZeroDivisionError
        await given_entries(connection, 1)
    assert await sealed(connection) == 2
    assert not (await check(database)).findings


async def test_nothing_is_chained_before_an_older_transaction_has_ended(connection, database):
    other = await asyncpg.connect(database.url)
    try:
        older = other.transaction()
        await older.start()
        await given_entries(other, 1)
        await given_entries(connection, 1)
        await seal_batch(connection)
        assert await numbers(connection) == []
        holder = await find_holder(connection)
        assert holder
        assert holder.pid == other.get_server_pid()
        assert holder.since is not None
        verified = await check(database)
        assert (verified.findings, verified.still_running) == ([], 1)
        assert verified.holder == holder
        await older.commit()
    finally:
        await other.close()
    assert await sealed(connection) == 2
    assert not (await check(database)).findings


async def test_more_than_a_batch_holds_goes_into_several(connection, database):
    async with connection.transaction():
        await given_entries(connection, 7)
    await given_entries(connection, 4)
    counts = []
    while batch := await seal_batch(connection, at_most=3):
        counts.append((batch.head.number, batch.is_full))
    assert counts == [(3, True), (6, True), (9, True), (11, False)]
    assert not (await check(database)).findings


async def test_the_hash_does_not_hang_on_how_a_session_writes_things(connection, database):
    await write(connection, COMMAND, "unit.renamed", ("unit", "thpt-ly"), note='Lý "Thường" Kiệt \\ 😀\t', ratio=0.1)
    await connection.execute(
        "set timezone = 'Asia/Kathmandu'; set datestyle = 'German, DMY'; set extra_float_digits = 0"
    )
    await connection.execute("set bytea_output = 'escape'; set intervalstyle = 'sql_standard'; set lc_numeric = 'C'")
    await sealed(connection)
    assert not (await check(database)).findings


async def test_the_text_that_is_hashed_is_as_documented(connection):
    """Whoever reads docs/record.md in twenty years must get the same bytes; also of a newer PostgreSQL."""
    await connection.execute(
        "insert into units.record_entries (xid, id, at, officer_id, through, unit_code, action, object_kind, object_id,"
        " address, request_id, details) overriding system value values ('77', 5, '2026-07-01 08:00:00.25+07',"
        " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'web', 'so', 'exam.released', 'exam', 'thi-lớp-10', null, '',"
        """ '{"b": [1, 2.50, null], "aa": "é\\u0007", "a": {"x": true}}')"""
    )
    await sealed(connection)
    told = (
        "1;1;77;5;0002f880fac6b490;36:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11;3:web;2:so;13:exam.released;4:exam;"
        '10:thi-lớp-10;-;0:;57:{"a": {"x": true}, "b": [1, 2.50, null], "aa": "é\\u0007"};'
    )
    expected = await connection.fetchval("select sha256(convert_to($1, 'UTF8'))", told)
    assert await connection.fetchval("select hash from units.record_chain") == expected


async def test_one_sealer_at_a_time_and_another_takes_over(connection, database, pool):
    async with asyncpg.create_pool(database.url, min_size=0, max_size=2) as another:
        first = asyncio.create_task(seal_until_cancelled(pool))
        await _until_chained(connection, 1)
        second = asyncio.create_task(seal_until_cancelled(another))
        await asyncio.sleep(0.6)
        holders = "select count(*) from pg_locks where locktype = 'advisory' and objid = $1 and granted"
        assert await connection.fetchval(holders, sealer.LOCK) == 1
        first.cancel()
        await asyncio.wait([first])
        await _until_chained(connection, 2)
        second.cancel()
        await asyncio.wait([second])
    assert not (await check(database)).findings


async def test_the_place_of_a_killed_sealer_is_taken(connection, database, pool):
    code = (
        "import asyncio, asyncpg, sys\nfrom units.record.sealer import seal_until_cancelled\n"
        "async def main():\n    async with asyncpg.create_pool(sys.argv[1], min_size=0) as pool:\n"
        "        await seal_until_cancelled(pool)\nasyncio.run(main())"
    )
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            database.url,
        ],
        stdout=subprocess.DEVNULL,
    ) as process:
        await _until_chained(connection, 1)
        waiting = asyncio.create_task(seal_until_cancelled(pool))
        await asyncio.sleep(0.5)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    await _until_chained(connection, 2)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not (await check(database)).findings


async def test_64_writers_at_once_lose_nothing_and_fork_nothing(connection, database, pool):
    sealing = asyncio.create_task(seal_until_cancelled(pool))
    writers = [await asyncpg.connect(database.url) for _ in range(64)]

    async def keep_writing(place: int) -> None:
        for number in range(10):
            transaction = writers[place].transaction()
            await transaction.start()
            kept = (place + number) % 4 != 0
            await write(writers[place], COMMAND, "exam.added", ("exam", f"{place}-{number}" if kept else "rolled back"))
            await (transaction.commit() if kept else transaction.rollback())

    await asyncio.gather(*(keep_writing(place) for place in range(64)))
    verified = await check(database)
    sealing.cancel()
    await asyncio.wait([sealing])
    for writer in writers:
        await writer.close()
    assert verified.findings == []
    kept = await connection.fetch(
        "select object_id, count(*) from units.record_chain join units.record_entries using (xid, id, at) group by 1"
    )
    assert {row["object_id"]: row["count"] for row in kept} == {
        f"{place}-{number}": 1 for place in range(64) for number in range(10) if (place + number) % 4
    }


async def test_a_sealer_survives_the_loss_of_its_connection(connection, database, pool):
    sealing = asyncio.create_task(seal_until_cancelled(pool))
    await _until_chained(connection, 1)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objid = $1 and granted",
        sealer.LOCK,
    )
    await _until_chained(connection, 2)
    sealing.cancel()
    await asyncio.wait([sealing])


async def _until_chained(connection, number: int) -> None:
    """Write one entry, and wait for it to be chained: it takes a second at most, on a busy machine a little longer."""
    await write(connection, SERVICE, "exam.added", ("exam", f"thi-{number}"))
    async with asyncio.timeout(10):
        while (head := await find_head(connection)) is None or head.number < number:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("offset", [-1_000_000, 1_000_000_000], ids=["smaller", "larger"])
async def test_a_restored_record_goes_on_in_another_cluster(connection, database, offset):
    """As after pg_restore: what was written has transaction numbers that this cluster never gave."""
    await given_entries(connection, 3)
    await sealed(connection)
    await _restored_from_elsewhere(connection, database, offset=1_000_000 + offset)
    await given_entries(connection, 2)
    assert await sealed(connection) == 6
    verified = await check(database)
    assert (verified.findings, verified.entries, verified.moved_at) == ([], 6, [4])
    await given_entries(connection, 1)
    assert await sealed(connection) == 7
    assert not (await check(database)).findings


async def _restored_from_elsewhere(connection, database, *, offset: int) -> None:
    """The same rows as another cluster would have written them: three chained, a fourth not yet."""
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("alter table units.record_entries alter id set generated by default")
    entries = await owner.fetch("select * from units.record_entries order by id")
    await owner.execute("truncate units.record_entries, units.record_chain, units.record_batches")
    for entry in [*entries, entries[-1]]:
        is_last = entry is entries[-1] and await owner.fetchval("select count(*) = 3 from units.record_entries")
        await owner.execute(
            "insert into units.record_entries (xid, id, through, unit_code, action, object_kind, object_id, details)"
            " values ($1, $2, 'web', 'so', 'exam.added', 'exam', 'thi', '{}')",
            entry["xid"] + offset + is_last, entry["id"] + 100 * is_last,
        )  # fmt: skip
    await _seal_as_another_cluster(owner, offset=offset, entries=entries)
    await owner.close()


async def _seal_as_another_cluster(owner, *, offset: int, entries: list) -> None:
    below = entries[-1]["xid"] + offset + 1
    async with owner.transaction():
        chained = await sealer.sealing.add_to_chain(
            owner, last_number=0, from_xid=0, below_xid=below, running_from=2**64 - 1, running_below=2**64 - 1,
            at_most=100,
        )  # fmt: skip
        assert chained["entry_count"] == 3
        await sealer.sealing.add_batch(
            owner, number=1, first_number=1, entry_count=3, leaves=chained["leaves"], previous_root=bytes(32),
            settled_below=below, cluster=4711, sealed_at=await owner.fetchval("select clock_timestamp()"),
        )  # fmt: skip
