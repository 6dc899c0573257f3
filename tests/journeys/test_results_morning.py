"""Results morning: Minh sees his scores at the announced second, and nobody sees anything before it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from lookup.releases import release, withdraw
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING

PAGE = "/tra-cuu/diem-thi/thpt-2026"
API = "/api/v1/exams/thpt-2026"


async def test_minh_sees_his_scores_from_the_announced_second_on(connection, service, visitor, clock):
    await given_a_released_exam_that_opens_at_eight(connection, service)
    clock.now = MORNING - timedelta(milliseconds=1)
    await then_there_is_a_countdown(visitor)
    await then_his_result_does_not_exist(visitor)
    clock.now = MORNING
    await then_the_page_shows_his_scores(visitor)
    await then_the_api_shows_his_scores(visitor)


async def test_a_corrected_score_says_that_it_was_corrected(connection, service, visitor):
    exam = await given_a_released_exam_that_opens_at_eight(connection, service)
    better = dict(MINH.scores) | {"toan": Decimal("8.75")}
    await given_results(connection, exam, [Paper(MINH.number, better)], reason="Phúc khảo")
    assert (await visitor.get(f"{API}/results/{MINH.number}")).json()["version"] == 1, (
        "an import changes nothing public"
    )
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    answer = (await visitor.get(f"{API}/results/{MINH.number}")).json()
    assert answer["version"] == 2
    assert {c["subject"]: c["score"] for c in answer["components"]}["toan"] == 8.75
    page = (await visitor.post(PAGE, data={"candidate_number": MINH.number})).text
    assert "8,75" in page
    assert "Phúc khảo" in page
    assert (await visitor.get(f"{API}/results/{AN.number}")).json()["version"] == 1, "others are not corrected"


async def test_a_withdrawn_exam_answers_as_if_it_had_never_opened(connection, service, visitor):
    exam = await given_a_released_exam_that_opens_at_eight(connection, service)
    await then_the_api_shows_his_scores(visitor)
    await withdraw(connection, exam.code, reason="Sai dữ liệu")
    await service.hears_all_changes()
    await then_his_result_does_not_exist(visitor)
    assert (await visitor.get(API)).json()["state"] == "withdrawn"
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    await then_the_api_shows_his_scores(visitor)


async def given_a_released_exam_that_opens_at_eight(connection, service):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    return exam


async def then_there_is_a_countdown(visitor):
    page = (await visitor.get(PAGE)).text
    assert "8 giờ 00, ngày 01/7/2026" in page
    assert "<count-down" in page
    assert 'name="candidate_number"' not in page


async def then_his_result_does_not_exist(visitor):
    answer = await visitor.get(f"{API}/results/{MINH.number}")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    unknown = await visitor.get(f"{API}/results/99999999")
    assert answer.content == unknown.content
    page = await visitor.post(PAGE, data={"candidate_number": MINH.number})
    assert page.status_code == 404
    for score in ("8,25", "7,50"):
        assert score not in page.text


async def then_the_page_shows_his_scores(visitor):
    page = await visitor.post(PAGE, data={"candidate_number": " 9900 0001 "})
    assert page.status_code == 200
    for shown in ("8,25", "7,50", "9,00", "6,75", "Toán", "Vật lí", MINH.number):
        assert shown in page.text
    assert MINH.name not in page.text


async def then_the_api_shows_his_scores(visitor):
    answer = await visitor.get(f"{API}/results/{MINH.number}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=30"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert b'"score":8.25' in answer.content
    assert b'"score":7.50' in answer.content
    assert answer.json() | {"components": []} == {
        "exam": "thpt-2026",
        "candidate_number": MINH.number,
        "components": [],
        "total": None,
        "outcome": None,
        "version": 1,
        "released_at": "2026-07-01T01:00:00Z",
    }


async def test_an_announced_moment_counts_down_but_opens_nothing(connection, service, visitor, clock):
    await given_exam(connection, announced_at=MORNING)
    await service.hears_all_changes()
    clock.now = MORNING - timedelta(hours=1)
    await then_there_is_a_countdown(visitor)
    clock.now = MORNING
    page = (await visitor.get(PAGE)).text
    assert "<count-down" not in page
    assert 'name="candidate_number"' not in page
    assert (await visitor.get(API)).json()["state"] == "sealed"
    await then_his_result_does_not_exist(visitor)


async def test_a_withdrawn_exam_released_for_later_stays_down_until_then(connection, service, visitor, clock):
    exam = await given_a_released_exam_that_opens_at_eight(connection, service)
    await withdraw(connection, exam.code)
    await release(connection, exam.code, opens_at=MORNING + timedelta(days=400))
    await service.hears_all_changes()
    assert (await visitor.get(API)).json()["state"] == "sealed"
    await then_his_result_does_not_exist(visitor)
    clock.now = MORNING + timedelta(days=400)
    await then_the_api_shows_his_scores(visitor)


async def test_a_release_that_was_withdrawn_before_its_moment_never_opens(connection, service, visitor, clock):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=datetime.now(UTC) + timedelta(days=1))
    await withdraw(connection, exam.code)
    await service.hears_all_changes()
    clock.now = datetime.now(UTC) + timedelta(days=2)
    await then_his_result_does_not_exist(visitor)
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    await then_the_api_shows_his_scores(visitor)
