from decimal import Decimal

import pytest

from kit.errors import UsageError
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind, exam_kinds


def test_the_kinds_are_those_a_department_holds():
    assert list(exam_kinds()) == [
        "thpt", "lop-10", "khao-sat-lop-6", "chuyen", "hoc-sinh-gioi", "nghe-pho-thong", "tot-nghiep"
    ]  # fmt: skip


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="Kinds: thpt, lop-10"):
        exam_kind("thi-vao-10")


def test_graduation_papers_are_marked_out_of_ten_and_literature_by_quarters():
    subjects = {(s.code, s.variant): s for s in exam_kind("thpt").subjects}
    assert subjects["toan", ""].step == Decimal("0.05")
    assert subjects["ngu_van", ""].step == Decimal("0.25")
    assert subjects["ngoai_ngu", "N4"].name == "Tiếng Trung"
    assert subjects["toan", ""].highest == 10


def test_positions_count_from_one_in_the_order_of_the_result():
    for kind in exam_kinds().values():
        assert [s.position for s in kind.subjects] == list(range(1, len(kind.subjects) + 1))
        assert len({(s.code, s.variant) for s in kind.subjects}) == len(kind.subjects)


def test_the_graduation_exam_has_no_total_and_grade_ten_has_its_own():
    assert exam_kind("thpt").total_rule is None
    assert exam_kind("lop-10").total_rule.name == "Điểm xét tuyển"


def test_a_competition_never_shows_how_the_others_did():
    assert not exam_kind("hoc-sinh-gioi").shows_distribution
    assert "giai" in {s.code for s in exam_kind("hoc-sinh-gioi").subjects if s.type == "prize"}


@pytest.mark.parametrize(
    ("kind", "number"),
    [("thpt", "06000001"), ("lop-10", "000123"), ("hoc-sinh-gioi", "HSG001"), ("tot-nghiep", "TN0001")],
)
def test_the_numbers_of_a_kind_are_text_with_their_zeros(kind, number):
    assert CandidateNumberFormat.parse(exam_kind(kind).number_format).matches(number)
