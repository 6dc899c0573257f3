"""A country's exam is sealed beside everything else: how long it takes, its cost, and what a web worker holds of it.

    make proofs NAME=sealing

1.2 million invented results are written straight into the tables, for an exam that is asked for by number alone and for
one with birth dates and names. The same code that the worker runs seals each of them, while its event loop is watched.
Then one process holds the file open and looks 200,000 candidates up, another holds nothing.
"""

import asyncio
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import msgspec

from kit.keys import KeyRing
from kit.migrator import find_migrations, migrate
from lookup.exams import Policy
from lookup.releases import release
from lookup.sealed.building import Tools, seal_release
from lookup.sealed.release_keys import ReleaseKeys
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from server.migrate import PACKAGES
from tests.exams import given_exam
from tests.people import MORNING
from tests.server.running import ROOT, reachable_folder

RESULTS = 1_200_000
_LOOKUPS = 200_000
_LOOK_SECONDS = 0.1
_LOOP_SECONDS = 0.01
# Promised: of memory while it is built, and on the disk for each result.
_MOST_MB = 300
_MOST_BYTES = {"public": 160, "birth-date": 260}
# Toán and Ngữ văn, and two of the others: what most candidates of a THPT sit.
_FILL = """
insert into lookup.results (exam_code, candidate_number, version, batch_id, scores, name, birth_date)
select $1, lpad((1000000 + n)::text, 8, '0'), 1, $2,
    array[]::numeric[] || round((random() * 200)::integer * 0.05, 2) || round((random() * 40)::integer * 0.25, 2)
    || array_fill(null::numeric, array[8 + n % 4]) || round((random() * 200)::integer * 0.05, 2)
    || round((random() * 200)::integer * 0.05, 2) || array_fill(null::numeric, array[9 - n % 4]),
    concat_ws(' ', (array['Nguyễn', 'Trần', 'Lê', 'Phạm', 'Hoàng'])[1 + n % 5],
        (array['Thị Minh', 'Văn', 'Hoàng Phương'])[1 + n % 3],
        (array['Anh', 'Khánh', 'Hùng', 'Nguyệt', 'Quỳnh', 'Thảo', 'Nghĩa'])[1 + n % 7]),
    date '2008-01-01' + n % 366
from generate_series(0, $3 - 1) n
"""


class Cost(msgspec.Struct):
    """What sealing took: seconds by the clock and of the processor (its own processes'), megabytes, the loop's delay.

    `load`: how many processes wanted the processor meanwhile; on a busy machine the clock tells little.
    """

    seconds: float
    processor: float
    load: float
    peak_mb: float
    builders_mb: float
    late_ms: float


class Held(msgspec.Struct):
    """What a process weighs (PSS, MB), and how long one lookup took it, in microseconds."""

    megabytes: float
    lookup_us: float


def main(results: int = RESULTS) -> Iterator[str]:
    """A line for each policy."""
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        try:
            asyncio.run(_migrate(server))
            for policy in ("public", "birth-date"):
                yield asyncio.run(_measure(server, folder, policy, results))
        finally:
            server.stop()


async def _migrate(server: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(server.owner_url)
    await migrate(owner, find_migrations([Path(str(package.__file__)).parent for package in PACKAGES]), RUNTIME)
    await owner.close()


async def _measure(server: EmbeddedPostgres, folder: Path, policy: Policy, results: int) -> str:
    keys = KeyRing(folder / "keys")
    async with asyncpg.create_pool(server.runtime_url, min_size=0, max_size=4) as pool:
        await _fill(pool, policy, results)
        tools = Tools(pool=pool, database_url=server.runtime_url, folder=folder / "sealing", keys=keys)
        cost = await _watched(tools, policy)
        bundle = await pool.fetchrow(
            "select id, size, signed_by, wrapped_key from lookup.bundles where exam_code = $1", policy
        )
        path = folder / f"{policy}.bundle"
        await _take_out(pool, bundle["id"], path)
    if cost.peak_mb > _MOST_MB or bundle["size"] > results * _MOST_BYTES[policy]:
        raise SystemExit(f"sealing {policy}: {cost.peak_mb:.0f} MB, {bundle['size'] / results:.0f} bytes a result")
    key = ReleaseKeys(keys).unwrap(bundle["wrapped_key"], policy, 1, bundle["id"])
    asked = [path, bundle["signed_by"].hex(), key.hex(), policy, str(results)]
    held, nothing = _hold(*map(str, asked)), _hold()
    return (
        f"sealing {policy}: {results} results in {cost.seconds:.1f} s ({cost.processor:.1f} s of the processor besides "
        f"PostgreSQL's, on {os.cpu_count()} cores with a load of {cost.load:.1f}), peak memory {cost.peak_mb:.0f} MB "
        f"(PSS of all processes, {cost.builders_mb:.0f} of them the builders'), the worker's loop late by "
        f"{cost.late_ms:.0f} ms at most; {bundle['size'] / results:.1f} bytes a result; "
        f"a process that holds it and has looked {_LOOKUPS} up: "
        f"{held.megabytes:.1f} MB (PSS), one that holds nothing {nothing.megabytes:.1f} MB; {held.lookup_us:.1f} us of "
        f"the processor a lookup"
    )


async def _fill(pool: asyncpg.Pool, policy: Policy, results: int) -> None:
    async with pool.acquire() as held, held.transaction():
        connection: asyncpg.Connection = held
        exam = await given_exam(connection, policy, policy=policy, show_name=policy != "public")
        batch = await connection.fetchval(
            "insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, result_count)"
            " values ($1, clock_timestamp(), '', '', $2) returning id", exam.code, results,
        )  # fmt: skip
        await connection.execute(_FILL, exam.code, batch, results, timeout=600)
        await release(connection, exam.code, opens_at=MORNING)


async def _watched(tools: Tools, exam: str) -> Cost:
    """Seal, and look at the processes and at the loop meanwhile."""
    cost = Cost(0, _builders_seconds(), 0, 0, 0, 0)
    watching = [asyncio.create_task(each) for each in (_weigh(cost), _time_loop(cost))]
    started = time.perf_counter()
    assert await seal_release(tools, exam, 1)
    cost.seconds = time.perf_counter() - started
    cost.processor, cost.load = _builders_seconds() - cost.processor, os.getloadavg()[0]
    for each in watching:
        each.cancel()
    return cost


async def _weigh(cost: Cost) -> None:
    while True:
        own, builders = await asyncio.to_thread(_megabytes_of_all)
        cost.peak_mb, cost.builders_mb = max(cost.peak_mb, own + builders), max(cost.builders_mb, builders)
        await asyncio.sleep(_LOOK_SECONDS)


async def _time_loop(cost: Cost) -> None:
    while True:
        before = time.perf_counter()
        await asyncio.sleep(_LOOP_SECONDS)
        cost.late_ms = max(cost.late_ms, (time.perf_counter() - before - _LOOP_SECONDS) * 1000)


def _megabytes_of_all() -> tuple[float, float]:
    """Of this process, and of those that it started."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return megabytes("self"), sum(megabytes(pid) for pid in children if _builds(pid))


def _builders_seconds() -> float:
    """Of the processor, by processes of ours that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _builds(pid: str) -> bool:
    try:
        return b"build_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def megabytes(pid: str) -> float:
    """Its proportional share of memory; 0 for a process that has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


async def _take_out(pool: asyncpg.Pool, bundle_id: int, path: Path) -> None:
    with path.open("wb") as file:
        number = 0
        while piece := await pool.fetchval(
            "select content from lookup.bundle_pieces where bundle_id = $1 and number = $2", bundle_id, number
        ):
            file.write(piece)
            number += 1


def _hold(*asked: str) -> Held:
    """What a fresh process says that holds a file, or nothing."""
    said = subprocess.run(
        [sys.executable, "-m", "tests.proofs.sealing", "hold", *asked],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    return msgspec.json.decode(said, type=Held)


def _hold_here(path: str = "", signed_by: str = "", key: str = "", policy: str = "", results: str = "0") -> None:
    """Both import the same; one of them looks candidates up."""
    from lookup.sealed.bundle import Bundle

    held = Held(0, 0)
    if path:
        chance, secret = random.Random(1), bytes.fromhex(key)
        bundle = Bundle(Path(path), bytes.fromhex(signed_by))
        asked = [chance.randrange(int(results)) for _ in range(_LOOKUPS)]
        days = [f"{day}" for day in _days()] if policy == "birth-date" else [""] * 366
        started = time.process_time()
        for n in asked:
            if bundle.find(secret, f"{1000000 + n:08d}", days[n % 366]) is None:
                raise SystemExit("A candidate was not found.")
        held.lookup_us = (time.process_time() - started) / len(asked) * 1e6
    held.megabytes = megabytes("self")
    sys.stdout.buffer.write(msgspec.json.encode(held))


def _days() -> Iterator[str]:
    from datetime import date, timedelta

    return ((date(2008, 1, 1) + timedelta(n)).isoformat() for n in range(366))


if __name__ == "__main__" and sys.argv[1:2] == ["hold"]:
    _hold_here(*sys.argv[2:])
