"""Ten thousand requests that nobody means: each is refused with a word, none is a fault of ours, the service goes on.

They come from varied addresses through a trusted proxy, so that limits hardly refuse any, and meet a real service in a
process of its own. What is no HTTP at all is refused by Uvicorn, in plain text, before our code sees it.
"""

import json
import subprocess
from datetime import timedelta

import httpx
import pytest

from kit.clock import utc_now
from kit.keys import KeyRing
from lookup.gate.challenge import Challenge
from lookup.pins import derive_pin
from lookup.releases import release, withdraw
from tests.exams import given_exam, given_results, paper_of
from tests.fuzz import by_hand
from tests.fuzz.from_schema import requests_from_schema
from tests.fuzz.wire import Answer, Exchange, exchange_all
from tests.lookup.gate.gatehouse import solved
from tests.people import AN, MINH
from tests.server.running import reachable_folder, running

MOST_REFUSED_BY_LIMITS = 0.05
MOST_MEMORY_MB = 150


@pytest.fixture
async def fuzzed(database, valkey, connection):
    """A service as `make run` starts it, on the test's servers, with an exam of every policy and state."""
    await given_an_exam_of_every_policy_and_state(connection)
    servers = {"DATABASE_URL": database.url, "DATABASE_OWNER_URL": database.owner_url, "REDIS_URL": valkey.url}
    with (
        reachable_folder() as folder,
        running(folder / "s", WORKERS="1", TRUSTED_PROXIES="127.0.0.1", **servers) as service,
    ):
        yield service


async def test_ten_thousand_malformed_requests_find_no_fault(fuzzed):
    hand = by_hand.Hand(seed=2026)
    async with httpx.AsyncClient(base_url=fuzzed.url) as client:
        document = (await client.get("/schema")).json()
    requests = [
        *requests_from_schema(document, hand, by_hand.EXAMS),
        *by_hand.every_method_on_every_route(hand),
        *by_hand.odd_paths(hand),
        *by_hand.odd_numbers(hand),
        *by_hand.odd_questions(hand, 2000),
        *by_hand.odd_bodies(hand, 2000),
        *by_hand.odd_headers(hand),
        *by_hand.broken_frames(hand),
        *by_hand.damaged(hand, 1000),
    ]
    exchanges = await exchange_all(fuzzed.port, requests)
    assert len(exchanges) >= 10_000
    then_nothing_was_our_fault(exchanges)
    then_limits_refused_hardly_any(exchanges)
    then_programs_were_told_by_a_code(exchanges)
    then_nothing_unexpected_was_logged(fuzzed)
    then_memory_stayed_small(fuzzed)
    pin_key = KeyRing(fuzzed.state_dir / "keys").current("pin").value
    await then_everybody_still_gets_their_answer(fuzzed, derive_pin(pin_key, "ma", MINH.number))


async def given_an_exam_of_every_policy_and_state(connection):
    soon = utc_now() + timedelta(days=1)
    exams = (
        ("mo", "public", None),
        ("ngay-sinh", "birth-date", None),
        ("ma", "pin", None),
        ("niem-phong", "public", soon),
        ("go-bo", "public", None),
    )
    for code, policy, opens_at in exams:
        exam = await given_exam(connection, code, policy=policy)
        await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
        await release(connection, code, opens_at=opens_at)
    await withdraw(connection, "go-bo", reason="Sai dữ liệu")


def then_nothing_was_our_fault(exchanges: list[Exchange]):
    faults = [(answer.status, request.raw[:300]) for request, answer in exchanges if answer and answer.status >= 500]
    assert not faults, faults[:5]


def then_limits_refused_hardly_any(exchanges: list[Exchange]):
    refused = sum(answer is not None and answer.status == 429 for _, answer in exchanges)
    assert refused < MOST_REFUSED_BY_LIMITS * len(exchanges)


def then_programs_were_told_by_a_code(exchanges: list[Exchange]):
    for request, answer in exchanges:
        if answer and request.target.startswith("/api/") and answer.status >= 400 and not is_from_uvicorn(answer):
            assert answer.headers["content-type"] == "application/problem+json", (request, answer)
            assert request.method == "HEAD" or tells_a_code(answer), (request, answer)


def is_from_uvicorn(answer: Answer) -> bool:
    """What was no HTTP at all, or had endless headers. The sentence is missing where a HEAD was made out."""
    if answer.status == 431:
        return not answer.body
    return answer.status == 400 and answer.headers["content-type"] == "text/plain; charset=utf-8"


def tells_a_code(answer: Answer) -> bool:
    problem = json.loads(answer.body)
    return problem["status"] == answer.status and problem["code"].isidentifier()


def then_nothing_unexpected_was_logged(service):
    for word in ("unexpected_error", "Traceback", "Exception", '"level": "error"', MINH.number):
        assert word not in service.said


def then_memory_stayed_small(service):
    (web,) = service.pids("web_process")
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(web)], capture_output=True, text=True, check=True).stdout
    assert int(told) / 1024 < MOST_MEMORY_MB


async def then_everybody_still_gets_their_answer(service, pin):
    facts = {"mo": {}, "ngay-sinh": {"birth_date": "1/2/2008"}, "ma": {"pin": pin}}
    async with httpx.AsyncClient(base_url=service.url, headers={"X-Real-IP": "203.0.113.7"}) as client:
        for exam, fact in facts.items():
            asked = {"candidate_number": MINH.number} | fact
            answer = (await client.post(f"/api/v1/exams/{exam}/results", json=asked)).json()
            if answer.get("code") == "challenge":
                # Some of the thousands were wrong facts for just this number.
                proof = solved(Challenge(answer["challenge"], answer["difficulty"], expires=0))
                answer = (await client.post(f"/api/v1/exams/{exam}/results", json=asked | proof)).json()
            assert answer["candidate_number"] == MINH.number
            assert {paper["subject"]: paper["score"] for paper in answer["components"]}["toan"] == 8.25
        for exam in ("niem-phong", "go-bo"):
            assert (await client.get(f"/api/v1/exams/{exam}/results/{MINH.number}")).status_code == 404
        assert (await client.get("/readyz")).json() == {"ready": True, "degraded": ["mail"]}
