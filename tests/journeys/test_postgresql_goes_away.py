"""PostgreSQL may freeze: nobody stands in a queue, and everything is well again by itself."""

import asyncio
import os
import signal
import time
from pathlib import Path

import asyncpg
import pytest

from kit.migrator import find_migrations, migrate
from lookup.releases import release
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from server.migrate import PACKAGES
from tests.conftest import Database
from tests.exams import given_exam, given_results, paper_of
from tests.people import MINH, MORNING
from tests.server.running import children_of, reachable_folder

RESULTS = "/api/v1/exams/thpt-2026/results"


@pytest.fixture
def frozen_at_will():
    """A PostgreSQL of this test's own, to be ill-treated."""
    with reachable_folder() as folder:
        server = EmbeddedPostgres(folder / "postgres")
        server.start()
        yield server
        signal_all(server, signal.SIGCONT)
        server.stop()


@pytest.fixture
async def database(frozen_at_will):
    owner = await asyncpg.connect(frozen_at_will.owner_url)
    await migrate(owner, find_migrations([Path(package.__file__).parent for package in PACKAGES]), RUNTIME)
    await owner.close()
    return Database(frozen_at_will.runtime_url, frozen_at_will.owner_url)


async def test_a_frozen_postgresql_keeps_nobody_waiting_and_is_found_again(
    connection, service, visitor, frozen_at_will
):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    assert (await visitor.get(f"{RESULTS}/{MINH.number}")).status_code == 200
    signal_all(frozen_at_will, signal.SIGSTOP)
    await until(visitor, 503)
    started = time.monotonic()
    answers = await asyncio.gather(*(visitor.get(f"{RESULTS}/9900{i:04d}") for i in range(100, 140)))
    assert time.monotonic() - started < 5, "forty in a queue of two seconds each would be eighty"
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.headers["retry-after"] for answer in answers)
    assert (await visitor.get(f"{RESULTS}/{MINH.number}")).status_code == 200, "what Redis holds is still answered"
    signal_all(frozen_at_will, signal.SIGCONT)
    await until(visitor, 200)
    assert (await visitor.get(f"{RESULTS}/99009999")).status_code == 404


async def until(visitor, status):
    async with asyncio.timeout(30):
        while (await visitor.get("/readyz")).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


def signal_all(server, which):
    for pid in (server.process.pid, *children_of(server.process.pid)):
        os.kill(pid, which)
