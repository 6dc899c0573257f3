"""Invented people for the demo: names put together from common parts, birthdays that fit a school year."""

import csv
import itertools
from collections import defaultdict
from datetime import date
from pathlib import Path
from random import Random
from typing import Literal

import msgspec

Sex = Literal["male", "female"]

# Three of five full names have four parts, nearly all others three.
_FOUR_PARTS, _THREE_PARTS = 0.60, 0.38
# Middle and given name are mostly chosen together ("Bảo Ngọc"), seldom apart.
_PAIR = 0.75
# The second of four parts: the mother's family name, "Thị" for a girl, else any first middle name.
_MOTHERS_NAME, _THI = 0.30, 0.40
# A leap day would move from year to year; nobody in the demo is born on one.
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class NamePart(msgspec.Struct, frozen=True):
    """One part of a name with everything it may be, and the running weights that `Random.choices` draws by."""

    names: list[str]
    cumulative: list[float]

    def draw(self, random: Random) -> str:
        """One of the names, the common ones more often."""
        return random.choices(self.names, cum_weights=self.cumulative)[0]


NameParts = dict[tuple[str, str], NamePart]


def load_name_parts() -> NameParts:
    """The parts of `data/names.csv` by (part, sex); parts that both sexes share have the sex `""`."""
    weights: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    with (Path(__file__).parent / "data" / "names.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            weights[row["part"], row["sex"]][row["name"]] = float(row["weight"])
    return {key: NamePart(list(names), list(itertools.accumulate(names.values()))) for key, names in weights.items()}


def draw_sex(random: Random) -> Sex:
    return "male" if random.random() < 0.5 else "female"  # noqa: PLR2004


def draw_name(random: Random, parts: NameParts, sex: Sex) -> str:
    """A full name in Vietnamese order, family name first; no part stands in it twice."""
    count = random.random()
    while True:
        name = [parts["family", ""].draw(random)]
        if count < _FOUR_PARTS:
            name += [_second_part(random, parts, sex), *_middle_and_given(random, parts, sex)]
        elif count < _FOUR_PARTS + _THREE_PARTS:
            name += [parts["first-middle", sex].draw(random), parts["given", sex].draw(random)]
        else:
            name.append(parts["given", sex].draw(random))
        if len(set(name)) == len(name):
            return " ".join(name)


def _second_part(random: Random, parts: NameParts, sex: Sex) -> str:
    chance = random.random()
    if chance < _MOTHERS_NAME:
        return parts["second-family", ""].draw(random)
    if sex == "female" and chance < _MOTHERS_NAME + _THI:
        return "Thị"
    return parts["first-middle", sex].draw(random)


def _middle_and_given(random: Random, parts: NameParts, sex: Sex) -> list[str]:
    if random.random() < _PAIR:
        return parts["pair", sex].draw(random).split()
    return [parts["middle", sex].draw(random), parts["given", sex].draw(random)]


def draw_birth_date(random: Random, year: int, late: float = 0.02) -> date:
    """A day of `year`; the share `late` are a year older (ill, moved, repeated a class)."""
    month = random.randrange(12)
    day = 1 + random.randrange(_DAYS[month])
    return date(year - (random.random() < late), month + 1, day)
