from datetime import date
from decimal import Decimal

import pytest

from lookup.exam_kinds import exam_kind
from lookup.score_cells import NOT_TAKEN, check_name, read_birth_date, read_paper, read_total
from lookup.score_problems import Fault
from lookup.totals import TotalRule, add_up

MATHS, LITERATURE = exam_kind("thpt").subjects[:2]
PRIZE = exam_kind("hoc-sinh-gioi").subjects[-1]
GRADE = exam_kind("nghe-pho-thong").subjects[-1]


@pytest.mark.parametrize(
    ("cell", "score"),
    [
        ("8.25", "8.25"),
        ("8,25", "8.25"),
        ("8.0", "8.00"),
        ("8", "8.00"),
        (" 8,5 ", "8.50"),
        ("8.250", "8.25"),
        ("08.5", "8.50"),
        ("'7.5", "7.50"),
        ("\u00a07,5", "7.50"),
        ("７，５", "7.50"),
        ("10", "10.00"),
        ("0", "0.00"),
        ("0,0", "0.00"),
    ],
)
def test_a_score_is_read_however_it_is_typed(cell, score):
    assert read_paper(cell, MATHS).score == score
    assert read_paper(cell, MATHS).fault is None


def test_zero_is_a_score_and_an_empty_cell_is_a_paper_not_taken():
    assert read_paper("0", MATHS).score == "0.00"
    assert read_paper("", MATHS) == NOT_TAKEN
    assert read_paper("  ", MATHS) == NOT_TAKEN


@pytest.mark.parametrize("cell", ["-1", "-1.0", "-1,00", "KT", "V", "Vắng", "---", "vang"])
def test_absence_is_a_mark_and_no_score(cell):
    reading = read_paper(cell, MATHS)
    assert (reading.mark, reading.score, reading.fault) == ("absent", None, None)


@pytest.mark.parametrize(
    ("cell", "code", "suggestion"),
    [
        ("825", "score_out_of_range", "8.25"),
        ("85", "score_out_of_range", "8.5"),
        ("1000", "score_out_of_range", "10"),
        ("10.25", "score_out_of_range", None),
        ("99", "score_out_of_range", "9.9"),
        ("8.333", "score_too_precise", "8.35"),
        ("8;25", "score_not_understood", "8.25"),
        ("8'5", "score_not_understood", "8.5"),
        ("8.", "score_not_understood", "8"),
        (",5", "score_not_understood", "0.5"),
        ("tám", "score_not_understood", None),
        ("Vắgn", "score_not_understood", "Vắng"),
        ("-0.5", "score_not_understood", None),
        ("-2", "score_not_understood", None),
        ("1e1", "score_not_understood", None),
        ("nan", "score_not_understood", None),
        ("2025-05-08", "score_became_date", "8.5"),
        ("08/05/2025", "score_became_date", "8.5"),
        ("2025-08-25", "score_became_date", "8.25"),
        ("Giỏi", "score_not_understood", None),
    ],
)
def test_what_is_no_score_is_told_with_what_may_have_been_meant(cell, code, suggestion):
    reading = read_paper(cell, MATHS)
    assert reading.fault is not None
    assert (reading.fault.code, reading.fault.suggestion, reading.score) == (code, suggestion, None)
    assert reading.fault.is_error


def test_a_score_off_the_step_is_taken_and_told():
    reading = read_paper("6.66", LITERATURE)
    assert reading.score == "6.66"
    assert reading.fault is not None
    assert (reading.fault.code, reading.fault.is_error) == ("score_off_step", False)


def test_prizes_and_grades_have_words_of_their_own():
    assert read_paper("Nhì", PRIZE).mark == "second_prize"
    assert read_paper("Khá", GRADE).mark == "good"
    assert read_paper("8.5", GRADE).fault.code == "mark_not_understood"
    assert read_paper("Nhii", PRIZE).fault.suggestion == "Nhì"


@pytest.mark.parametrize("cell", ["1/9/2007", "01-09-2007", "01.09.2007", "2007-09-01", "1/9/07", "39326"])
def test_a_birth_date_is_read_day_first_in_any_form(cell):
    assert read_birth_date(cell, 2025) == date(2007, 9, 1)


@pytest.mark.parametrize(
    ("cell", "code", "suggestion"),
    [
        ("2007", "birth_date_incomplete", None),
        ("9/2007", "birth_date_incomplete", None),
        ("09/25/2007", "birth_date_not_understood", "25/09/2007"),
        ("30/02/2007", "birth_date_not_understood", None),
        ("01/09/2024", "birth_date_implausible", None),
        ("Hà Nội", "birth_date_not_understood", None),
    ],
)
def test_what_is_no_birth_date_is_told(cell, code, suggestion):
    fault = read_birth_date(cell, 2025)
    assert isinstance(fault, Fault)
    assert (fault.code, fault.suggestion) == (code, suggestion)


def test_a_total_has_the_decimals_of_its_rule():
    rule = TotalRule("Điểm xét tuyển", "Admission score", 2)
    assert read_total("41,5", rule).score == "41.50"
    assert read_total("KT", rule) == NOT_TAKEN
    assert read_total("41.555", rule).fault.code == "total_not_understood"


def test_a_total_is_added_up_only_where_the_rule_says_how_and_every_paper_was_scored():
    rule = TotalRule("Điểm xét tuyển", "Admission score", 2, {"toan": Decimal(2), "ngu_van": Decimal(1)})
    assert add_up(rule, {"toan": Decimal("8.25"), "ngu_van": Decimal(7)}) == Decimal("23.50")
    assert add_up(rule, {"toan": Decimal("8.25")}) is None
    assert add_up(TotalRule("Tổng", "Total", 2), {"toan": Decimal("8.25")}) is None


def test_names_have_letters_apostrophes_and_hyphens_and_an_end():
    assert check_name("Nguyễn Thị Hoài An") is None
    assert check_name("H'Lan Niê-Kdăm") is None
    assert check_name("Nguyễn V@n 5").code == "name_odd"
    assert check_name("A" * 151).code == "name_too_long"
