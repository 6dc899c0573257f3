"""What happens to a lookup that looks like one of a collector's: a challenge first, then a wait; the others pass."""

from typing import TYPE_CHECKING, Any

from limits import RateLimitItem

from kit.client_address import address_bucket
from kit.errors import DomainError, TooManyRequests
from kit.node_limits import NodeLimiter
from lookup.exams import Exam
from lookup.gate.challenge import COUNT, Challenge, Challenger, Wait
from lookup.gate.paces import steady
from lookup.gate.sightings import Sightings
from lookup.gate.suspicion import Suspicion, Weight
from lookup.scores import Question

if TYPE_CHECKING:
    from lookup.gate.gate import Visit

# Waiting costs no work, and many pages can wait at the same time: so many of one address, then one in ten seconds.
_WAITS = steady(30, 10)
# A challenge costs us more than telling somebody to wait; still, a guesser's must not use up those of the crowd.
_CHALLENGES = steady(10_000, 0.006)
# What one address may look up in a second unless somebody says otherwise. Where it may more, more people share one.
_USUAL_PACE = 20_000 / 60


class ChallengeRequired(DomainError):
    """A lookup that looks like one of many: first a little work, bound to just this question and good once.

    Unlike other errors this one's facts hold what was asked: the form of its page sends it again.
    """

    code = "challenge"
    status = 429

    def __init__(self, exam: Exam, question: Question, challenge: Challenge, wait: Wait) -> None:
        super().__init__(exam=exam, asked=_asked(question), challenge=challenge, wait_for=wait, count=COUNT)
        self.members = {
            "challenge": challenge.text,
            "algorithm": "sha-256",
            "difficulty": challenge.bits,
            "count": COUNT,
            "expires_at": challenge.expires_at,
        }


class Watch:
    """One for each web process: weighs lookups, asks for work, and counts what it saw."""

    @classmethod
    def over(cls, limiter: NodeLimiter, sightings: Sightings, *, key: bytes, rate: RateLimitItem) -> "Watch":
        """The watch of a web process. `key` is the same on all nodes; `rate`: how much one address may look up."""
        # Counted by each node for itself: its share of a small count would soon be used up, and a class be challenged.
        counting = NodeLimiter(limiter.table, key=key)
        suspicion = Suspicion(counting, scale=rate.amount / rate.get_expiry() / _USUAL_PACE)
        return cls(suspicion, Challenger(limiter, key=key), sightings, counting)

    def __init__(
        self, suspicion: Suspicion, challenger: Challenger, sightings: Sightings, limiter: NodeLimiter
    ) -> None:
        self._suspicion, self.challenger, self._sightings = suspicion, challenger, sightings
        self._limiter = limiter

    def admit(self, visit: "Visit") -> None:
        """Let a lookup pass or not. Raises ChallengeRequired, TooManyRequests."""
        weight = self._suspicion.weigh(visit)
        try:
            self._require(visit, weight)
        except ChallengeRequired:
            self._count(visit, weight, "challenged")
            raise
        except TooManyRequests:
            self._count(visit, weight, "slowed")
            raise
        self._count(visit, weight, "seen")

    def note(self, visit: "Visit", *, found: bool) -> None:
        """What came of a lookup that passed."""
        pattern = self._suspicion.note(visit, found=found)
        if pattern is not None:
            self._sightings.count_answered(visit.exam.code, pattern, visit.now)

    def _require(self, visit: "Visit", weight: Weight) -> None:
        if weight.grade is None:
            self._suspicion.find_room(weight)
            return
        proof = self.challenger.check(visit.exam, visit.question, visit.proof, visit.now)
        if proof is None:
            raise self._challenge(visit, weight.grade)
        # Before it is spent: whoever is told to wait may come back with it.
        self._suspicion.find_room(weight)
        if proof.waited and (wait := self._limiter.hit("wait_page", address_bucket(visit.address), _WAITS)):
            raise TooManyRequests(wait)
        if not self.challenger.spend(proof):
            raise self._challenge(visit, weight.grade)

    def _challenge(self, visit: "Visit", grade: int) -> ChallengeRequired:
        if wait := self._limiter.hit("challenged", address_bucket(visit.address), _CHALLENGES):
            raise TooManyRequests(wait)
        asked = (visit.exam, visit.question)
        challenge = self.challenger.challenge(*asked, visit.now, grade=grade)
        return ChallengeRequired(
            *asked, challenge, self.challenger.wait(*asked, visit.now, begun=visit.proof.get("wait", ""))
        )

    def _count(self, visit: "Visit", weight: Weight, step: str) -> None:
        if weight.pattern is not None or step == "slowed":
            self._sightings.count(visit.exam.code, weight.pattern or "run", step, visit.address, visit.now)


def _asked(question: Question) -> dict[str, Any]:
    """The fields of the form, as it would be filled in again."""
    facts = {"candidate_number": question.candidate_number, "birth_date": question.birth_date, "pin": question.pin}
    return {name: str(value) for name, value in facts.items() if value is not None}
