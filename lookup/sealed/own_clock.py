"""The machine's clock beside PostgreSQL's: who is a fifth of a second off must not open results for others."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from prometheus_client import Gauge

from kit.clock import utc_now
from lookup.sealed.clocks import TOLERANCE, certain_difference

log = structlog.get_logger()

_DIFFERENCE = Gauge(
    "baodanh_clock_difference_seconds",
    "This node's clock minus PostgreSQL's, as far as it is certain.",
    multiprocess_mode="mostrecent",
)

T = TypeVar("T")


class OwnClock:
    """What is known of the machine's clock; None until PostgreSQL was asked."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.clock = clock
        self._difference: timedelta | None = None

    @property
    def difference_ms(self) -> int | None:
        """Our clock minus PostgreSQL's, in milliseconds, as far as it is certain: the round trip hides the rest."""
        return None if self._difference is None else round(self._difference / timedelta(milliseconds=1))

    @property
    def differs(self) -> bool:
        """Whether it is off by more than anybody should notice."""
        return self._difference is not None and abs(self._difference) > TOLERANCE

    async def compare(self, ask: Callable[[], Awaitable[tuple[T, datetime]]]) -> tuple[T, datetime]:
        """Ask for something together with PostgreSQL's clock, and look at ours before and after."""
        before = self.clock()
        answer, theirs = await ask()
        differed = self.differs
        self._difference = certain_difference(before, theirs, self.clock())
        _DIFFERENCE.set(self._difference.total_seconds())
        if self.differs and not differed:
            log.error("clock_differs", milliseconds=self.difference_ms)
        elif differed and not self.differs:
            log.info("clock_agrees", milliseconds=self.difference_ms)
        return answer, theirs
