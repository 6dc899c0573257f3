from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookup.distributions import BINS, Distribution
from lookup.exam_kinds import exam_kind

MATHS = exam_kind("thpt").subjects[0]
STEPS = st.integers(0, 200).map(lambda step: Decimal(step) / 20)
COUNTS = st.dictionaries(STEPS, st.integers(1, 500), min_size=1).map(lambda counts: sorted(counts.items()))


def test_each_score_falls_into_the_bin_below_it_and_ten_into_the_last():
    counts = [(Decimal("0.45"), 1), (Decimal("0.50"), 2), (Decimal("9.95"), 3), (Decimal("10.00"), 4)]
    bins = Distribution.from_counts(counts, MATHS).bins
    assert (bins[0], bins[1], bins[19]) == (1, 2, 7)
    assert len(bins) == BINS


def test_the_percentage_counts_who_scored_less_and_rounds_down():
    spread = Distribution.from_counts([(Decimal(5), 88), (Decimal(8), 10), (Decimal(9), 2)], MATHS)
    assert spread.spread(Decimal(8)).higher_than == 88
    assert spread.spread(Decimal(9)).higher_than == 98


def test_nobody_is_told_to_be_below_the_median():
    spread = Distribution.from_counts([(Decimal(3), 49), (Decimal(5), 20), (Decimal(8), 31)], MATHS)
    assert spread.spread(Decimal(3)).higher_than is None
    assert spread.spread(Decimal(5)).higher_than is None
    assert spread.spread(Decimal(8)).higher_than == 69


@given(COUNTS)
def test_the_picture_has_one_own_bar_and_stays_in_its_frame(counts):
    distribution = Distribution.from_counts(counts, MATHS)
    for score, _ in counts:
        bars = distribution.spread(score).bars
        assert [bar.mine for bar in bars].count(True) == 1
        assert all(bar.y >= 0 and bar.y + bar.height <= 44.01 and bar.x + bar.width <= 198 for bar in bars)


@given(COUNTS)
def test_no_score_is_higher_than_everybody(counts):
    distribution = Distribution.from_counts(counts, MATHS)
    for score, _ in counts:
        higher_than = distribution.spread(score).higher_than
        assert higher_than is None or 50 <= higher_than < 100


@pytest.mark.parametrize("score", ["0", "10", "7.35"])
def test_a_score_that_nobody_else_has_still_finds_its_place(score):
    distribution = Distribution.from_counts([(Decimal(5), 100)], MATHS)
    assert [bar.mine for bar in distribution.spread(Decimal(score)).bars].count(True) == 1
