"""The invented candidates: true to life, the same on every machine, and nobody's."""

import hashlib
import statistics
import unicodedata
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest

from kit.clock import VIETNAM
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind
from lookup.marks import MARKS
from server.demo.candidates import invent_sitting
from server.demo.exams import demo_exams, demo_year
from server.demo.scores import published_shapes

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


def agreement(candidates, paper, other):
    both = [c for c in candidates if paper in c.scores and other in c.scores]
    return statistics.correlation([c.scores[paper] for c in both], [c.scores[other] for c in both])
