"""The gate in front of every lookup: whoever asks like a person passes; who collects or guesses is slowed and seen.

Everything here is decided in this process without waiting for anything: no question to Redis or PostgreSQL.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from kit.errors import TooManyRequests
from lookup.exams import Exam
from lookup.gate.limits import Limits, TooManyLookups
from lookup.gate.watch import ChallengeRequired, Watch
from lookup.scores import Question

__all__ = ["ChallengeRequired", "Gate", "TooManyLookups", "Visit"]


class Visit(msgspec.Struct, frozen=True):
    """One lookup before it is answered. `address` is the visitor's, as `ClientAddress` settled it.

    `proof` holds what came with the question to solve a challenge: `challenge` and `solution`, or `wait` for the signed
    page of those without a script. `is_foreign`: a page of a site that nobody registered makes this request.
    """

    exam: Exam
    question: Question
    address: str
    is_foreign: bool
    proof: Mapping[str, str]
    now: datetime


class Gate:
    """One for each web process. Limits are shared with the other processes of the node, hot ones with other nodes."""

    def __init__(self, limits: Limits, watch: Watch) -> None:
        self._limits, self._watch = limits, watch

    def admit_address(self, address: str, *, is_foreign: bool, exam: Exam | None = None, origin: str = "") -> None:
        """Count any request that costs us something, by its address. Raises TooManyRequests.

        `origin`: the `Origin` of a request that `is_foreign`, as it came; empty where there is none.
        """
        self._limits.count_address(address, exam)
        if is_foreign:
            self._limits.count_origin(origin, exam)

    def admit(self, visit: Visit) -> None:
        """Count a lookup before it is answered. Raises TooManyLookups, ChallengeRequired, TooManyRequests.

        The address itself was counted by `admit_address` before. What was admitted is noted, whatever comes of it.
        """
        # First: a lookup that is sent again with its solution is one attempt, not two.
        try:
            self._watch.admit(visit)
        except (ChallengeRequired, TooManyRequests):
            self._limits.take_back_address(visit.address, visit.exam)
            raise
        if visit.exam.policy != "public":
            self._limits.count_attempt(visit.exam, visit.question.candidate_number, visit.address)

    def note(self, visit: Visit, *, found: bool) -> None:
        """What came of it. A right second fact takes back what `admit` counted as an attempt for it.

        So does any while nothing is open: whoever asks too early learns nothing, and must not be locked out for it at
        the moment.
        """
        self._watch.note(visit, found=found)
        if found or visit.exam.visible_release(visit.now) is None:
            self.never_mind(visit)

    def never_mind(self, visit: Visit) -> None:
        """Nothing came of it, because the service could not answer: nobody has learned or lost anything by it."""
        if visit.exam.policy != "public":
            self._limits.take_back_attempt(visit.exam, visit.question.candidate_number, visit.address)
