"""The demo department: complete, invented, and all there or not at all."""

from datetime import date, datetime
from pathlib import Path

import asyncpg
import pytest

from kit.clock import VIETNAM
from kit.errors import UsageError
from lookup.exam_kinds import exam_kinds
from lookup.exams import list_exams
from lookup.pins import pin_matches
from server.demo.department import demo_examples, is_empty, load_demo
from units.history.decisions import find_units_by_name, list_events
from units.unit_tree import UnitTree
from units.units import list_units

PAGE = Path(__file__).parents[2] / "docs" / "demo.md"
NOVEMBER = datetime(2026, 11, 20, 23, 30, tzinfo=VIETNAM)
PIN_KEY = b"a key for tests only, 32 bytes!!"


@pytest.fixture(scope="module")
async def department(postgres, template):
    """A connection to a database that holds the demo, and what loading it told."""
    administrator = await asyncpg.connect(on_database(postgres.owner_url, "postgres"), user="postgres")
    await administrator.execute(f"create database test_demo template {template} owner baodanh_owner")
    connection = await asyncpg.connect(on_database(postgres.runtime_url, "test_demo"))
    yield connection, await load_demo(connection, pin_key=PIN_KEY, now=NOVEMBER)
    await connection.close()
    await administrator.execute("drop database test_demo with (force)")
    await administrator.close()


@pytest.fixture
async def loaded_demo(connection, pin_key, clock):
    clock.now = NOVEMBER
    return await load_demo(connection, pin_key=pin_key, now=NOVEMBER)


@pytest.fixture
def visited_demo(loaded_demo, service):
    return service.visitor(), loaded_demo.examples


async def look_up(visitor, example):
    address = f"/api/v1/exams/{example.exam}/results"
    if example.factor is None:
        return await visitor.get(f"{address}/{example.candidate_number}")
    factor = "birth_date" if "/" in example.factor else "pin"
    return await visitor.post(address, json={"candidate_number": example.candidate_number, factor: example.factor})


def on_database(url, name):
    return url.replace("/baodanh?", f"/{name}?")


async def test_there_is_an_exam_of_every_kind_and_every_policy(department):
    connection, _ = department
    exams = await list_exams(connection)
    assert {exam.kind for exam in exams} == set(exam_kinds())
    assert {exam.policy for exam in exams} == {"public", "birth-date", "pin"}


async def test_demo_thpt_is_public_open_and_has_twenty_thousand_results(department):
    connection, _ = department
    exam = next(exam for exam in await list_exams(connection) if exam.code == "demo-thpt")
    assert (exam.policy, exam.state(NOVEMBER), exam.year) == ("public", "open", 2026)
    assert exam.name == "Kỳ thi tốt nghiệp THPT năm 2026"
    assert exam.opens_at == datetime(2026, 7, 1, 8, 0, tzinfo=VIETNAM)
    assert exam.regrade.to == date(2026, 7, 11)
    count = "select count(*) from lookup.results where exam_code = 'demo-thpt' and version = 1"
    assert await connection.fetchval(count) == 20_000


async def test_the_sealed_exam_has_its_results_and_its_moment(department):
    connection, summary = department
    (sealed,) = [exam for exam in await list_exams(connection) if exam.state(NOVEMBER) == "sealed"]
    assert sealed.code == "demo-sap-cong-bo"
    assert sealed.opens_at == summary.opens_soon_at == datetime(2026, 11, 22, 8, 0, tzinfo=VIETNAM)
    assert sealed.name.endswith("đợt tháng 11/2026")


async def test_corrected_results_are_a_second_generation_with_a_reason(department):
    connection, _ = department
    exam = next(exam for exam in await list_exams(connection) if exam.code == "demo-thpt")
    assert [release.generation for release in exam.releases] == [1, 2]
    rows = await connection.fetch(
        """select b.reason, b.generation, r.version from lookup.results r join lookup.batches b on b.id = r.batch_id
           where r.exam_code = 'demo-thpt' and r.version > 1"""
    )
    assert {tuple(row) for row in rows} == {("Phúc khảo", 2, 2)}
    assert len(rows) == 24


async def test_what_a_visitor_is_told_to_type_is_right(department):
    connection, summary = department
    assert summary.examples == await demo_examples(connection, PIN_KEY)
    assert summary.examples[0] == ("demo-thpt", "99000001", None, "result")
    policies = {exam.code: exam.policy for exam in await list_exams(connection)}
    assert {example.exam for example in summary.examples} == set(policies)
    for example in summary.examples:
        row = await connection.fetchrow(
            "select birth_date, pin_hash from lookup.results where exam_code = $1 and candidate_number = $2",
            example.exam, example.candidate_number,
        )  # fmt: skip
        match policies[example.exam]:
            case "public":
                assert example.factor is None
            case "birth-date":
                day, month, year = map(int, example.factor.split("/"))
                assert date(year, month, day) == row["birth_date"]
            case "pin":
                assert pin_matches([PIN_KEY], example.exam, example.candidate_number, example.factor, row["pin_hash"])


async def test_a_visitor_who_types_it_sees_the_result(visited_demo):
    visitor, examples = visited_demo
    for example in examples:
        answer = await look_up(visitor, example)
        if example.exam == "demo-sap-cong-bo":
            assert answer.status_code == 404
            continue
        assert answer.status_code == 200, (example, answer.text)
        result = answer.json()
        assert result["candidate_number"] == example.candidate_number
        assert result["version"] == (2 if example.shows == "corrected" else 1)
        assert ("absent" in [part.get("mark") for part in result["components"]]) == (example.shows == "absent")


async def test_the_page_about_the_demo_says_what_to_type(department):
    _, summary = department
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    told = {(row[3].strip(" `"), row[4].strip(" `")) for row in rows if len(row) == 6}
    for example in summary.examples:
        if example.shows == "result":
            factor = example.factor if "/" in (example.factor or "") else "its code" if example.factor else "none"
            assert (example.candidate_number, factor) in told, example
    typed = {(example.candidate_number, example.factor) for example in summary.examples}
    numbers = {number for number, _ in typed}
    for number, factor in told:
        if number.startswith("99"):
            assert number in numbers
            assert "/" not in factor or (number, factor) in typed


async def test_the_department_is_invented_and_reachable_nowhere(department):
    connection, summary = department
    units = {unit.code: unit for unit in await list_units(connection)}
    assert len(units) == summary.units == 22
    assert units["so"].name == "Sở Giáo dục và Đào tạo tỉnh Vân Giang"
    for unit in units.values():
        assert unit.email.endswith("@vangiang.example")
        assert unit.hotline.startswith("1900 0000")
        assert unit.website is None


async def test_a_school_is_managed_by_one_unit_and_stands_in_another(department):
    connection, _ = department
    units = {unit.code: unit for unit in await list_units(connection)}
    ward, gifted, lower = units["phuong-ben-may"], units["thpt-chuyen-van-giang"], units["thcs-ben-may"]
    assert ward.commune_code == gifted.commune_code == lower.commune_code
    assert (gifted.managed_by, lower.managed_by) == ("so", "phuong-ben-may")


async def test_every_level_is_managed_by_whom_the_law_makes_responsible(department):
    connection, _ = department
    units = {unit.code: unit for unit in await list_units(connection)}
    by_department = {"commune", "upper-secondary", "specialised", "continuing-education", "historical-office"}
    by_commune = {"kindergarten", "primary", "lower-secondary", "community-learning"}
    below = [unit for unit in units.values() if unit.managed_by and not unit.closed_on]
    assert {unit.kind for unit in units.values()} == by_department | by_commune | {"department"}
    for unit in below:
        manager = units[unit.managed_by]
        assert (manager.kind, manager.closed_on) == ("department" if unit.kind in by_department else "commune", None)
        # A commune stands where its schools stand, too.
        assert manager.kind == "department" or manager.commune_code == unit.commune_code


async def test_units_of_the_demo_have_a_past(department):
    connection, _ = department
    tree = UnitTree(await list_units(connection))
    assert tree.current("th-cho-song-2").code == "th-cho-song"
    assert tree.find("pgd-ben-may").closed_on == date(2025, 7, 1)
    (renamed,) = await find_units_by_name(connection, "thcs cho song")
    assert (renamed.name, renamed.former_name) == ("Trường THCS Sông Xanh", "Trường THCS Chợ Sông")
    assert [event.what for event in await list_events(connection, "th-cho-song")] == ["added", "moved", "merged"]


async def test_a_database_in_use_is_left_alone(department):
    connection, _ = department
    assert not await is_empty(connection)
    with pytest.raises(UsageError, match="empty database"):
        await load_demo(connection, pin_key=PIN_KEY, now=NOVEMBER)
    assert await connection.fetchval("select count(*) from lookup.results where version = 1") == 32_080


async def test_a_demo_that_cannot_be_finished_leaves_nothing_behind(connection):
    def break_off(done, total):
        assert (done, total) == (20_000, 32_080)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await load_demo(connection, pin_key=PIN_KEY, now=NOVEMBER, progress=break_off)
    assert await is_empty(connection)
    assert await demo_examples(connection, PIN_KEY) == []
