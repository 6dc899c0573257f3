"""How an exam's scores are spread (phổ điểm), and where one candidate's score lies among them."""

from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

import msgspec

from lookup.subjects import Subject

# A distribution of a paper that few sat gives the others away.
FEWEST_RESULTS = 100
BINS = 20
_WIDTH, _GAP, _HEIGHT = 8, 2, 44


class Bar(msgspec.Struct, frozen=True):
    """One column of the picture, in units of a 198 x 44 view box; `mine` holds the candidate's score."""

    x: int
    y: float
    width: int
    height: float
    mine: bool


class Spread(msgspec.Struct, frozen=True):
    """A score in its distribution. `higher_than`: percent of `count` below it, None at or below the median."""

    bars: list[Bar]
    higher_than: int | None
    count: int


class Distribution(msgspec.Struct, frozen=True):
    """All scores of one paper: ascending `scores`, how many lie below each, and `bins` of equal width by floor."""

    scores: list[Decimal]
    below: list[int]
    count: int
    bins: list[int]
    lowest: Decimal
    highest: Decimal

    @classmethod
    def from_counts(cls, counts: list[tuple[Decimal, int]], subject: Subject) -> "Distribution":
        """Build from (score, how many), ascending; scores lie within the subject's range."""
        below, bins, total = [], [0] * BINS, 0
        for score, how_many in counts:
            below.append(total)
            total += how_many
            bins[_bin(score, subject.lowest, subject.highest)] += how_many
        return cls([score for score, _ in counts], below, total, bins, subject.lowest, subject.highest)

    @property
    def mean(self) -> Decimal:
        """The average score."""
        return sum((score * many for score, many in self._counts()), start=Decimal(0)) / self.count

    @property
    def median(self) -> Decimal:
        """The score in the middle; the lower one where there are two."""
        middle = (self.count + 1) // 2
        return self.scores[bisect_left(self.below, middle) - 1]

    def _counts(self) -> Iterator[tuple[Decimal, int]]:
        for score, (below, through) in zip(self.scores, pairwise([*self.below, self.count]), strict=True):
            yield score, through - below

    def spread(self, score: Decimal) -> Spread:
        """Where `score` lies: the picture's bars with the own one marked, and the percentage above the median."""
        mine = _bin(score, self.lowest, self.highest)
        tallest = max(self.bins)
        bars = [_bar(place, how_many / tallest, place == mine) for place, how_many in enumerate(self.bins)]
        return Spread(bars, self._higher_than(score), self.count)

    def _higher_than(self, score: Decimal) -> int | None:
        place = bisect_left(self.scores, score)
        lower = self.below[place] if place < len(self.below) else self.count
        return 100 * lower // self.count if 2 * lower >= self.count else None


def _bin(score: Decimal, lowest: Decimal, highest: Decimal) -> int:
    # By floor: rounding to the nearest makes teeth. The highest score belongs to the last bin.
    return min(max(int((score - lowest) * BINS / (highest - lowest)), 0), BINS - 1)


def _bar(place: int, share: float, mine: bool) -> Bar:
    height = round(max(share * _HEIGHT, 1.0), 1)
    return Bar(place * (_WIDTH + _GAP), round(_HEIGHT - height, 1), _WIDTH, height, mine)
