"""How invented scores come to look like real ones: whoever is better at a paper gets a better place in its shape.

Only additions and products of `Random.random()` decide, no logarithm or cosine: these may differ in the last digit
between machines, and the demo has the same scores on every one.
"""

import tomllib
from bisect import bisect_right
from pathlib import Path
from random import Random

import msgspec

# What the sciences ask for beside ability, and the humanities too; between them lies a pupil's leaning.
_SCIENCES = frozenset(("toan", "vat_li", "hoa_hoc", "sinh_hoc", "tin_hoc", "cong_nghe_cong_nghiep"))
_HUMANITIES = frozenset(("ngu_van", "lich_su", "dia_li", "gdktpl"))
# Chosen so that two papers of one candidate agree as they do in reality: Toán and Vật lí 0.7, Toán and Ngữ văn 0.4.
_LEANING, _LUCK = 0.45, 0.75


class Shape(msgspec.Struct, frozen=True):
    """How the scores of a paper lie: below `scores[i]` lies the share `levels[i]` of all who sat it.

    `quarters` is the share of scores rounded to a quarter of a point; the others stay on the paper's step.
    """

    levels: tuple[float, ...]
    scores: tuple[float, ...]
    quarters: float = 0.0

    def at(self, level: float) -> float:
        """The score at a level between 0 and 1, between two known ones on a straight line."""
        place = bisect_right(self.levels, level)
        if place in (0, len(self.levels)):
            return self.scores[min(place, len(self.scores) - 1)]
        lower, upper = self.levels[place - 1], self.levels[place]
        share = (level - lower) / (upper - lower)
        return self.scores[place - 1] + share * (self.scores[place] - self.scores[place - 1])


class Skills(msgspec.Struct, frozen=True):
    """What a candidate brings to every paper: in all of them, and in words rather than figures."""

    ability: float
    leaning: float

    def draw(self, random: Random, paper: str) -> float:
        """How well it goes in this paper today; only comparing two of them means something."""
        leaning = self.leaning if paper in _HUMANITIES else -self.leaning if paper in _SCIENCES else 0.0
        return self.ability + _LEANING * leaning + _LUCK * _bell(random)


def draw_skills(random: Random, ability: float) -> Skills:
    """A member of a group that lies `ability` standard deviations above the middle."""
    return Skills(ability + _bell(random), _bell(random))


def published_shapes() -> dict[str, Shape]:
    """The shapes of the real exam's papers by the subject's code."""
    text = (Path(__file__).parent / "data" / "score_quantiles.toml").read_text(encoding="utf-8")
    papers = tomllib.loads(text)
    levels = tuple(papers.pop("levels"))
    return {code: Shape(levels, tuple(paper["scores"]), paper["quarters"]) for code, paper in papers.items()}


def place_scores(random: Random, shape: Shape, skills: list[float], step: int) -> list[int]:
    """A score for each skill, in hundredths on `step` (hundredths): together they have exactly the shape."""
    scores = [0] * len(skills)
    for rank, place in enumerate(sorted(range(len(skills)), key=skills.__getitem__)):
        grid = 25 if random.random() < shape.quarters else step
        scores[place] = grid * round(100 * shape.at((rank + 0.5) / len(skills)) / grid)
    return scores


def _bell(random: Random) -> float:
    # Three even draws added up: mean 0, standard deviation 1, close enough to a bell.
    return 2 * (random.random() + random.random() + random.random() - 1.5)
