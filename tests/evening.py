"""The evening before an announcement: a node that joined another, and exams of every policy that lie sealed on both."""

import asyncio
from datetime import timedelta
from typing import get_args

import asyncpg
import msgspec

from kit.clock import utc_now
from kit.keys import KeyRing
from lookup.exams import Policy
from lookup.releases import release
from lookup.sealed.release_keys import RELEASE, ReleaseKeys
from tests import leaks
from tests.marked_exams import MarkedExam, given_marked_exam
from tests.server.running import Running

_EXAMS = "evening"


class Evening(msgspec.Struct, frozen=True):
    """`keys`: what opens the exams, and what those are wrapped by; only the worker of the first node holds them."""

    first: Running
    node: Running
    exams: list[MarkedExam]
    keys: list[bytes]

    async def everything_found(self, wanted: leaks.Needles) -> list[str]:
        """What is found in the node's folder, the files and memory of its processes, Redis, and the logs of both."""
        found = leaks.in_folder(self.node.state_dir, wanted)
        for pid in (self.node.service.pid, *self.node.pids()):
            found += leaks.in_process(pid, wanted)
        return found + self.logged(wanted) + await leaks.in_redis(self.first.service.redis_url, wanted)

    def logged(self, wanted: leaks.Needles) -> list[str]:
        """What is found in the logs of both."""
        return leaks.in_file(self.node.log, wanted) + leaks.in_file(self.first.log, wanted)

    def is_found_where_it_is(self, wanted: leaks.Needles) -> bool:
        """By the same search: in PostgreSQL's own files, and in the memory of the worker that makes releases."""
        (worker,) = self.first.pids("worker_process")
        in_postgres = leaks.in_folder(self.first.state_dir / "postgres", wanted)
        return bool(in_postgres) and bool(leaks.in_process(worker, wanted))


async def given_an_evening(first: Running, node: Running, candidates: int) -> Evening:
    """Exams that open in two hours, on the disks of both nodes and in the hands of every web process."""
    keys = KeyRing(first.state_dir / "keys")
    pin_key = keys.current("pin").value
    connection = await asyncpg.connect(first.service.database_url)
    exams = []
    for policy in get_args(Policy):
        exams.append(await given_marked_exam(connection, f"{_EXAMS}-{policy}", policy, candidates, pin_key=pin_key))
        await release(connection, exams[-1].code, opens_at=utc_now() + timedelta(hours=2))
    await _until_held(connection, node, len(exams))
    opened_by = await _keys_of(connection, ReleaseKeys(keys))
    await connection.close()
    return Evening(first, node, exams, [*opened_by, *(key.value for key in keys.all(RELEASE))])


async def _keys_of(connection: asyncpg.Connection, keys: ReleaseKeys) -> list[bytes]:
    rows = await connection.fetch(
        "select id, exam_code, generation, wrapped_key, opening_key from lookup.bundles where exam_code like $1",
        f"{_EXAMS}-%",
    )
    assert not [row for row in rows if row["opening_key"]]
    return [keys.unwrap(row["wrapped_key"], row["exam_code"], row["generation"], row["id"]) for row in rows]


async def _until_held(connection: asyncpg.Connection, node: Running, count: int) -> None:
    ready = (
        "select count(*) from lookup.bundle_holders h join lookup.bundles b on b.id = h.bundle_id"
        " where h.state = 'ready' and exam_code like $1"
    )
    async with asyncio.timeout(120):
        while (await connection.fetchval(ready, f"{_EXAMS}-%") or 0) < 2 * count or _fewest_held(node) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def _fewest_held(node: Running) -> int:
    """How many bundles the web process that holds fewest of them has open."""
    return min(sum(name.endswith(".bundle") for name in leaks.files_of(pid)) for pid in node.pids("web_process"))
