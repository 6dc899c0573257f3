"""By how much two clocks differ, as far as that is certain."""

from collections import deque
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger()

# More than this is said aloud: families compare the second on which results open.
TOLERANCE = timedelta(milliseconds=200)
_LOOKS_KEPT = 10


def certain_difference(before: datetime, theirs: datetime, after: datetime) -> timedelta:
    """Our clock minus another one, which was read somewhere between two looks at ours; zero if they may agree."""
    if before <= theirs <= after:
        return timedelta()
    return before - theirs if theirs < before else after - theirs


class ComparedClock:
    """What several looks at PostgreSQL's clock say of ours; a difference that is too much is told once."""

    def __init__(self) -> None:
        self._ahead: deque[timedelta] = deque(maxlen=_LOOKS_KEPT)
        self._told = timedelta()

    @property
    def ahead_at_most(self) -> timedelta:
        """By so much our clock may be ahead, and by no more; zero as long as PostgreSQL was never asked."""
        return min(self._ahead) if self._ahead else timedelta()

    def note(self, before: datetime, theirs: datetime, after: datetime) -> timedelta:
        """One look; returns the certain difference."""
        # It cannot have been read later than `after`.
        self._ahead.append(after - theirs)
        difference = certain_difference(before, theirs, after)
        if abs(difference - self._told) > TOLERANCE:
            self._told = difference
            if abs(difference) > TOLERANCE:
                log.error("clock_differs", milliseconds=round(difference.total_seconds() * 1000))
        return difference
