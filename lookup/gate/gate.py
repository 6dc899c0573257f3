"""The gate in front of every lookup: whoever asks like a person passes; who collects or guesses is slowed and seen.

Everything here is decided in this process without waiting for anything: no question to Redis or PostgreSQL.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from kit.errors import DomainError, TooManyRequests
from lookup.exams import Exam
from lookup.scores import Question


class TooManyLookups(TooManyRequests):
    """Too many wrong second facts for one number from one neighbourhood of addresses."""

    code = "too_many_lookups"


class ChallengeRequired(DomainError):
    """A lookup that looks like one of many: first a little work, bound to just this question and good once."""

    code = "challenge"
    status = 429


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

    def admit_address(self, address: str, *, is_foreign: bool, exam: Exam | None = None) -> None:
        """Count any request that costs us something, by its address. Raises TooManyRequests."""

    def admit(self, visit: Visit) -> None:
        """Count a lookup before it is answered. Raises TooManyLookups, ChallengeRequired, TooManyRequests.

        The address itself was counted by `admit_address` before.
        """

    def note(self, visit: Visit, *, found: bool) -> None:
        """What came of it. A right second fact takes back what `admit` counted as an attempt for it."""
