"""Guessing is slow, bounded and shared by all workers; nobody is locked out by a stranger."""

import asyncio
from datetime import timedelta

from lookup.releases import release
from tests.exams import given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING

RESULTS = "/api/v1/exams/thpt-2026/results"
RIGHT = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}


def guess(day: int) -> dict[str, str]:
    return {"candidate_number": MINH.number, "birth_date": f"{day}/5/2009"}


async def given_an_exam_by_birth_date(connection, service):
    exam = await given_exam(connection, policy="birth-date")
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()


async def test_six_wrong_birth_dates_are_enough_and_one_more_every_three_minutes(connection, service, visitor):
    await given_an_exam_by_birth_date(connection, service)
    statuses = [(await visitor.post(RESULTS, json=guess(day))).status_code for day in range(1, 9)]
    assert statuses == [404] * 6 + [429] * 2
    refused = await visitor.post(RESULTS, json=guess(20))
    assert refused.json()["code"] == "too_many_lookups"
    assert 170 < int(refused.headers["retry-after"]) <= 180


async def test_guesses_at_the_same_instant_count_too(connection, service, visitor):
    await given_an_exam_by_birth_date(connection, service)
    answers = await asyncio.gather(*(visitor.post(RESULTS, json=guess(day)) for day in range(1, 29)))
    assert sorted(answer.status_code for answer in answers) == [404] * 6 + [429] * 22


async def test_moving_to_the_next_address_of_the_neighbourhood_does_not_help(connection, service):
    await given_an_exam_by_birth_date(connection, service)
    neighbours = [service.visitor(f"203.0.113.{day}") for day in range(1, 15)]
    statuses = [(await each.post(RESULTS, json=guess(day))).status_code for day, each in enumerate(neighbours, 1)]
    assert statuses.count(404) == 6


async def test_a_stranger_elsewhere_cannot_lock_a_candidate_out(connection, service, visitor):
    await given_an_exam_by_birth_date(connection, service)
    stranger = service.visitor("198.51.100.66")
    for day in range(1, 15):
        await stranger.post(RESULTS, json=guess(day))
    assert (await visitor.post(RESULTS, json=RIGHT)).status_code == 200


async def test_who_knows_the_birth_date_may_look_as_often_as_they_like(connection, service, visitor):
    await given_an_exam_by_birth_date(connection, service)
    for _ in range(30):
        assert (await visitor.post(RESULTS, json=RIGHT)).status_code == 200


async def test_a_number_that_nobody_has_is_limited_like_one_that_exists(connection, service, visitor):
    await given_an_exam_by_birth_date(connection, service)
    unknown = {"candidate_number": "99777777", "birth_date": "1/2/2008"}
    statuses = [(await visitor.post(RESULTS, json=unknown)).status_code for _ in range(8)]
    assert statuses == [404] * 6 + [429] * 2


async def test_who_asks_too_early_is_not_locked_out_at_the_moment(connection, service, visitor, clock):
    exam = await given_exam(connection, policy="birth-date")
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING + timedelta(minutes=1))
    await service.hears_all_changes()
    for _ in range(12):
        assert (await visitor.post(RESULTS, json=RIGHT)).status_code == 404
    clock.now = MORNING + timedelta(minutes=1)
    assert (await visitor.post(RESULTS, json=RIGHT)).status_code == 200
