"""The real gate with a clock that tests move, in front of candidates made for it. No server, no database."""

import hashlib
import itertools
import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal

from kit.errors import TooManyRequests
from kit.node_limits import NodeLimiter
from kit.shared_counters import CounterTable
from lookup.exam_kinds import exam_kind
from lookup.exams import Exam, Policy, Release
from lookup.gate.challenge import Challenge, Challenger
from lookup.gate.gate import ChallengeRequired, Gate, TooManyLookups, Visit
from lookup.gate.limits import Limits
from lookup.gate.sightings import Sightings
from lookup.gate.suspicion import Suspicion
from lookup.gate.watch import Watch
from lookup.scores import Question
from server.problems import _NOBODY_YET
from server.setting_values import rate
from tests.people import MORNING

Outcome = Literal["found", "missed", "challenged", "slowed", "locked"]
KEY = b"k" * 32
# Solved in an instant; what a solution costs is counted by whoever asks for it.
_BITS = 2
_RATES = {"lookup": rate("20000/minute"), "wrong_factor": rate("10/15minute"), "foreign_origin": rate("3000/minute")}


class Clock:
    """Moved by the test; counts nanoseconds for limits and tells the moment for everything else."""

    def __init__(self) -> None:
        self.now = MORNING + timedelta(hours=1)

    def __call__(self) -> int:
        return round(self.now.timestamp() * 1_000_000_000)

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def made_exam(policy: Policy = "public", *, opens_at: datetime = MORNING, code: str = "thi") -> Exam:
    kind = exam_kind("thpt")
    return Exam(
        code, _NOBODY_YET, "Kỳ thi", "", 2026, "thpt", policy, kind.number_format, kind.subjects, None, None,
        show_name=False, withdrawn_generation=0, releases=(Release(1, opens_at, {}),),
    )  # fmt: skip


class Gatehouse:
    """Everybody comes through here. `candidates`: how many there are, numbered from 99000001 without a gap."""

    def __init__(self, policy: Policy = "public", candidates: int = 20_000, exam: Exam | None = None) -> None:
        self.exam, self.candidates, self.clock = exam or made_exam(policy), candidates, Clock()
        self.limiter = NodeLimiter(CounterTable(buckets=1 << 12), key=KEY, clock=self.clock)
        self.sightings = Sightings(key=KEY)
        self.challenger = Challenger(self.limiter, key=KEY, bits=_BITS)
        watch = Watch(Suspicion(self.limiter), self.challenger, self.sightings, self.limiter)
        self.gate = Gate(Limits(self.limiter, _RATES), watch)
        # What the challenges cost that were solved, in usual ones.
        self.work = 0.0

    def number(self, place: int) -> str:
        """The candidate at a place, from 1 on."""
        return str(99_000_000 + place)

    def fact(self, number: str) -> date | None:
        """The candidate's birth date."""
        if self.exam.policy == "public":
            return None
        return date(2008, 1, 1) + timedelta(
            days=int.from_bytes(hashlib.sha256(number.encode()).digest()[:4], "big") % 730
        )

    def look_up(
        self, number: str, address: str, *, fact: date | None = None, solves: bool = True, seconds: float = 0
    ) -> Outcome:
        """One lookup, with its right fact unless told another, sent again with a solution if need be."""
        self.clock.passes(seconds)
        question = Question(number, fact or self.fact(number))
        outcome, challenge = self._ask(question, address, {})
        if challenge is not None and solves:
            self.work += 2.0 ** (challenge.bits - _BITS)
            outcome, _ = self._ask(question, address, solved(challenge))
        return outcome

    def _ask(self, question: Question, address: str, proof: dict[str, str]) -> tuple[Outcome, Challenge | None]:
        visit = Visit(self.exam, question, address, is_foreign=False, proof=proof, now=self.clock.now)
        try:
            self.gate.admit_address(address, is_foreign=False, exam=self.exam)
            self.gate.admit(visit)
        except ChallengeRequired as required:
            return "challenged", required.facts["challenge"]
        except TooManyLookups:
            return "locked", None
        except TooManyRequests:
            return "slowed", None
        found = self.has(question)
        self.gate.note(visit, found=found)
        return "found" if found else "missed", None

    def has(self, question: Question) -> bool:
        """Whether there is such a candidate, with this fact."""
        place = int(question.candidate_number) - 99_000_000
        return 1 <= place <= self.candidates and question.birth_date == self.fact(question.candidate_number)

    def patterns(self) -> dict[str, int]:
        """How many lookups were seen, by pattern."""
        return {each.pattern: each.lookups for each in self.sightings.take()}


def solved(challenge: Challenge) -> dict[str, str]:
    """What a client sends back."""

    def is_hit(number: int) -> bool:
        digest = hashlib.sha256(f"{challenge.text}.{number}".encode()).digest()
        return int.from_bytes(digest, "big") >> (256 - challenge.bits) == 0

    hits = itertools.islice(filter(is_hit, itertools.count()), 8)
    return {"challenge": challenge.text, "solution": ".".join(map(str, hits))}


def counted(outcomes: Iterable[str]) -> Counter[str]:
    return Counter(outcomes)


def crowd(house: Gatehouse, lookups: int, seed: int = 7) -> list[str]:
    """Numbers as honest people ask for them: in no order, some twice, one in twenty mistyped."""
    chance = random.Random(seed)
    numbers: list[str] = []
    for _ in range(lookups):
        again = numbers and chance.random() < 0.1
        number = chance.choice(numbers) if again else house.number(chance.randint(1, house.candidates))
        numbers.append(number)
    return numbers
