"""The log says what happened and by which request, and never whose it was."""

import asyncio
import json
import re
from collections import Counter
from datetime import timedelta

import asyncpg
import msgspec
import pytest
import structlog

from lookup.pins import derive_pin
from lookup.releases import release, withdraw
from tests.exams import given_exam, given_results, paper_of
from tests.lookup.sealed.given import given_open_bundle
from tests.officers import PASSWORD, given_officer, signed_in
from tests.people import AN, MINH, MORNING

FORM = "/tra-cuu/diem-thi/thpt-2026"
RESULTS = "/api/v1/exams/thpt-2026/results"


@pytest.fixture
def settings(settings):
    """Everything that can be logged is."""
    return msgspec.structs.replace(settings, log_level="DEBUG")


def lines_of(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


async def given_released(connection, service, **facts):
    exam = await given_exam(connection, **facts)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    return exam


async def test_nothing_personal_reaches_the_log_of_a_session_of_everything(
    connection, service, visitor, clock, pin_key, capsys
):
    await given_released(connection, service)
    await given_released(connection, service, code="lop-10", kind="thpt", policy="birth-date")
    for number in (MINH.number, "99999999", "12", "SBD"):
        await visitor.get(f"{RESULTS}/{number}")
        await visitor.post(FORM, data={"candidate_number": number})
        await visitor.post(
            "/api/v1/exams/lop-10/results", json={"candidate_number": number, "birth_date": "2008-02-01"}
        )
        await visitor.get(f"{FORM}?candidate_number={number}&name={MINH.name}")
        await visitor.get(f"/khong/co/{number}")
    pin = derive_pin(pin_key, "thpt-2026", MINH.number)
    await visitor.post(RESULTS, content=f'{{"candidate_number": "{MINH.number}", "pin": "{pin}"', headers={"X": pin})
    officer = await given_officer(connection, "thay-hung", ("so", "auditor"), full_name="Trần Quốc Hùng")
    origin = {"Origin": service.url}
    await visitor.get("/can-bo/dang-nhap")
    await visitor.post("/can-bo/dang-nhap", data={"email": officer.email, "password": PASSWORD}, headers=origin)
    await visitor.post("/can-bo/dang-nhap", data={"email": "ai-do@gmail.com", "password": "sai"}, headers=origin)
    desk = await signed_in(service, officer)
    await desk.get("/can-bo")
    await desk.get("/can-bo/nhat-ky", params={"doi-tuong": MINH.number})
    await desk.submit("/can-bo/nhat-ky", thu=officer.email)
    await desk.submit("/can-bo/nhat-ky/tai-ve", dang="csv")
    await withdraw(connection, "thpt-2026", reason=f"Sai điểm của {MINH.name}")
    await service.hears_all_changes()
    said = capsys.readouterr().out
    assert len(said.splitlines()) > 25
    personal = [MINH.number, "99999999", MINH.name, "Nguyễn", "Minh", "2008-02-01", pin, PASSWORD, officer.email]
    personal += ["Hùng", "thay-hung", "ai-do", "gmail", "203.0.113", officer.id, desk.csrf, "candidate_number="]
    decoded = said + "".join(str(json.loads(line)) for line in said.splitlines() if line.startswith("{"))
    assert not [word for word in personal if word in decoded]
    assert not re.search(r"[\w.]+@[\w.]+", decoded)


async def test_each_line_of_a_request_has_its_number_and_the_routes_pattern(connection, service, visitor, capsys):
    await given_released(connection, service)
    capsys.readouterr()
    await visitor.get(f"{RESULTS}/{MINH.number}", headers={"X-Request-Id": "of-somebody-else"})
    (line,) = [line for line in lines_of(capsys) if line["event"] == "request"]
    assert line["route"] == "/api/v1/exams/{exam_code}/results/{candidate_number}"
    assert re.fullmatch("[0-9a-f]{32}", line["request_id"])
    assert (line["method"], line["status"]) == ("GET", 200)


async def test_what_is_answered_from_memory_is_told_once_a_second_by_route_and_never_by_number(
    connection, service, visitor, capsys
):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING, now=MORNING - timedelta(seconds=1))
    await given_open_bundle(connection, service.settings, exam.code)
    await service.hears_all_changes()
    capsys.readouterr()
    for number in [MINH.number] * 5 + ["99999999"]:
        await visitor.get(f"{RESULTS}/{number}")
    await visitor.post(FORM, data={"candidate_number": MINH.number})
    said, gathered = "", {}
    async with asyncio.timeout(10):
        while sum(gathered.values()) < 7:
            await asyncio.sleep(0.1)
            said += capsys.readouterr().out
            lines = [json.loads(line) for line in said.splitlines()]
            gathered = Counter()
            for line in (each for each in lines if each["event"] == "requests"):
                gathered[line["route"], line["method"], line["status"]] += line["count"]
    route = "/api/v1/exams/{exam_code}/results/{candidate_number}"
    assert gathered == {
        (route, "GET", 200): 5, (route, "GET", 404): 1, ("/tra-cuu/diem-thi/{exam_code}", "POST", 200): 1
    }  # fmt: skip
    assert not [line for line in lines if line["event"] == "request"], "not once more by itself"
    assert MINH.number not in said
    assert "99999999" not in said
    metrics = (await visitor.get("/metrics", headers={"X-Real-IP": "127.0.0.1"})).text
    counted = re.search(
        rf'baodanh_requests_total{{method="GET",route="{re.escape(route)}",status="200"}} (\S+)', metrics
    )
    assert float(counted[1]) >= 5
    assert f'baodanh_request_seconds_bucket{{le="+Inf",route="{route}"}}' in metrics


async def test_requests_at_the_same_time_have_numbers_of_their_own(service, visitor, capsys):
    capsys.readouterr()
    await asyncio.gather(*(visitor.get("/") for _ in range(20)))
    numbers = [line["request_id"] for line in lines_of(capsys) if line["event"] == "request"]
    assert len(numbers) == len(set(numbers)) == 20


async def test_an_officer_is_told_the_number_and_the_record_has_it(connection, service, capsys):
    desk = await signed_in(service, await given_officer(connection, "kiem-tra", ("so", "auditor")))
    answer = await desk.get("/can-bo/nhat-ky")
    number = answer.headers["x-request-id"]
    kept = await connection.fetchval("select request_id from units.record_entries where action = 'record.searched'")
    assert kept == number
    assert number in [line.get("request_id") for line in lines_of(capsys)]


async def test_the_public_is_not_told_a_number(connection, service, visitor):
    """Refusals are alike to the last byte, and what a cache keeps for everybody is nobody's."""
    await given_released(connection, service)
    for path in ("/", FORM, f"{RESULTS}/{MINH.number}", f"{RESULTS}/99999999"):
        assert "x-request-id" not in (await visitor.get(path)).headers


async def test_a_mistake_of_ours_can_be_found_by_its_number(connection, service, visitor, capsys):
    await given_released(connection, service, policy="birth-date")
    owner = await asyncpg.connect(service.settings.database_owner_url)
    await owner.execute("alter table lookup.results rename to away")
    await owner.close()
    capsys.readouterr()
    answer = await visitor.post(RESULTS, json={"candidate_number": MINH.number, "birth_date": "2008-02-01"})
    assert answer.status_code == 500
    lines = lines_of(capsys)
    (mistake,) = [line for line in lines if line["event"] == "unexpected_error"]
    assert mistake["request_id"] == answer.headers["x-request-id"]
    assert MINH.number not in str(lines)


async def test_a_mistake_of_ours_is_told_without_the_row_or_the_words_it_met(connection, service, capsys):
    def try_to(work):
        try:
            work()
        except Exception:  # noqa: BLE001 - whatever it is
            structlog.get_logger().exception("unexpected_error")

    problem = None
    try:
        await connection.execute(
            "insert into units.officers (email, full_name, state, created_at) values ($1, 'Vũ Thu Lan', 'no', now())",
            "lan@vangiang.edu.vn",
        )
    except asyncpg.PostgresError as refused:
        problem = refused
    assert "Vũ Thu Lan" in str(problem)

    def meet_it():
        raise ValueError("lan@vangiang.edu.vn") from problem

    try_to(meet_it)
    try_to(lambda: int("0912345678x"))
    try_to(lambda: None.upper("x"))  # type: ignore[attr-defined]  # the mistake
    lines = lines_of(capsys)
    assert not re.search("Vũ Thu Lan|lan@|0912345678", json.dumps(lines, ensure_ascii=False))
    values = [[each["exc_value"] for each in line["exception"]] for line in lines if "exception" in line]
    assert values == [
        ["", "23514 units officers officer_state_is_known"], [""], ["'NoneType' object has no attribute 'upper'"],
    ]  # fmt: skip


async def test_each_node_says_what_it_applied(connection, service, capsys):
    await given_released(connection, service)
    await withdraw(connection, "thpt-2026")
    await service.hears_all_changes()
    said = [line for line in lines_of(capsys) if line["event"].startswith("exam_")]
    assert [(line["event"], line["exam"], line["generation"]) for line in said] == [
        ("exam_released", "thpt-2026", 1),
        ("exam_withdrawn", "thpt-2026", 1),
    ]
    assert all(line["change"] for line in said)
