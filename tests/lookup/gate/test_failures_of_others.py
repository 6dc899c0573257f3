"""How other sites failed (domain, section 7), replayed: what was taken there cannot be taken here."""

import asyncio
import re
from datetime import timedelta

import httpx
import pytest

from lookup.exams import Policy
from lookup.releases import release
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.lookup.gate.test_challenge import solution_of
from tests.people import AN, MINH, MORNING

API, PAGE = "/api/v1/exams/thpt-2026", "/tra-cuu/diem-thi/thpt-2026"
RESULTS = f"{API}/results"
PLACES = range(100, 400)


async def given_results_of_a_school(connection, service, policy: Policy = "public", *, opens_at=MORNING):
    exam = await given_exam(connection, policy=policy, show_name=policy == "birth-date")
    crowd = [
        Paper(f"99000{place}", MINH.scores | {"toan": MINH.scores["toan"] - place % 5}, birth_date=MINH.birth_date)
        for place in PLACES
    ]
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN), *crowd])
    await release(connection, exam.code, opens_at=opens_at)
    await service.hears_all_changes()


async def test_hanoi_2023_no_address_of_a_result_can_be_derived(connection, service, visitor):
    """There the address was an encoding of the candidate number, and a loop took them all."""
    await given_results_of_a_school(connection, service, "birth-date")
    question = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}
    page = await visitor.post(PAGE, data=question)
    assert page.status_code == 200
    assert page.headers.get("location") is None
    addresses = re.findall(r'(?:href|action|src)="([^"]*)"', page.text)
    assert addresses
    assert not [each for each in addresses if MINH.number in each or "2008" in each]
    by_number = [f"{RESULTS}/{MINH.number}", f"{PAGE}/{MINH.number}", f"{PAGE}?candidate_number={MINH.number}"]
    for answer in [await visitor.get(address) for address in by_number]:
        assert "8.25" not in answer.text
        assert "8,25" not in answer.text


async def until_challenged(visitor: httpx.AsyncClient) -> tuple[int, dict]:
    for place in PLACES:
        answer = await visitor.post(RESULTS, json={"candidate_number": f"99000{place}"})
        if answer.status_code != 200:
            return place, answer.json()
    raise AssertionError("a loop took them all")


async def test_hanoi_2024_a_solved_challenge_works_for_one_number_and_once(connection, service, visitor):
    """There one solved captcha worked for every number."""
    await given_results_of_a_school(connection, service)
    place, problem = await until_challenged(visitor)
    proof = await asyncio.to_thread(solution_of, problem)
    asked = {"candidate_number": f"99000{place}"} | proof
    assert (await visitor.post(RESULTS, json=asked)).status_code == 200
    others = [{"candidate_number": f"99000{place + step}"} | proof for step in range(4)]
    for other in others:
        answer = await visitor.post(RESULTS, json=other)
        assert (answer.status_code, answer.json()["code"]) == (429, "challenge")
        assert "set-cookie" not in answer.headers, "nothing to carry along"


async def test_hcmc_2024_by_number_alone_there_are_scores_and_no_name_or_birth_date(connection, service, visitor):
    """There open JSON by candidate number gave name and date of birth."""
    await given_results_of_a_school(connection, service)
    by_get = await visitor.get(f"{RESULTS}/{MINH.number}")
    by_post = await visitor.post(RESULTS, json={"candidate_number": MINH.number})
    page = await visitor.post(PAGE, data={"candidate_number": MINH.number})
    for answer in (by_get, by_post, page):
        assert answer.status_code == 200
        assert MINH.name not in answer.text
        assert not re.search(r"2008|0?1/0?2/|birth", answer.text)
    assert set(by_get.json()) == {
        "exam", "candidate_number", "components", "total", "outcome", "version", "released_at"
    }  # fmt: skip


async def test_da_nang_2024_nothing_in_a_page_opens_anything(connection, service, visitor):
    """There a constant `app code` in the page was the protection."""
    await given_results_of_a_school(connection, service, "birth-date")
    page = await visitor.get(PAGE)
    assert "set-cookie" not in page.headers
    assert re.findall(r'type="hidden"', page.text) == [], "the form carries no secret"
    scripts = re.findall(r'src="(/static/[^"]+)"', page.text)
    told = page.text + "".join([(await visitor.get(address)).text for address in scripts])
    constants = set(re.findall(r"[A-Za-z0-9+/_-]{24,}", told)) | set(re.findall(r"\b[0-9a-f]{16,}\b", told))
    question = {"candidate_number": MINH.number, "birth_date": "2/2/2008"}
    refused = await visitor.post(RESULTS, json=question)
    assert refused.status_code == 404
    for constant in sorted(constants)[:20]:
        headers = {"X-App-Code": constant, "Authorization": f"Bearer {constant}", "X-Api-Key": constant}
        stranger = service.visitor("198.51.100.66", headers=headers)
        answer = await stranger.get(f"{RESULTS}/{MINH.number}")
        assert answer.json()["code"] == "factor_required"


@pytest.mark.parametrize("policy", ["public", "birth-date"])
async def test_obr_2025_and_ireland_2022_nothing_is_told_before_the_second(connection, service, visitor, clock, policy):
    """There a guessable address and a test system told early."""
    await given_results_of_a_school(connection, service, policy)
    question = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}
    unknown = {"candidate_number": "99999999", "birth_date": "1/2/2008"}
    clock.now = MORNING - timedelta(milliseconds=1)
    for ask in (api_post, page_post, get_result):
        known, nobody = await ask(visitor, question), await ask(visitor, unknown)
        assert known.status_code == nobody.status_code
        assert known.text.replace(MINH.number, "*") == nobody.text.replace("99999999", "*")
        assert "8.25" not in known.text
        assert "8,25" not in known.text
    exam = (await visitor.get(API)).json()
    assert {subject["distribution"] for subject in exam["subjects"]} == {None}
    clock.now = MORNING
    assert (await api_post(visitor, question)).status_code == 200


async def api_post(visitor, question):
    return await visitor.post(RESULTS, json=question)


async def page_post(visitor, question):
    return await visitor.post(PAGE, data=question)


async def get_result(visitor, question):
    return await visitor.get(f"{RESULTS}/{question['candidate_number']}")


async def test_icse_2013_looping_the_numbers_is_slow(connection, service, visitor):
    """There 215,000 results were taken by looping roll numbers."""
    await given_results_of_a_school(connection, service)
    answers = [await visitor.get(f"{RESULTS}/99000{place}") for place in PLACES]
    taken = [answer for answer in answers if answer.status_code == 200]
    assert 45 <= len(taken) < 75
    assert {answer.json()["code"] for answer in answers if answer.status_code != 200} == {"challenge"}


async def test_cbse_2026_no_answer_is_another_persons(connection, service):
    """There answers were mixed up between people when everybody came."""
    await given_results_of_a_school(connection, service)

    async def asks(place: int) -> tuple[str, httpx.Response]:
        number = f"99000{place}"
        crowd = service.visitor(f"10.{place % 200}.{place % 7}.1")
        return number, await crowd.get(f"{RESULTS}/{number}")

    for number, answer in await asyncio.gather(*(asks(place) for place in PLACES)):
        assert answer.json()["candidate_number"] == number
        expected = MINH.scores["toan"] - int(number) % 5
        assert answer.json()["components"][0]["score"] == float(expected), number
