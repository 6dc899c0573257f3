"""What a balancer and whoever watches over the service are told, and what a process answers that has nobody left."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from lookup.releases import release
from lookup.sealed.own_clock import utc_now
from lookup.sealed.release_folder import bundle_path, keep_key
from lookup.sealed.vault import LATE
from server.app import create_app
from tests.exams import given_exam, given_results, paper_of
from tests.lookup.sealed.given import given_open_bundle, given_sealed_bundle
from tests.people import AN, MINH, MORNING
from tests.server.in_process import served

HOUR = timedelta(hours=1)
RESULT = f"/api/v1/exams/thpt-2026/results/{MINH.number}"
LATER = MORNING + LATE


async def given_release(connection, *, opens_at=MORNING, code="thpt-2026"):
    exam = await given_exam(connection, code)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=opens_at, now=opens_at - HOUR)
    return exam


@pytest.fixture
def without_servers(settings):
    """This node's settings, on a day when neither PostgreSQL nor Redis is there."""
    dead = f"{settings.database_url.partition('?')[0]}?host=/nowhere"
    return msgspec.structs.replace(settings, database_url=dead, redis_url="unix:///nowhere/redis")


async def readiness(visitor) -> tuple[int, list[str], list[str]]:
    """Status, what is degraded, and the problems."""
    answer = await visitor.get("/readyz")
    told = answer.json()
    assert told["ready"] == (answer.status_code == 200)
    return answer.status_code, told["degraded"], told.get("problems", [])


async def test_a_worker_that_can_serve_lookups_says_so(visitor):
    assert (await visitor.get("/healthz")).json() == {"status": "alive"}
    readiness = await visitor.get("/readyz")
    assert (readiness.status_code, readiness.json()) == (200, {"ready": True, "degraded": []})


async def test_a_due_release_that_is_not_open_here_takes_the_process_out(connection, service, visitor, clock, settings):
    exam = await given_release(connection, opens_at=MORNING)
    clock.now = MORNING - HOUR
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await service.hears_all_changes()
    assert (await readiness(visitor))[0] == 200
    clock.now = MORNING
    assert (await readiness(visitor))[0] == 200, "a key is on its way for some milliseconds"
    clock.now = LATER
    assert await readiness(visitor) == (503, [], [f"release_not_open:{exam.code}"])
    assert (await visitor.get(RESULT)).status_code == 404, "as before its moment"
    keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
    await until(lambda: visitor.get(RESULT), 200)
    assert (await readiness(visitor))[0] == 200


async def until(ask, status: int) -> None:
    async with asyncio.timeout(5):
        while (await ask()).status_code != status:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_broken_file_takes_the_process_out_before_its_moment_already(connection, clock, settings):
    clock.now = MORNING - HOUR
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    path.write_bytes(path.read_bytes()[:-1])
    async with served(create_app(settings, clock=clock)) as visitor:
        assert await readiness(visitor) == (503, [], [f"file_broken:{exam.code}"])


async def test_a_correction_that_does_not_open_is_503_after_a_minute(connection, service, visitor, clock, settings):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    await given_results(connection, exam, [paper_of(MINH)], reason="Phúc khảo")
    corrected = MORNING + HOUR
    await release(connection, exam.code, opens_at=corrected, now=MORNING)
    await given_sealed_bundle(connection, settings, exam.code)
    await service.hears_all_changes()
    for seconds, status, version in ((-1, 200, 1), (0, 200, 1), (59, 200, 1), (60, 503, None), (600, 503, None)):
        clock.now = corrected + timedelta(seconds=seconds)
        answer = await visitor.get(RESULT)
        assert (answer.status_code, answer.json().get("version")) == (status, version)
    assert answer.json()["code"] == "correction_awaited"
    assert int(answer.headers["retry-after"]) > 0
    page = await visitor.post("/tra-cuu/diem-thi/thpt-2026", data={"candidate_number": MINH.number})
    assert (page.status_code, "Kết quả đang được cập nhật" in page.text) == (503, True)
    assert (await readiness(visitor))[2] == [f"release_not_open:{exam.code}"]


async def test_a_process_started_when_everything_is_dead_answers_all_that_is_open(
    connection, service, visitor, settings, without_servers, clock
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    await service.hears_all_changes()
    pages = (RESULT, "/", "/tra-cuu/diem-thi", "/tra-cuu/diem-thi/thpt-2026", "/api/v1/exams/thpt-2026", "/don-vi")
    alive = {page: await visitor.get(page) for page in pages}
    async with served(create_app(without_servers, clock=clock)) as alone:
        for page, answer in alive.items():
            again = await alone.get(page)
            assert (page, again.status_code) == (page, 200)
            assert again.content == answer.content, page
        assert (await alone.get(RESULT.replace(MINH.number, "99999999"))).json()["code"] == "result_not_found"
        status, degraded, problems = await readiness(alone)
        assert (status, "postgresql" in degraded, problems) == (200, True, [])


async def test_a_release_opens_while_everything_is_dead(connection, service, settings, without_servers, clock):
    clock.now = MORNING - HOUR
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await service.hears_all_changes()
    async with served(create_app(without_servers, clock=clock)) as alone:
        keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
        await asyncio.sleep(1.2)
        assert (await alone.get(RESULT)).status_code == 404
        clock.now = MORNING
        await until(lambda: alone.get(RESULT), 200)
        assert (await readiness(alone))[0] == 200


async def test_what_only_postgresql_has_takes_the_process_out_while_it_is_away(
    connection, service, without_servers, clock
):
    exam = await given_release(connection)
    await service.hears_all_changes()
    async with served(create_app(without_servers, clock=clock)) as alone:
        status, _, problems = await readiness(alone)
        assert (status, problems) == (503, [f"postgresql_needed:{exam.code}"])


async def test_who_has_never_heard_of_any_exam_is_not_ready(without_servers, clock):
    async with served(create_app(without_servers, clock=clock)) as alone:
        status, _, problems = await readiness(alone)
        assert (status, problems) == (503, ["exams_not_known"])


async def test_a_clock_that_is_off_takes_the_process_out(settings, clock, monkeypatch):
    monkeypatch.setattr("lookup.sealed.own_clock.OwnClock.__init__.__defaults__", (lambda: utc_now() + HOUR,))
    async with served(create_app(settings, clock=clock)) as visitor:
        assert (await readiness(visitor))[::2] == (503, ["clock_differs"])


async def test_metrics_count_by_route_and_never_hold_a_number(connection, service, visitor):
    await given_exam(connection)
    await service.hears_all_changes()
    await visitor.get(f"/api/v1/exams/thpt-2026/results/{MINH.number}")
    operator = service.visitor("127.0.0.1")
    metrics = (await operator.get("/metrics")).text
    assert 'route="/api/v1/exams/{exam_code}/results/{candidate_number}"' in metrics
    assert MINH.number not in metrics


async def test_metrics_say_which_exams_are_open_and_on_which_way_their_keys_came(
    connection, service, visitor, settings
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    await service.hears_all_changes()
    await until(lambda: visitor.get(RESULT), 200)
    metrics = (await service.visitor("127.0.0.1").get("/metrics")).text
    assert f'baodanh_release_open{{exam="{exam.code}"}} 1.0' in metrics
    assert 'baodanh_release_keys_total{source="folder"}' in metrics


async def test_metrics_do_not_exist_for_the_public(visitor):
    answer = await visitor.get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
