"""How much a lookup looks like one of a collector's or a guesser's, told from the crowd that it comes with.

Judged is the lookup, not the address: thousands of honest people share one with whoever collects there. What fits the
pattern is challenged, then slowed; the others pass. Why the figures are what they are: docs/decisions/0032.
"""

from typing import TYPE_CHECKING, Literal

import msgspec

from kit.client_address import address_bucket, address_prefix
from kit.errors import TooManyRequests
from kit.gcra import Pace
from kit.node_limits import NodeLimiter
from lookup.gate.exam_signals import ExamSignals
from lookup.gate.paces import steady
from lookup.gate.runs import Runs, place_of
from lookup.gate.traces import Trace, Traces

if TYPE_CHECKING:
    from lookup.gate.gate import Visit

Pattern = Literal["run", "misses", "one_fact", "one_number", "many_numbers"]

_HOUR = 3600

# A class has up to 45 in a row. A school that looks up all its 300 in one go solves challenges for most of them.
RUN_FREE, RUN_A_DAY = 60, 300
_RUN_FREE_EVERY, _RUN_SLOWED_EVERY = 60, 120
# A prefix holds many schools. One run that goes from address to address within it is no school.
_WIDE_FREE, _CROSSING_FREE, _CROSSING_A_DAY = 1_500, 300, 1_000
# Misses of one address beyond what people mistype (a quarter of all), and such as nobody finds anything beside: one in
# two hundred says that people are there as well, more than a birth date guessed at random finds. One in two seconds is
# let through still, so that people who come later can show that they are there. Of a prefix: five times as many.
_MISSES, _MISSES_AN_HOUR, _UNFOUND, _UNFOUND_AN_HOUR, _WIDE = 30.0, 60.0, 300.0, 1_800.0, 5
_FOUND_OUTWEIGHS, _FOUND_SHOWS_PEOPLE = 1 / 3, 200.0
# The largest crowd behind one address; more are challenged, lightly, however harmless each looks.
_NUMBERS_AN_HOUR = 12_000.0

# How hard a challenge is, beside the usual one.
LIGHT, USUAL, HARD = -2, 0, 1


class Weight(msgspec.Struct, frozen=True):
    """What a lookup looks like. `grade`: how hard its challenge is; None: it passes, although it may be seen.

    `rooms`: counts (name, identity, pace) in which it must find room before it is answered. `wait`: so many seconds
    from now there is room again, none yet.
    """

    pattern: Pattern | None = None
    grade: int | None = None
    rooms: tuple[tuple[str, str, Pace], ...] = ()
    wait: int = 0


_HARMLESS = Weight()


class Suspicion:
    """One for each web process. `limiter` keeps what the processes of a node count together; other nodes count anew.

    `scale`: whoever allows one address more lookups than usual says that more people share an address here.
    """

    def __init__(self, limiter: NodeLimiter, *, scale: float = 1.0) -> None:
        self._limiter, self._scale = limiter, max(1.0, scale)
        self._traces = Traces()
        self._exams: dict[str, ExamSignals] = {}
        self._paces = {
            name: steady(burst * self._scale, seconds / self._scale)
            for name, burst, seconds in (
                ("run", RUN_FREE, _RUN_FREE_EVERY),
                ("run_a_day", RUN_A_DAY, _RUN_SLOWED_EVERY),
                ("wide_run", _WIDE_FREE, _HOUR / _WIDE_FREE),
                ("crossing", _CROSSING_FREE, _HOUR / _CROSSING_FREE),
                ("crossing_a_day", _CROSSING_A_DAY, 10 * _HOUR / _CROSSING_A_DAY),
            )
        }

    def weigh(self, visit: "Visit") -> Weight:
        """Look at a lookup among those before it, and remember it."""
        now, code, number = visit.now.timestamp(), visit.exam.code, place_of(visit.question.candidate_number)
        network, prefix = address_bucket(visit.address), address_prefix(visit.address)
        own, wide = self._trace(code, network, now), self._trace(code, prefix, now)
        exam = self._signals(code, now)
        own.visit(number)
        wide.visit(number)
        step = exam.follow(number, prefix, now)
        weight = self._of_runs(code, number, own.runs, wide.runs, network, prefix)
        if weight.grade is None:
            other = self._of_guesses(visit, number, exam, own, wide, now) or self._of_crowd(exam, own, wide, step, now)
            weight = msgspec.structs.replace(other, rooms=weight.rooms) if other else weight
        own.noticed = weight.pattern
        return weight

    def find_room(self, weight: Weight) -> None:
        """Take the room that a lookup needs which is about to be answered. Raises TooManyRequests."""
        if weight.wait:
            raise TooManyRequests(weight.wait)
        for name, identity, pace in weight.rooms:
            if wait := self._limiter.hit(name, identity, pace):
                raise TooManyRequests(wait)

    def note(self, visit: "Visit", *, found: bool) -> Pattern | None:
        """What came of a lookup that was answered; says which pattern it fitted."""
        now, code, number = visit.now.timestamp(), visit.exam.code, place_of(visit.question.candidate_number)
        own = self._traces.of(code, address_bucket(visit.address), now)
        wide = self._traces.of(code, address_prefix(visit.address), now)
        exam = self._signals(code, now)
        own.numbers += own.is_new
        wide.numbers += wide.is_new
        if found:
            exam.note_found(now)
            own.forgive(number, _FOUND_OUTWEIGHS, _FOUND_SHOWS_PEOPLE)
            wide.forgive(number, _FOUND_OUTWEIGHS, _FOUND_SHOWS_PEOPLE)
        elif visit.exam.visible_release(visit.now) is not None:
            # Before the moment everybody misses, and learns nothing by it.
            self._note_missed(visit, number, exam, own, wide, now)
        noticed, own.noticed = own.noticed, None
        return noticed

    def _note_missed(self, visit: "Visit", number: int, exam: ExamSignals, own: Trace, wide: Trace, now: float) -> None:
        fact = _fact(visit)
        exam.note_missed(number, fact, now)
        # A run, or one fact on all numbers, is known by itself; its misses say nothing about the others at the address.
        if number == own.last_missed or own.runs.has_last(number) or wide.runs.has_last(number):
            return
        own.last_missed = number
        # What one address does is held against that address; the prefix stands for those who change addresses.
        explained = fact is not None and exam.is_fact_tried(fact, now)
        if own.misses < _MISSES * self._scale:
            wide.miss(_UNFOUND * self._scale * _WIDE, explained=explained)
        own.miss(_UNFOUND * self._scale, explained=explained)

    def _of_runs(self, code: str, number: int, own: Runs, wide: Runs, network: str, prefix: str) -> Weight:
        in_own, in_wide = own.follow(number), wide.follow(number, network)
        if in_own is None and in_wide is None:
            return _HARMLESS
        paces, over = self._paces, False
        rooms: tuple[tuple[str, str, Pace], ...] = ()
        if in_own is not None:
            identity, wide_identity = f"{code} {network}", f"{code} {prefix}"
            over = bool(self._limiter.hit("run", identity, paces["run"]))
            over = bool(self._limiter.hit("wide_run", wide_identity, paces["wide_run"])) or over
            rooms = (("run_a_day", identity, paces["run_a_day"]),)
        if in_wide is not None and in_wide.crossed:
            identity = f"{code} {prefix}"
            over = bool(self._limiter.hit("crossing", identity, paces["crossing"])) or over
            rooms += (("crossing_a_day", identity, paces["crossing_a_day"]),)
        return Weight("run", USUAL, rooms) if over else Weight(None, None, rooms)

    def _of_guesses(
        self, visit: "Visit", number: int, exam: ExamSignals, own: Trace, wide: Trace, now: float
    ) -> Weight | None:
        fact = _fact(visit)
        if fact is not None:
            if exam.is_number_guessed(number, now):
                return Weight("one_number", USUAL)
            if exam.is_fact_tried(fact, now):
                return Weight("one_fact", HARD, wait=self._wait(own, 1) or self._wait(wide, _WIDE))
        if own.misses >= _MISSES * self._scale or wide.misses >= _MISSES * self._scale * _WIDE:
            wait = self._wait(own, 1) or self._wait(wide, _WIDE)
            return Weight("misses", HARD if wait else USUAL, wait=wait)
        if own.misses >= 1.0 and exam.is_guessed(now):
            return Weight("misses", HARD)
        return None

    def _of_crowd(self, exam: ExamSignals, own: Trace, wide: Trace, step: str | None, now: float) -> Weight | None:
        if own.numbers > _NUMBERS_AN_HOUR * self._scale or wide.numbers > _NUMBERS_AN_HOUR * self._scale * _WIDE:
            return Weight("many_numbers", LIGHT)
        if step is not None:
            return Weight("run", USUAL if step == "challenge" else None)
        return Weight("many_numbers") if exam.is_broad(wide, now) else None

    def _wait(self, trace: Trace, times: int) -> int:
        """How many seconds until a miss has room again; 0 when it has."""
        most = _UNFOUND * self._scale * times
        if trace.unfound <= most - 1.0:
            return 0
        return max(1, round((trace.unfound - most + 1.0) * _HOUR / (_UNFOUND_AN_HOUR * self._scale * times)))

    def _trace(self, code: str, network: str, now: float) -> Trace:
        trace = self._traces.of(code, network, now)
        if trace.at == now:
            return trace
        times = _WIDE if network.endswith(("/24", "/48")) else 1
        more = self._scale * times
        trace.settle(now, _MISSES_AN_HOUR * more, _UNFOUND_AN_HOUR * more, _NUMBERS_AN_HOUR * more)
        return trace

    def _signals(self, code: str, now: float) -> ExamSignals:
        return self._exams.get(code) or self._exams.setdefault(code, ExamSignals(now))


def _fact(visit: "Visit") -> object | None:
    return visit.question.birth_date or visit.question.pin
