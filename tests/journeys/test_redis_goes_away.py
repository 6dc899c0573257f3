"""Redis may die or hang on the morning itself: families go on getting their answers."""

import os
import signal
import time

import pytest

from lookup.releases import release
from server.embedded.valkey import EmbeddedValkey
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING

RESULTS = "/api/v1/exams/thpt-2026/results"
PAGE = "/tra-cuu/diem-thi/thpt-2026"


@pytest.fixture
def valkey(tmp_path_factory):
    """A Valkey of this test's own, to be ill-treated."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("v"))
    server.start()
    yield server
    if server.process.poll() is None:
        os.kill(server.process.pid, signal.SIGCONT)
    server.stop()


@pytest.mark.parametrize("fate", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
async def test_lookups_still_answer_without_redis(connection, service, visitor, valkey, fate):
    await given_an_open_exam(connection, service)
    await then_everybody_gets_their_own_answer(visitor)
    os.kill(valkey.process.pid, fate)
    await then_everybody_gets_their_own_answer(visitor)
    readiness = await visitor.get("/readyz")
    assert (readiness.status_code, readiness.json()) == (200, {"ready": True, "degraded": ["redis"]})


async def test_a_stopped_redis_costs_one_short_wait_and_not_one_each(connection, service, visitor, valkey):
    await given_an_open_exam(connection, service)
    os.kill(valkey.process.pid, signal.SIGSTOP)
    started = time.monotonic()
    for _ in range(100):
        assert (await visitor.get(f"{RESULTS}/{MINH.number}")).status_code == 200
    # 100 lookups x 2 questions x 50 ms would be ten seconds.
    assert time.monotonic() - started < 5


async def test_guessing_stays_limited_without_redis(connection, service, visitor, valkey):
    exam = await given_exam(connection, policy="birth-date")
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    os.kill(valkey.process.pid, signal.SIGKILL)
    statuses = []
    for day in range(1, 29):
        guess = {"candidate_number": MINH.number, "birth_date": f"{day}/3/2008"}
        statuses.append((await visitor.post(RESULTS, json=guess)).status_code)
    assert statuses.count(404) <= 6
    assert statuses[-1] == 429


async def given_an_open_exam(connection, service):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), Paper(AN.number, AN.scores)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()


async def then_everybody_gets_their_own_answer(visitor):
    for candidate in (MINH, AN):
        answer = await visitor.get(f"{RESULTS}/{candidate.number}")
        assert answer.json()["candidate_number"] == candidate.number
        page = await visitor.post(PAGE, data={"candidate_number": candidate.number})
        assert page.status_code == 200
        assert candidate.number in page.text
    assert (await visitor.get(f"{RESULTS}/99999999")).status_code == 404
