import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookup.candidate_number import CandidateNumberFormat

EIGHT_DIGITS = CandidateNumberFormat.parse("99999999")
PRIZE = CandidateNumberFormat.parse("HSG9999|A999")


@pytest.mark.parametrize(
    "typed", ["99000001", " 9900 0001 ", "99.00.00.01", "９９０００００１", "99-000-001", "99\u200b000001"]
)
def test_blanks_dots_and_full_width_digits_are_harmless(typed):
    assert EIGHT_DIGITS.normalise(typed) == "99000001"


@pytest.mark.parametrize("typed", ["9900000", "990000011", "9900000a", "", "99000001'", "99/000001"])
def test_anything_else_does_not_match(typed):
    assert not EIGHT_DIGITS.matches(EIGHT_DIGITS.normalise(typed))


def test_leading_zeros_are_part_of_a_number():
    assert EIGHT_DIGITS.matches("00000001")


def test_a_format_may_have_letters_and_alternatives():
    assert PRIZE.matches("HSG0012")
    assert PRIZE.matches(PRIZE.normalise("b 123"))
    assert not PRIZE.matches("HSX0012")


def test_the_example_matches_its_own_format():
    for mask in ("99999999", "HSG9999|A999", "A9", "AAAA", "9"):
        shape = CandidateNumberFormat.parse(mask)
        assert shape.matches(shape.example), mask


@pytest.mark.parametrize("mask", ["", "99-99", "9|", "[0-9]*", "9" * 21, "đ9"])
def test_a_mask_of_other_signs_is_refused(mask):
    with pytest.raises(ValueError, match="is not a number format"):
        CandidateNumberFormat.parse(mask)


@given(st.text(max_size=64))
def test_normalising_twice_changes_nothing_more(typed):
    once = EIGHT_DIGITS.normalise(typed)
    assert EIGHT_DIGITS.normalise(once) == once


@given(st.text(alphabet="0123456789", min_size=8, max_size=8), st.sampled_from([" ", ".", "-", "\u00a0"]))
def test_a_number_survives_the_way_people_write_it(number, gap):
    assert EIGHT_DIGITS.normalise(gap.join(number)) == number
