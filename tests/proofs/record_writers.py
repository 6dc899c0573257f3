"""64 writers at once, and what the record costs them beside a plain row of the same size.

    make proofs NAME=record-writers

Each transaction changes a row and writes an entry about it; one in ten is rolled back. For comparison the same
transactions write a plain row in place of the entry, in turns, on the same PostgreSQL, with the sealer running all the
while. At the end every committed entry stands in the chain, no other does, and the record verifies.
"""

import asyncio
import multiprocessing
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
import msgspec

from kit.migrator import find_migrations, migrate
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from server.migrate import PACKAGES
from tests.server.running import reachable_folder
from units.record.entries import Actor, write
from units.record.sealer import LATE, seal_until_cancelled
from units.record.verify import Verified, verify

WRITERS, _PROCESSES = 64, 4
# In turns of so many seconds each; what is left of the turn before is over when counting begins.
_TURN, _UNCOUNTED, _PAIRS = 3.0, 0.6, 20
_ROWS = 10_000
_ROLLED_BACK = 0.1
_OFFICER = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
_DETAILS = {"generation": 1, "result_count": 20000, "changes": {"state": ["sealed", "open"]}}
# As an entry, but for what makes it one: no transaction, no months, no second index.
_TABLES = """
create schema proof;
create table proof.work (id integer primary key, count integer not null);
insert into proof.work select n, 0 from generate_series(1, 10000) n;
create table proof.plain_rows (
    filler bigint not null default 0, id bigint generated always as identity primary key,
    at timestamptz not null default clock_timestamp(), officer_id uuid,
    through text not null check (through in ('web', 'command', 'service')), unit_code text, action text not null,
    object_kind text not null, object_id text not null, address text, request_id text, details jsonb not null);
grant usage on schema proof to baodanh;
grant select, insert, update on all tables in schema proof to baodanh;
"""
_PLAIN = aiosql.from_str(
    """
-- name: add_row(officer_id, through, unit_code, action, object_kind, object_id, address, request_id, details)!
insert into proof.plain_rows (
    officer_id, through, unit_code, action, object_kind, object_id, address, request_id, details)
values (
    :officer_id::text::uuid, :through, :unit_code, :action, :object_kind, :object_id, :address, :request_id,
    :details::text::jsonb);
""",
    "asyncpg",
    mandatory_parameters=True,
)


def main(pairs: int = _PAIRS) -> str:
    """Run it; returns the line for the record, or exits with what went wrong."""
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        try:
            asyncio.run(_prepare(server))
            return _measure(server, pairs)
        finally:
            server.stop()


async def _prepare(server: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(server.owner_url)
    await migrate(owner, find_migrations([Path(str(package.__file__)).parent for package in PACKAGES]), RUNTIME)
    await owner.execute(_TABLES)
    await owner.close()


def _measure(server: EmbeddedPostgres, pairs: int) -> str:
    context = multiprocessing.get_context("spawn")
    sealer = context.Process(target=_seal, args=(server.runtime_url,), daemon=True)
    sealer.start()
    try:
        # Everybody has come before anybody begins.
        begins = time.time() + 10.0
        each = WRITERS // _PROCESSES
        with context.Pool(_PROCESSES) as processes:
            told = [(server.runtime_url, each, pairs, begins, number) for number in range(_PROCESSES)]
            counts = processes.starmap(_write, told)
        committed = sum(count.entries for count in counts)
        verified = asyncio.run(_when_all_is_chained(server, committed))
    finally:
        sealer.kill()
        sealer.join()
    rates = [sum(turn) / (_TURN - _UNCOUNTED) for turn in zip(*(count.by_turn for count in counts), strict=True)]
    return _told(rates, committed, verified)


def _told(rates: list[float], committed: int, verified: Verified) -> str:
    pairs = [(rates[turn], rates[turn + 1]) for turn in range(0, len(rates), 2)]
    # Each goes first as often: what else the machine does falls on both.
    by_kind = [(one, other) if place % 2 == 0 else (other, one) for place, (one, other) in enumerate(pairs)]
    ratios = sorted(entry / plain for plain, entry in by_kind)
    quarter = len(ratios) // 4
    return (
        f"record-writers: {WRITERS} writers, {committed} entries committed, {verified.entries} in one chain of "
        f"{verified.batches} batches, none of a rolled-back transaction, verified in {verified.seconds:.0f} s; "
        f"{statistics.median(entry for _, entry in by_kind):.0f} transactions/s with an entry, "
        f"{statistics.median(plain for plain, _ in by_kind):.0f} with a plain row, median ratio of {len(pairs)} pairs "
        f"{statistics.median(ratios):.3f} (middle half {ratios[quarter]:.2f} to {ratios[-1 - quarter]:.2f})"
    )


class _Count(msgspec.Struct):
    """What one process committed: in the counted part of each turn, and entries at all."""

    by_turn: list[int]
    entries: int = 0


def _write(url: str, writers: int, pairs: int, begins: float, seed: int) -> _Count:
    return asyncio.run(_write_all(url, writers, pairs, begins, seed))


async def _write_all(url: str, writers: int, pairs: int, begins: float, seed: int) -> _Count:
    count = _Count([0] * (2 * pairs))
    connections = [await asyncpg.connect(url) for _ in range(writers)]
    await asyncio.sleep(begins - time.time())
    await asyncio.gather(
        *(_keep_writing(each, count, begins, random.Random(f"{seed} {place}"))
          for place, each in enumerate(connections))
    )  # fmt: skip
    for connection in connections:
        await connection.close()
    return count


async def _keep_writing(connection: asyncpg.Connection, count: _Count, begins: float, chance: random.Random) -> None:
    actor = Actor(_OFFICER, "web", "203.0.113.7", "0123456789abcdef" * 2)
    while (turn := int((time.time() - begins) / _TURN)) < len(count.by_turn):
        # plain, entry, entry, plain, plain, entry, ...
        is_entry = turn % 4 in {1, 2}
        add = write if is_entry else _write_plain
        transaction = connection.transaction()
        await transaction.start()
        row = chance.randrange(1, _ROWS + 1)
        await connection.execute("update proof.work set count = count + 1 where id = $1", row)
        if chance.random() < _ROLLED_BACK:
            await add(connection, actor, "exam.withdrawn", ("exam", "rolled-back"), unit="so", **_DETAILS)
            await transaction.rollback()
            continue
        await add(connection, actor, "exam.released", ("exam", "demo-thpt"), unit="so", **_DETAILS)
        await transaction.commit()
        count.entries += is_entry
        into = time.time() - begins - turn * _TURN
        count.by_turn[turn] += _UNCOUNTED <= into < _TURN


async def _write_plain(
    transaction: asyncpg.Connection, actor: Actor, action: str, about: tuple[str, str], *, unit: str, **details: Any
) -> None:
    await _PLAIN.add_row(
        transaction,
        officer_id=actor.officer_id,
        through=actor.through,
        unit_code=unit,
        action=action,
        object_kind=about[0],
        object_id=about[1],
        address=actor.address,
        request_id=actor.request_id,
        details=msgspec.json.encode(details).decode(),
    )


def _seal(url: str) -> None:
    async def seal() -> None:
        async with asyncpg.create_pool(url, min_size=0, max_size=1) as pool:
            await seal_until_cancelled(pool)

    asyncio.run(seal())


async def _when_all_is_chained(server: EmbeddedPostgres, committed: int) -> Verified:
    await asyncio.sleep(LATE.total_seconds())
    connection = await asyncpg.connect(server.runtime_url)
    try:
        rolled_back = await connection.fetchval(
            "select count(*) from units.record_entries where object_id = 'rolled-back'"
        )
        verified = await verify(connection)
    finally:
        await connection.close()
    if verified.findings or verified.entries != committed or rolled_back:
        sys.exit(f"{committed} committed, {verified.entries} chained, {rolled_back} rolled back: {verified.findings}")
    return verified
