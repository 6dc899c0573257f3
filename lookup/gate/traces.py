"""What is remembered of addresses, prefixes and exams, so that a lookup can be seen among the others. Bounded."""

from collections import OrderedDict
from typing import Any, Generic, TypeVar

from lookup.gate.runs import Runs

Kind = TypeVar("Kind")

# Most come a few times and not again; the others are kept apart, so that a crowd does not make them forgotten.
_PASSING, _REGULARS = 8_192, 2_048
_REGULAR_FROM = 8
_FOUND = 256


class Trace:
    """What one address, or one prefix, did in one exam. Levels fall by themselves: see `settle`.

    `misses`: lookups of different numbers that found nothing, beyond what people mistype. `unfound`: the same, unless
    results are found beside them. `numbers`: how many different ones were answered. `total`, `repeated`: lookups, and
    how many of them were of a number that had just been asked for; `is_new`: the last one was not.
    """

    __slots__ = (
        "at",
        "found",
        "is_new",
        "last_missed",
        "misses",
        "noticed",
        "numbers",
        "repeated",
        "runs",
        "total",
        "unfound",
    )

    def __init__(self, at: float) -> None:
        self.at = at
        self.runs = Runs()
        self.misses = self.unfound = self.numbers = 0.0
        self.total = self.repeated = 0
        self.is_new = True
        self.last_missed: int | None = None
        self.found: dict[int, None] | None = None
        # The pattern that the last lookup fitted, until it is known what came of it.
        self.noticed: Any = None

    def settle(self, now: float, misses_an_hour: float, unfound_an_hour: float, numbers_an_hour: float) -> None:
        """Let the levels fall to what they are at `now` (Unix time)."""
        if (passed := (now - self.at) / 3600) > 0:
            self.at = now
            self.misses = max(0.0, self.misses - misses_an_hour * passed)
            self.unfound = max(0.0, self.unfound - unfound_an_hour * passed)
            self.numbers = max(0.0, self.numbers - numbers_an_hour * passed)

    def visit(self, number: int) -> None:
        """Count a lookup of a number."""
        self.total += 1
        self.is_new = not self.runs.seen_lately(number)
        self.repeated += not self.is_new

    def miss(self, most: float, *, explained: bool) -> None:
        """A lookup found nothing; `explained`: by a pattern of its own. The levels never rise above `most`."""
        if not explained:
            self.misses = min(most, self.misses + 1.0)
        self.unfound = min(most, self.unfound + 1.0)

    def forgive(self, number: int, misses: float, unfound: float) -> None:
        """A result was found: people are here. One result speaks for them once, not as often as it is asked for."""
        if not self.misses and not self.unfound:
            return
        found = self.found = {} if self.found is None else self.found
        if number not in found:
            found[number] = None
            if len(found) > _FOUND:
                del found[next(iter(found))]
            self.misses = max(0.0, self.misses - misses)
            self.unfound = max(0.0, self.unfound - unfound)


class Traces:
    """The traces of this process, by exam and network."""

    def __init__(self, passing: int = _PASSING, regulars: int = _REGULARS) -> None:
        self._passing: OrderedDict[tuple[str, str], Trace] = OrderedDict()
        self._regulars: OrderedDict[tuple[str, str], Trace] = OrderedDict()
        self._most_passing, self._most_regulars = passing, regulars

    def of(self, exam_code: str, network: str, now: float) -> Trace:
        """The trace, begun now if there is none; it was used just now."""
        key = (exam_code, network)
        if (trace := self._regulars.get(key)) is not None:
            self._regulars.move_to_end(key)
            return trace
        trace = self._passing.get(key)
        if trace is None:
            return self._begin(key, now)
        if trace.total >= _REGULAR_FROM:
            self._promote(key, trace)
        else:
            self._passing.move_to_end(key)
        return trace

    def _begin(self, key: tuple[str, str], now: float) -> Trace:
        if len(self._passing) >= self._most_passing:
            self._passing.popitem(last=False)
        trace = self._passing[key] = Trace(now)
        return trace

    def _promote(self, key: tuple[str, str], trace: Trace) -> None:
        del self._passing[key]
        if len(self._regulars) >= self._most_regulars:
            self._regulars.popitem(last=False)
        self._regulars[key] = trace

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._passing) + len(self._regulars)


class Fading:
    """A count that halves every so often, by itself."""

    __slots__ = ("at", "value")

    def __init__(self, at: float) -> None:
        self.value, self.at = 0.0, at

    def add(self, amount: float, now: float, half_life: float) -> float:
        """Its value with `amount` more. Moments and half life in seconds."""
        if now > self.at:
            self.value *= 0.5 ** ((now - self.at) / half_life)
            self.at = now
        self.value += amount
        return self.value


class FadingCounts(Generic[Kind]):
    """Fading counts by key, of which the ones not counted for longest are forgotten when there are too many."""

    def __init__(self, most: int, half_life: float) -> None:
        self._counts: OrderedDict[Kind, Fading] = OrderedDict()
        self._most, self._half_life = most, half_life

    def add(self, key: Kind, now: float) -> None:
        """Count one."""
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= self._most:
                self._counts.popitem(last=False)
            count = self._counts[key] = Fading(now)
        else:
            self._counts.move_to_end(key)
        count.add(1.0, now, self._half_life)

    def value(self, key: Kind, now: float) -> float:
        """How many lately."""
        count = self._counts.get(key)
        return count.add(0.0, now, self._half_life) if count is not None else 0.0
