"""How fast one address, one neighbourhood or one foreign site may go on: by the exam's rates or the service's."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter

from limits import RateLimitItem

from kit.client_address import UNKNOWN, address_bucket, address_prefix
from kit.errors import TooManyRequests
from kit.gcra import Pace, pace_of
from kit.node_limits import NodeLimiter
from lookup.exams import Exam

# What several together may do: the subscribers (/64) of one IPv6 /48, and all foreign sites.
TOGETHER = 4

_OWN = {name: attrgetter(f"{name}_rate") for name in ("lookup", "wrong_factor", "foreign_origin")}
_LONGEST_HOST = 255


class TooManyLookups(TooManyRequests):
    """Too many wrong second facts for one number from one neighbourhood of addresses."""

    code = "too_many_lookups"


class Limits:
    """Limits in front of lookups. `rates`: `lookup`, `wrong_factor`, `foreign_origin` for exams without their own."""

    def __init__(self, limiter: NodeLimiter, rates: Mapping[str, RateLimitItem]) -> None:
        self._limiter = limiter
        self._paces = {(name, times): Pace.of(rate, times) for name, rate in rates.items() for times in (1, TOGETHER)}

    def count_address(self, address: str, exam: Exam | None = None) -> None:
        """Count a request of an address: of an IPv6 one its /64, and its /48 with four times as much.

        Raises TooManyRequests.
        """
        own, whole = _parts(address) if ":" in address else (address, None)
        self._count("lookup", own, exam)
        if whole is not None:
            self._count("lookup", whole, exam, TOGETHER)

    def take_back_address(self, address: str, exam: Exam | None = None) -> None:
        """A request of a collector that was turned away is not held against the others at the same address."""
        own, whole = _parts(address) if ":" in address else (address, None)
        for identity, times in ((own, 1), (whole, TOGETHER)):
            if identity is not None:
                pace = self._pace("lookup", exam, times)
                self._limiter.take_back("lookup", _of_exam("lookup", identity, exam), pace)

    def count_origin(self, origin: str, exam: Exam | None = None) -> None:
        """Count a request that a page of a foreign site makes: for the site, and for all of them together.

        Raises TooManyRequests.
        """
        self._count("foreign_origin", _host(origin), exam)
        self._count("foreign_origin", "*", exam, TOGETHER)

    def count_attempt(self, exam: Exam, number: str, address: str) -> None:
        """Count a second fact before anybody looks whether it is right. Raises TooManyLookups.

        For the number and the neighbourhood of the address together: a stranger elsewhere locks nobody out.
        """
        pace = self._pace("wrong_factor", exam, 1)
        if wait := self._limiter.hit("wrong_factor", _attempt(exam, number, address), pace):
            raise TooManyLookups(wait)

    def take_back_attempt(self, exam: Exam, number: str, address: str) -> None:
        """It was right: who knows the fact is not guessing."""
        self._limiter.take_back("wrong_factor", _attempt(exam, number, address), self._pace("wrong_factor", exam, 1))

    def _count(self, name: str, identity: str, exam: Exam | None, times: int = 1) -> None:
        if wait := self._limiter.hit(name, _of_exam(name, identity, exam), self._pace(name, exam, times)):
            raise TooManyRequests(wait)

    def _pace(self, name: str, exam: Exam | None, times: int) -> Pace:
        own = _OWN[name](exam) if exam is not None else None
        return self._paces[name, times] if own is None else pace_of(own, times)


def _of_exam(name: str, identity: str, exam: Exam | None) -> str:
    # An exam with a rate of its own counts by itself; all others are one.
    return identity if exam is None or _OWN[name](exam) is None else f"{identity} {exam.code}"


def _attempt(exam: Exam, number: str, address: str) -> str:
    return f"{exam.code} {number} {address_prefix(address)}"


@lru_cache(maxsize=4_096)
def _parts(address: str) -> tuple[str, str | None]:
    """The /64 and the /48 of an IPv6 address; what is none is one with all others of which that is true."""
    own = address_bucket(address)
    return own, None if own == UNKNOWN else str(ipaddress.ip_network((own.partition("/")[0], 48), strict=False))


def _host(origin: str) -> str:
    return origin.rpartition("://")[2].lower()[:_LONGEST_HOST]
