"""What is seen of collecting and guessing over all addresses together: the signals of one exam.

Nobody is refused by these: whoever shares nothing with a guesser but the exam, or is the one guessed at, solves a
challenge at most.
"""

from typing import Literal

from lookup.gate.runs import Runs
from lookup.gate.traces import Fading, FadingCounts, Trace

Step = Literal["seen", "challenge"]

HALF_LIFE = 3600.0

# Wrong facts for one number, from wherever. Fewer than twice as many as one neighbourhood may try by itself.
_NUMBER_MISSES = 20.0
# Numbers missed with one and the same fact. A birth date is shared by one in 700; of a whole country's mistyped ones
# it may have some dozens.
_FACT_MISSES, _FACT_SHARE = 40.0, 0.02
# More than half of what is asked is missed, and that is no handful.
_GUESSED = 500.0
# Runs that go from address to address, and many numbers each from its own prefix: seen from so many and such a share.
_SEEN, _SHARE = 1_000.0, 0.2
# Whoever checks a whole exam from many addresses makes such a run as well.
_CROSSED = 20_000.0
# A prefix that asks for so many numbers and hardly one of them twice. People look again.
_BROAD, _SELDOM = 60, 50

_NUMBERS_KEPT, _FACTS_KEPT = 20_000, 4_096


class ExamSignals:
    """What one process sees of one exam."""

    __slots__ = ("_broad", "_crossed", "_facts", "_found", "_lookups", "_missed", "_numbers", "_runs")

    def __init__(self, now: float) -> None:
        self._lookups, self._missed, self._found, self._crossed, self._broad = (Fading(now) for _ in range(5))
        self._runs = Runs()
        self._numbers: FadingCounts[int] = FadingCounts(_NUMBERS_KEPT, HALF_LIFE)
        self._facts: FadingCounts[object] = FadingCounts(_FACTS_KEPT, HALF_LIFE)

    def follow(self, number: int, prefix: str, now: float) -> Step | None:
        """Count a lookup; says what to do when it continues a run that other prefixes began."""
        lookups = self._lookups.add(1.0, now, HALF_LIFE)
        run = self._runs.follow(number, prefix)
        if run is None or not run.crossed:
            return None
        crossed = self._crossed.add(1.0, now, HALF_LIFE)
        if crossed < max(_SEEN, _SHARE * lookups):
            return None
        return "challenge" if crossed > _CROSSED else "seen"

    def is_broad(self, wide: Trace, now: float) -> bool:
        """Whether this is one of many lookups of ever new numbers from prefixes that do nothing else."""
        if wide.total <= _BROAD or wide.repeated * _SELDOM > wide.total:
            return False
        broad = self._broad.add(1.0, now, HALF_LIFE)
        return broad > max(_SEEN, _SHARE * self._lookups.value)

    def is_number_guessed(self, number: int, now: float) -> bool:
        """Whether many wrong facts were tried for this number."""
        return self._numbers.value(number, now) >= _NUMBER_MISSES

    def is_fact_tried(self, fact: object, now: float) -> bool:
        """Whether this fact is being tried on one number after the other."""
        missed = self._facts.value(fact, now)
        return missed >= _FACT_MISSES and missed >= _FACT_SHARE * self._missed.add(0.0, now, HALF_LIFE)

    def is_guessed(self, now: float) -> bool:
        """Whether guessing goes on from so many addresses that most of what is asked is missed."""
        missed = self._missed.value
        return missed >= _GUESSED and missed > self._found.add(0.0, now, HALF_LIFE)

    def note_found(self, now: float) -> None:
        """A lookup found its result."""
        self._found.add(1.0, now, HALF_LIFE)

    def note_missed(self, number: int, fact: object | None, now: float) -> None:
        """A lookup found nothing; `fact` None where the exam asks for none."""
        self._missed.add(1.0, now, HALF_LIFE)
        if fact is not None:
            self._numbers.add(number, now)
            self._facts.add(fact, now)
