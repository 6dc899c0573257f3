"""A challenge serves one question, once, while it lasts; the wait page likewise."""

import asyncio
import re
from datetime import date, timedelta
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.client_address import address_bucket
from kit.redis_servers import RedisServer
from lookup.exams import Policy
from lookup.gate.challenge import Challenger
from lookup.gate.spent import EVERY_SECONDS, SpentSolutions
from lookup.releases import release
from lookup.scores import Question
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.lookup.gate.gatehouse import KEY, Gatehouse, made_exam, solved
from tests.people import AN, MINH, MORNING

ASKED = Question("99000001", date(2008, 2, 1))
RESULTS, PAGE = "/api/v1/exams/thpt-2026/results", "/tra-cuu/diem-thi/thpt-2026"
# So many of a class in a row that the next one is challenged.
FREE = range(200, 270)


@pytest.fixture
def house() -> Gatehouse:
    return Gatehouse("birth-date")


def check(house: Gatehouse, proof: dict[str, str], asked: Question = ASKED, *, later: float = 0, exam=None):
    return house.challenger.check(exam or house.exam, asked, proof, house.clock.now + timedelta(seconds=later))


def test_a_solution_counts_once(house):
    proof = check(house, solved(house.challenger.challenge(house.exam, ASKED, house.clock.now)))
    assert proof is not None
    assert house.challenger.spend(proof)
    assert not house.challenger.spend(proof)
    house.clock.passes(290)
    assert not house.challenger.spend(proof), "for as long as it lasts"


def test_without_redis_a_solution_counts_just_as_often(house):
    house.limiter.is_strict = True
    proof = check(house, solved(house.challenger.challenge(house.exam, ASKED, house.clock.now)))
    assert proof is not None
    assert [house.challenger.spend(proof) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    "other", [Question("99000002", date(2008, 2, 1)), Question("99000001", date(2008, 2, 2)), Question("99000001")]
)
def test_a_solution_serves_no_other_question(house, other):
    right = solved(house.challenger.challenge(house.exam, ASKED, house.clock.now))
    assert check(house, right)
    assert check(house, right, other) is None
    assert check(house, right, exam=made_exam("birth-date", code="khac")) is None


def test_a_solution_is_worth_nothing_after_five_minutes(house):
    right = solved(house.challenger.challenge(house.exam, ASKED, house.clock.now))
    assert check(house, right, later=298)
    assert check(house, right, later=301) is None


def test_another_node_takes_it_and_a_stranger_cannot_make_one(house):
    right = solved(house.challenger.challenge(house.exam, ASKED, house.clock.now))
    assert Challenger(house.limiter, key=KEY).check(house.exam, ASKED, right, house.clock.now)
    made_up = Challenger(house.limiter, key=b"x" * 32, bits=4).challenge(house.exam, ASKED, house.clock.now)
    assert check(house, solved(made_up)) is None


def test_less_work_than_asked_for_is_none(house):
    right = solved(house.challenger.challenge(house.exam, ASKED, house.clock.now))
    hits = right["solution"].split(".")
    for wrong in ([hits[0]] * 8, hits[:7], [*hits, "1"], [f"0{hits[0]}", *hits[1:]], [f" {hits[0]}", *hits[1:]], []):
        assert check(house, right | {"solution": ".".join(wrong)}) is None
    assert check(house, {"challenge": right["challenge"]}) is None


@given(st.text(max_size=60), st.text(max_size=200))
def test_whatever_is_sent_as_a_solution_is_no_error(challenge, solution):
    house = Gatehouse("birth-date")
    genuine = house.challenger.challenge(house.exam, ASKED, house.clock.now).text
    for text in (challenge, genuine):
        assert check(house, {"challenge": text, "solution": solution}) is None
    assert check(house, {"wait": challenge}) is None


def test_a_wait_counts_after_ten_seconds_and_once(house):
    begun = house.challenger.wait(house.exam, ASKED, house.clock.now)
    assert begun.seconds == 10
    assert check(house, {"wait": begun.text}, later=8) is None
    house.clock.passes(4)
    again = house.challenger.wait(house.exam, ASKED, house.clock.now, begun=begun.text)
    assert again.text == begun.text, "whoever presses too early does not begin anew"
    assert 5 <= again.seconds <= 6
    house.clock.passes(7)
    proof = check(house, {"wait": begun.text})
    assert proof is not None
    assert house.challenger.spend(proof)
    assert not house.challenger.spend(proof)
    assert check(house, {"wait": begun.text}, Question("99000002")) is None
    assert check(house, {"challenge": begun.text, "solution": ""}) is None, "a wait is no work"


async def given_a_class(connection, service, *, policy: Policy = "public"):
    exam = await given_exam(connection, policy=policy)
    crowd = [Paper(f"99000{place}", MINH.scores, birth_date=MINH.birth_date) for place in (*FREE, 900)]
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN), *crowd])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()


async def collected(visitor, policy="public"):
    """The class in order, until the first challenge: the number it came at, and the answer."""
    for place in FREE:
        question = {"candidate_number": f"99000{place}"}
        if policy == "birth-date":
            question["birth_date"] = "2008-02-01"
        answer = await visitor.post(RESULTS, json=question)
        if answer.status_code != 200:
            return question, answer
    raise AssertionError("nobody was challenged")


def solution_of(problem: dict) -> dict[str, str]:
    """What a program does with the problem, as the reference says."""
    import hashlib

    found, number = [], 0
    while len(found) < problem["count"]:
        digest = hashlib.sha256(f"{problem['challenge']}.{number}".encode()).digest()
        if int.from_bytes(digest, "big") >> (256 - problem["difficulty"]) == 0:
            found.append(str(number))
        number += 1
    return {"challenge": problem["challenge"], "solution": ".".join(found)}


@pytest.mark.parametrize("policy", ["public", "birth-date"])
async def test_a_program_solves_a_challenge_and_is_answered_once(connection, service, visitor, policy):
    await given_a_class(connection, service, policy=policy)
    question, refused = await collected(visitor, policy)
    problem = refused.json()
    assert (refused.status_code, problem["code"], problem["algorithm"]) == (429, "challenge", "sha-256")
    assert refused.headers["cache-control"] == "no-store"
    assert question["candidate_number"] not in refused.text
    proof = await asyncio.to_thread(solution_of, problem)
    answered = await visitor.post(RESULTS, data=question | proof)
    assert answered.status_code == 200
    assert answered.json()["candidate_number"] == question["candidate_number"]
    again = await visitor.post(RESULTS, json=question | proof)
    other = question | {"candidate_number": str(int(question["candidate_number"]) + 1)}
    next_one = await visitor.post(RESULTS, json=other | proof)
    assert [refused.json()["code"] for refused in (again, next_one)] == ["challenge", "challenge"]


async def test_without_a_script_people_wait_ten_seconds_and_press_the_button(connection, service, visitor, clock):
    await given_a_class(connection, service)
    question, _ = await collected(visitor)
    page = await visitor.post(PAGE, data=question)
    assert page.status_code == 429
    assert "Xin đợi 10 giây" in page.text
    assert 'data-solver="/static/' in page.text
    form = {
        name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    }
    assert form.keys() == {"candidate_number", "wait"}
    clock.now += timedelta(seconds=6)
    early = await visitor.post(PAGE, data=form)
    assert early.status_code == 429
    assert "Xin đợi 4 giây" in early.text
    clock.now += timedelta(seconds=5)
    assert (await visitor.post(PAGE, data=form)).status_code == 200
    assert (await visitor.post(PAGE, data=form)).status_code == 429
    english = await visitor.post(f"/en{PAGE}", data=question)
    assert "Please wait 10 seconds" in english.text


async def test_whoever_asks_for_somebody_else_at_the_same_address_does_not_notice(connection, service, visitor):
    await given_a_class(connection, service)
    await collected(visitor)
    assert (await visitor.get(f"{RESULTS}/{MINH.number}")).status_code == 200
    assert (await visitor.get(f"{RESULTS}/99000900")).status_code == 200
    assert address_bucket("203.0.113.7").endswith("/32")


async def test_what_was_used_up_on_one_node_is_used_up_on_the_others(valkey):
    houses = [Gatehouse("birth-date") for _ in range(2)]
    async with RedisServer(valkey.url) as redis:
        nodes = [SpentSolutions(house.challenger, redis, valkey.url) for house in houses]
        tasks = [asyncio.create_task(work) for node in nodes for work in (node.keep_telling(), node.keep_hearing())]
        try:
            async with asyncio.timeout(10):
                while not await is_used_up_elsewhere(*houses):
                    continue
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def is_used_up_elsewhere(here: Gatehouse, there: Gatehouse) -> bool:
    """A new solution each time: nobody knows when a listener is there."""
    proof = check(here, solved(here.challenger.challenge(here.exam, ASKED, here.clock.now)))
    assert proof is not None
    assert here.challenger.spend(proof)
    await asyncio.sleep(3 * EVERY_SECONDS)
    assert not here.challenger.spend(proof)
    return not there.challenger.spend(proof)


def test_words_that_are_no_ids_use_nothing_up(house):
    proof = check(house, solved(house.challenger.challenge(house.exam, ASKED, house.clock.now)))
    assert proof is not None
    listener = SpentSolutions(house.challenger, RedisServer("redis://127.0.0.1:1"), "")
    for word in (b"", b"short", proof.id[:-1], b"x" * 1000, b"x" + proof.id):
        listener.hear(word)
    assert house.challenger.spend(proof)
