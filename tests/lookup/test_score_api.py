"""The API's rules: who gets what, in which bytes, and what everybody else is told."""

from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from lookup.pins import derive_pin, hash_imported_pin
from lookup.releases import release
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING


async def released(connection, service, **how):
    papers = how.pop("papers", [paper_of(MINH), paper_of(AN)])
    exam = await given_exam(connection, **how)
    await given_results(connection, exam, papers)
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    return exam


RESULTS = "/api/v1/exams/thpt-2026/results"


async def test_unknown_not_released_and_wrong_birth_date_give_the_same_bytes(connection, service, visitor, clock):
    await released(connection, service, policy="birth-date")
    wrong = {"candidate_number": MINH.number, "birth_date": "2008-02-02"}
    unknown = {"candidate_number": "99999999", "birth_date": "2008-02-01"}
    right = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}
    refusals = [await visitor.post(RESULTS, json=question) for question in (wrong, unknown)]
    clock.now = MORNING - timedelta(seconds=1)
    refusals.append(await visitor.post(RESULTS, json=right))
    seen = {
        (answer.status_code, answer.content, tuple(h for h in answer.headers.items() if h[0] != "date"))
        for answer in refusals
    }
    assert len(seen) == 1
    assert refusals[0].status_code == 404
    assert refusals[0].json()["code"] == "result_not_found"
    clock.now = MORNING
    assert (await visitor.post(RESULTS, json=right)).status_code == 200


@pytest.mark.parametrize(
    "typed", ["2008-02-01", "1/2/2008", "01-02-2008", "01.02.2008", "01022008", "０１/０２/２００８", " 1 / 2 / 2008 "]
)
async def test_a_birth_date_may_be_written_as_people_write_it(connection, service, visitor, typed):
    await released(connection, service, policy="birth-date")
    answer = await visitor.post(RESULTS, json={"candidate_number": MINH.number, "birth_date": typed})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_a_name_is_told_only_where_the_unit_turned_it_on(connection, service, visitor):
    await released(connection, service, policy="birth-date")
    await released(connection, service, policy="birth-date", code="with-names", show_name=True)
    question = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}
    silent = await visitor.post(RESULTS, json=question)
    named = await visitor.post("/api/v1/exams/with-names/results", json=question)
    assert MINH.name not in silent.text
    assert "candidate_name" not in silent.json()
    assert named.json()["candidate_name"] == MINH.name
    for answer in (silent, named):
        assert "2008" not in answer.text.replace("released_at", "").replace("thpt-2026", ""), "no birth date"


async def test_a_lookup_code_opens_one_result_only(connection, service, visitor, pin_key):
    imported = hash_imported_pin(pin_key, "thpt-2026", AN.number, "Q7W8E9R0T1")
    papers = [paper_of(MINH), Paper(AN.number, AN.scores, pin_hash=imported)]
    exam = await released(connection, service, policy="pin", papers=papers)
    pin = derive_pin(pin_key, exam.code, MINH.number)
    for number, typed, status in (
        (MINH.number, pin, 200),
        (MINH.number, f"{pin[:5]}-{pin[5:].lower()}", 200),
        (AN.number, pin, 404),
        (AN.number, "q7w8e-9r0t1", 200),
        (AN.number, derive_pin(pin_key, exam.code, AN.number), 404),
        (MINH.number, "A", 404),
    ):
        answer = await visitor.post(RESULTS, json={"candidate_number": number, "pin": typed})
        assert answer.status_code == status, (number, typed)


async def test_a_form_without_preflight_asks_as_well_as_json(connection, service, visitor):
    await released(connection, service, policy="birth-date")
    question = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}
    as_form, as_json = await visitor.post(RESULTS, data=question), await visitor.post(RESULTS, json=question)
    assert as_form.content == as_json.content


async def test_results_with_a_second_fact_are_not_found_by_number_alone(connection, service, visitor):
    await released(connection, service, policy="birth-date")
    answer = await visitor.get(f"{RESULTS}/{MINH.number}")
    assert (answer.status_code, answer.json()["code"]) == (403, "factor_required")


async def test_a_public_result_may_be_posted_for_too(connection, service, visitor):
    await released(connection, service)
    posted = await visitor.post(RESULTS, json={"candidate_number": MINH.number})
    assert posted.content == (await visitor.get(f"{RESULTS}/{MINH.number}")).content


async def test_marks_are_words_and_zero_is_a_score(connection, service, visitor):
    paper = Paper(MINH.number, {"toan": Decimal(0)}, {"ngu_van": "absent", "vat_li": "exempt"})
    await released(connection, service, papers=[paper])
    components = (await visitor.get(f"{RESULTS}/{MINH.number}")).json()["components"]
    assert {c["subject"]: c.get("score", c.get("mark")) for c in components} == {
        "toan": 0, "ngu_van": "absent", "vat_li": "exempt",
    }  # fmt: skip
    assert all(("score" in c) != ("mark" in c) for c in components)


async def test_a_total_is_told_only_where_the_rule_has_one(connection, service, visitor):
    ranked = Paper("990001", {"toan": Decimal(8)}, total=Decimal("41.5"))
    await released(connection, service, papers=[Paper(MINH.number, {"toan": Decimal(8)}, total=Decimal(8))])
    await released(connection, service, code="lop-10", kind="lop-10", papers=[ranked])
    assert (await visitor.get(f"{RESULTS}/{MINH.number}")).json()["total"] is None
    answer = await visitor.get("/api/v1/exams/lop-10/results/990001")
    assert b'"total":41.50' in answer.content


async def test_all_mistakes_of_a_question_are_told_at_once(connection, service, visitor):
    await released(connection, service, policy="birth-date")
    answer = await visitor.post(RESULTS, json={"candidate_number": "12", "birth_date": "31/2/2008"})
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["code"] == "invalid_form"
    assert [(e["field"], e["code"]) for e in problem["errors"]] == [
        ("candidate_number", "number_malformed"),
        ("birth_date", "birth_date_impossible"),
    ]
    assert all(error["message"] for error in problem["errors"])


@pytest.mark.parametrize(
    ("content", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_body"),
        (b"[]", "application/json", 400, "malformed_body"),
        (b"[" * 10_000, "application/json", 400, "malformed_body"),
        (b'{"candidate_number": "\xff"}', "application/json", 400, "malformed_body"),
        (b"candidate_number=%ff", "application/x-www-form-urlencoded", 400, "malformed_body"),
        (b"candidate_number=99000001", "text/plain", 415, "unsupported_media_type"),
        (b"", "application/json", 400, "malformed_body"),
        (b'{"candidate_number": 99000001}', "application/json", 422, "invalid_form"),
        (b'{"candidate_number": null}', "application/json", 422, "invalid_form"),
        (b'{"candidate_number": "%s"}' % (b"9" * 500), "application/json", 422, "invalid_form"),
        (b'{"candidate_number": "99000001\\u0000"}', "application/json", 422, "invalid_form"),
        (b'{"candidate_number": "%s"}' % (b"9" * 20_000), "application/json", 413, "payload_too_large"),
    ],
)
async def test_a_body_that_is_no_question_gets_a_clear_refusal(
    connection, service, visitor, content, content_type, status, code
):
    await released(connection, service)
    answer = await visitor.post(RESULTS, content=content, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_unknown_exams_and_wrong_methods_are_told_apart(visitor):
    assert (await visitor.get("/api/v1/exams/nowhere")).json()["code"] == "exam_not_found"
    assert (await visitor.get("/api/v1/exams/nowhere/results/1")).json()["code"] == "exam_not_found"
    assert (await visitor.get("/api/v1/nothing")).json()["code"] == "not_found"
    refused = await visitor.delete("/api/v1/exams")
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in refused.headers["allow"]


async def test_another_sites_page_may_read_public_facts_but_not_post_a_lookup(connection, service, visitor):
    await released(connection, service)
    elsewhere = {"Origin": "https://portal.example"}
    read = await visitor.get(f"{RESULTS}/{MINH.number}", headers=elsewhere)
    assert read.headers["access-control-allow-origin"] == "*"
    twice = httpx.Headers([("Origin", service.url), ("Origin", "https://portal.example")])
    for headers in (elsewhere, twice, {"Origin": "null"}, {"Origin": ""}, {"Sec-Fetch-Site": "cross-site"}):
        refused = await visitor.post(RESULTS, json={"candidate_number": MINH.number}, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "portal_not_registered")
        page = await visitor.post(
            "/tra-cuu/diem-thi/thpt-2026", data={"candidate_number": MINH.number}, headers=headers
        )
        assert page.status_code == 403
    ours = await visitor.post(RESULTS, json={"candidate_number": MINH.number}, headers={"Origin": service.url})
    assert ours.status_code == 200


async def test_an_exam_tells_its_form_and_once_open_its_distribution(connection, service, visitor, clock):
    papers = [Paper(f"99{i:06d}", {"toan": Decimal(i % 11)}) for i in range(110)]
    papers += [Paper(f"98{i:06d}", {"vat_li": Decimal(5)}) for i in range(99)]
    await released(connection, service, papers=papers)
    exam = (await visitor.get("/api/v1/exams/thpt-2026")).json()
    subjects = {subject["subject"]: subject for subject in exam["subjects"]}
    assert exam["factor"] is None
    assert exam["number_format"] == "99999999"
    assert [column["count"] for column in subjects["toan"]["distribution"]] == [10, 0] * 9 + [10, 10]
    assert subjects["vat_li"]["distribution"] is None, "99 results would give each other away"
    clock.now = MORNING - timedelta(seconds=1)
    sealed = (await visitor.get("/api/v1/exams/thpt-2026")).json()
    assert sealed["state"] == "sealed"
    assert all(subject["distribution"] is None for subject in sealed["subjects"])
    listed = (await visitor.get("/api/v1/exams")).json()
    assert [(e["code"], e["state"], e["opens_at"]) for e in listed] == [("thpt-2026", "sealed", "2026-07-01T01:00:00Z")]


async def test_head_tells_what_get_would(connection, service, visitor):
    await released(connection, service)
    for path in ("/", "/api/v1/exams", f"{RESULTS}/{MINH.number}", "/tra-cuu/diem-thi/thpt-2026", "/nowhere"):
        head, full = await visitor.head(path), await visitor.get(path)
        assert head.status_code == full.status_code
        assert head.content == b""
        assert head.headers["content-type"] == full.headers["content-type"]


async def test_every_answer_carries_the_same_protection(connection, service, visitor):
    await released(connection, service)
    for path in ("/", "/nowhere", "/api/v1/exams", "/healthz", "/schema", "/api/v1/exams/x", "/tra-cuu/diem-thi/x"):
        headers = (await visitor.get(path)).headers
        assert "unsafe-inline" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers
