"""What collectors and guessers get in an hour, by policy and by what they have, and how honest people fare beside them.

    make proofs NAME=enumerators

The real gate (limits, suspicion, challenges) with a simulated clock in front of 100,000 candidates. Each collector asks
as fast as it is answered, at most so many a second; a challenge costs it what its work takes at a
stated rate of hashes. A thousand honest lookups come from the collector's own address (or the first of them) meanwhile.
"""

import logging
import random
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import structlog

from lookup.exams import Policy
from lookup.gate.challenge import COUNT, USUAL_BITS
from tests.lookup.gate.gatehouse import Gatehouse, counted, crowd

PAGE = Path(__file__).parents[2] / "docs" / "proofs" / "enumerators.md"
_CANDIDATES, _HONEST, _HOUR = 100_000, 1_000, 3600.0
# One core with SHA instructions, in C. A script in Python has a tenth.
_HASHES = 10_000_000
# A script that keeps a connection or two busy.
_A_SECOND = 30.0
_BIRTH_DATE = date(2008, 5, 17)


class Collector(NamedTuple):
    """Who: the address of its n-th lookup, the order of its numbers, and whether it solves challenges."""

    name: str
    address: Callable[[int], str]
    in_order: bool
    solves: bool = True
    is_alone: bool = False


def _one(_: int) -> str:
    return "203.0.113.7"


def _prefix(turn: int) -> str:
    return f"2001:db8:7:{turn % 1_000:x}::1"


def _everywhere(turn: int) -> str:
    return f"{turn % 1_000 % 200 + 20}.{turn % 1_000 // 200}.7.7"


COLLECTORS = (
    Collector("one address, in order, a plain loop", _one, in_order=True, solves=False),
    Collector("one address, in order", _one, in_order=True),
    Collector("one address, random order", _one, in_order=False),
    Collector("one address, random order, nobody else there", _one, in_order=False, is_alone=True),
    Collector("a /48, in order", _prefix, in_order=True),
    Collector("a /48, random order", _prefix, in_order=False),
    Collector("1,000 addresses, in order", _everywhere, in_order=True),
    Collector("1,000 addresses, random order", _everywhere, in_order=False),
)


class Yield(NamedTuple):
    """What an hour gave."""

    asked: int
    found: int
    missed: int
    challenges: float
    honest: float
    noticed: float
    seen: str


def main() -> Iterator[str]:
    """Run them all; writes the page, and gives the line for the record."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    policies: tuple[Policy, ...] = ("public", "birth-date")
    rows: list[tuple[Policy, Collector, Yield]] = [
        (policy, each, _hour(policy, each)) for policy in policies for each in COLLECTORS
    ]
    PAGE.write_text(_HEAD + "".join(_row(row) for row in rows) + _FOOT, encoding="utf-8")
    worst = min(each.honest for _, collector, each in rows if not collector.is_alone)
    yield (
        f"enumerators: {len(rows)} collectors for an hour each, what they got in docs/proofs/enumerators.md; of the"
        f" honest lookups beside each at least {worst:.2%} were answered"
    )


def _hour(policy: Policy, collector: Collector) -> Yield:
    house, chance = Gatehouse(policy, _CANDIDATES), random.Random(1)
    places = list(range(1, _CANDIDATES + 1))
    if not collector.in_order:
        chance.shuffle(places)
    fact = _BIRTH_DATE if policy == "birth-date" else None
    begun, honest, outcomes, noticed = house.clock.now, crowd(house, _HONEST), [], 0
    taken: list[str] = []
    while (passed := (house.clock.now - begun).total_seconds()) < _HOUR:
        if not collector.is_alone and len(outcomes) < _HONEST * passed / _HOUR:
            number = honest[len(outcomes)]
            outcome = house.look_up(number, collector.address(0), solves=False)
            if outcome == "challenged":
                noticed, outcome = noticed + 1, house.look_up(number, collector.address(0))
            outcomes.append(outcome)
        turn = len(taken)
        before = house.work
        taken.append(
            house.look_up(
                house.number(places[turn % _CANDIDATES]), collector.address(turn), fact=fact, solves=collector.solves
            )
        )
        work = (house.work - before) * COUNT * 2**USUAL_BITS / _HASHES
        house.clock.passes(work + 1 / _A_SECOND)
    got, fared = counted(taken), counted(outcomes)
    seen = ", ".join(sorted(house.patterns()))
    return Yield(
        len(taken),
        got["found"],
        got["missed"],
        house.work,
        fared["found"] / max(1, len(outcomes)),
        noticed / max(1, len(outcomes)),
        seen,
    )


def _row(row: tuple[Policy, Collector, Yield]) -> str:
    policy, collector, each = row
    beside = "- | -" if collector.is_alone else f"{each.honest:.1%} | {each.noticed:.1%}"
    what = collector.name if policy == "public" else f"{collector.name}, one birth date"
    return (
        f"| `{policy}` | {what} | {each.asked:,} | {each.found:,} | {each.missed:,} | {each.challenges:,.0f} |"
        f" {each.seen or '-'} | {beside} |\n"
    )


_HEAD = f"""# What collectors and guessers get in an hour

`make proofs NAME=enumerators`: the real gate (limits, suspicion, challenges) with a simulated clock in front of
{_CANDIDATES:,} candidates numbered without a gap. Each collector asks {_A_SECOND:.0f} times a second, from its
addresses in turn; a challenge costs it its work at {_HASHES:,} hashes a second, one core in C. Solved challenges are
counted in usual ones. Beside it {_HONEST:,} honest lookups come from its own address (the first of them), with birth
dates of their own: how many were answered, and how many of them had to solve a challenge.

Under `pin` the same holds as under `birth-date`, with one lookup code in place of one birth date: of 2^50 codes none is
found.

| policy | collector | asked | taken | missed | challenges solved | seen as | honest answered | honest challenged |
|---|---|---|---|---|---|---|---|---|
"""
_FOOT = """
Read it so: whoever counts through the numbers from one address or one prefix is stopped, solving or not. Who asks in
random order looks like a crowd: under `public` only the limit of an address and the work bound what is taken, and it is
seen; scores of a `public` exam are published by number, and the page that sets the policy says so. One birth date on
all numbers is challenged wherever it comes from, and slowed where nobody else is; beside a crowd the crowd's answers
come first, and what is left is the chance of one in 730 for each solved challenge.

Why these thresholds: [decision 0032](../decisions/0032-challenged-slowed-seen.md).
"""
