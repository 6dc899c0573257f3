"""The demo department: complete, true to life, the same on every machine, and nobody's."""

import hashlib
import statistics
import unicodedata
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import pytest

from kit.clock import VIETNAM
from kit.errors import UsageError
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind, exam_kinds
from lookup.exams import list_exams
from lookup.marks import MARKS
from lookup.pins import pin_matches
from server.demo import demo_examples, is_empty, load_demo
from server.demo_candidates import invent_sitting
from server.demo_exams import demo_exams, demo_year
from server.demo_scores import published_shapes
from units.units import list_units

PAGE = Path(__file__).parents[2] / "docs" / "demo.md"
NOVEMBER = datetime(2026, 11, 20, 23, 30, tzinfo=VIETNAM)
PIN_KEY = b"a key for tests only, 32 bytes!!"
MATHS, LITERATURE, PHYSICS = ("toan", ""), ("ngu_van", ""), ("vat_li", "")
LETTERS = set("aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ")


@pytest.fixture(scope="module")
def sittings():
    return {exam.code: (exam, invent_sitting(exam, 2026)) for exam in demo_exams()}


@pytest.fixture(scope="module")
def graduates(sittings):
    return sittings["demo-thpt"][1].candidates


@pytest.fixture(scope="module")
def named_people(sittings):
    return [candidate for _, sitting in sittings.values() for candidate in sitting.candidates if candidate.name]


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


def on_database(url, name):
    return url.replace("/baodanh?", f"/{name}?")


def test_every_machine_invents_the_same_candidates(sittings):
    # Changes when the demo is changed on purpose; then docs/demo.md and the pictures of the guide change too.
    fingerprint = hashlib.sha256()
    for _, sitting in sittings.values():
        for candidate in (*sitting.candidates, *sitting.corrected):
            scores, marks = sorted(candidate.scores.items()), sorted(candidate.marks.items())
            facts = (candidate.number, candidate.name, candidate.birth_date, scores, marks, candidate.total)
            fingerprint.update(msgspec.json.encode(facts))
    assert fingerprint.hexdigest()[:16] == "a212d4d42f8f4dcd"


def test_every_candidate_has_a_number_that_belongs_to_nobody(sittings):
    for exam, sitting in sittings.values():
        numbers = [candidate.number for candidate in sitting.candidates]
        assert len(set(numbers)) == len(numbers) == exam.candidates
        assert all(number.startswith("99") for number in numbers)
        assert all(map(CandidateNumberFormat(exam_kind(exam.kind).number_format).matches, numbers))
    assert sittings["demo-thpt"][1].candidates[0].number == "99000001"
    assert sittings["demo-thpt"][1].candidates[-1].number == "99020000"


def test_the_first_candidate_of_every_exam_has_a_whole_result_to_show(sittings):
    for _, sitting in sittings.values():
        first = sitting.candidates[0]
        assert set(first.papers) == set(first.scores)


def test_every_score_lies_in_the_range_and_on_the_step_of_its_paper(sittings):
    for exam, sitting in sittings.values():
        slots = {(subject.code, subject.variant): subject for subject in exam.papers()}
        for candidate in (*sitting.candidates, *sitting.corrected):
            for paper in candidate.scores.keys() & slots.keys():
                subject, score = slots[paper], candidate.scores[paper]
                assert 100 * subject.lowest <= score <= 100 * subject.highest
                assert score % (100 * subject.step) == 0
            for paper, mark in candidate.marks.items():
                assert slots[paper].type in MARKS[mark].types
            assert candidate.scores.keys().isdisjoint(candidate.marks)


def test_scores_are_spread_as_in_the_published_exam(graduates):
    shapes = published_shapes()
    for code in ("toan", "ngu_van", "lich_su", "dia_li", "gdktpl", "vat_li", "hoa_hoc", "sinh_hoc"):
        scores = sorted(candidate.scores[code, ""] for candidate in graduates if (code, "") in candidate.scores)
        for percent in range(5, 100, 5):
            invented = scores[len(scores) * percent // 100] / 100
            assert invented == pytest.approx(shapes[code].at(percent / 100), abs=0.2), (code, percent)


def test_who_is_good_at_one_paper_is_mostly_good_at_its_neighbour(graduates):
    assert 0.6 < agreement(graduates, MATHS, PHYSICS) < 0.8
    assert 0.3 < agreement(graduates, MATHS, LITERATURE) < 0.55


def test_candidates_sit_one_to_six_papers_and_most_of_them_four(graduates):
    counts = Counter(len(candidate.papers) for candidate in graduates)
    assert set(counts) == {1, 2, 3, 4, 5, 6}
    assert counts[4] > 0.95 * len(graduates)


def test_papers_are_as_popular_as_in_the_published_exam(graduates):
    counts = Counter(code for candidate in graduates for code, _ in candidate.papers)
    order = [code for code, _ in counts.most_common()]
    assert set(order[:2]) == {"toan", "ngu_van"}
    assert order[2:9] == ["lich_su", "dia_li", "vat_li", "ngoai_ngu", "gdktpl", "hoa_hoc", "sinh_hoc"]
    languages = Counter(variant for candidate in graduates for code, variant in candidate.papers if code == "ngoai_ngu")
    assert languages["N1"] > 0.9 * languages.total()
    assert len(languages) > 3


def test_some_stayed_away_and_zero_is_not_written_for_them(graduates):
    absent = [candidate for candidate in graduates if "absent" in candidate.marks.values()]
    assert 20 < len(absent) < 200
    assert any(candidate.scores for candidate in absent), "nobody missed just one paper"


def test_a_re_mark_changes_one_paper_and_the_total_with_it(sittings):
    for code in ("demo-thpt", "demo-lop-10"):
        exam, sitting = sittings[code]
        before = {candidate.number: candidate for candidate in sitting.candidates}
        assert len(sitting.corrected) == exam.corrected
        for candidate in sitting.corrected:
            was = before[candidate.number]
            change = candidate.scores[LITERATURE] - was.scores[LITERATURE]
            assert 0 < abs(change) <= 100
            assert candidate.scores == was.scores | {LITERATURE: candidate.scores[LITERATURE]}
            if was.total is not None:
                assert candidate.total == was.total + change


def test_a_total_follows_the_formula_and_is_missing_for_who_was_absent(sittings):
    for candidate in sittings["demo-lop-10"][1].candidates:
        main_papers = [score for (code, _), score in candidate.scores.items() if code != "chuyen"]
        assert candidate.total == (None if candidate.marks else sum(main_papers))


def test_prizes_grades_and_outcomes_follow_the_score(sittings):
    for code, paper in (
        ("demo-hoc-sinh-gioi", "giai"), ("demo-nghe-pho-thong", "xep_loai"), ("demo-tot-nghiep", "ket_qua"),
    ):  # fmt: skip
        exam, sitting = sittings[code]
        earned = Counter()
        for candidate in sitting.candidates:
            if "absent" not in candidate.marks.values():
                reached = candidate.total if candidate.total is not None else sum(candidate.scores.values())
                assert candidate.marks[paper, ""] == exam.ladder.mark(reached)
                earned[candidate.marks[paper, ""]] += 1
        assert set(earned) == {mark for _, mark in exam.ladder.marks}


def test_names_are_vietnamese_in_nfc_with_the_usual_families_and_parts(named_people):
    names = [candidate.name for candidate in named_people]
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    assert set("".join(names).casefold()) <= LETTERS | {" "}
    parts = Counter(len(name.split()) for name in names)
    assert parts[4] / len(names) == pytest.approx(0.60, abs=0.03)
    assert parts[3] / len(names) == pytest.approx(0.38, abs=0.03)
    families = Counter(name.split()[0] for name in names)
    assert families["Nguyễn"] / len(names) == pytest.approx(0.28, abs=0.03)
    assert [family for family, _ in families.most_common(3)] == ["Nguyễn", "Lê", "Trần"]


def test_a_public_exam_holds_neither_names_nor_birth_dates(sittings):
    for exam, sitting in sittings.values():
        for candidate in sitting.candidates:
            has_facts = candidate.name is not None and candidate.birth_date is not None
            assert has_facts == (exam.policy != "public")
            assert (candidate.name is None) == (candidate.birth_date is None)


def test_birth_dates_fit_the_class(sittings):
    for code, birth_year in (("demo-lop-10", 2011), ("demo-khao-sat-lop-6", 2015), ("demo-tot-nghiep", 2008)):
        years = Counter(candidate.birth_date.year for candidate in sittings[code][1].candidates)
        assert set(years) == {birth_year - 1, birth_year}
        assert years[birth_year] > 0.95 * years.total()


@pytest.mark.parametrize(
    ("now", "year"),
    [
        (datetime(2026, 7, 25, 7, 59, tzinfo=VIETNAM), 2025),
        (datetime(2026, 7, 25, 8, 0, tzinfo=VIETNAM), 2026),
        (datetime(2027, 1, 1, 0, 0, tzinfo=VIETNAM), 2026),
    ],
)
def test_the_demo_tells_of_the_last_year_whose_exams_are_over(now, year):
    assert demo_year(now) == year
    for exam in demo_exams():
        assert (exam.opens_at(year, now) > now) == (exam.opens == "soon")


def test_one_exam_opens_on_the_next_morning_that_is_half_a_day_away():
    soon = next(exam for exam in demo_exams() if exam.opens == "soon")
    for hour in range(24):
        now = datetime(2026, 12, 31, hour, 30, tzinfo=VIETNAM)
        opens_at = soon.opens_at(2026, now)
        assert (opens_at.hour, opens_at.minute) == (8, 0)
        assert timedelta(hours=12) <= opens_at - now < timedelta(hours=36)
        assert soon.year(2026, now) == 2027


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
    assert exam.regrade.to == "11/7/2026"
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
    assert len(units) == summary.units == 7
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


def agreement(candidates, paper, other):
    both = [c for c in candidates if paper in c.scores and other in c.scores]
    return statistics.correlation([c.scores[paper] for c in both], [c.scores[other] for c in both])
