"""What was answered, gathered: to count and to tell each answer by itself costs more than to give it."""

import asyncio
from bisect import bisect_left
from typing import NamedTuple

import structlog

from server.metrics import BUCKETS, REQUEST_SECONDS, REQUESTS

log = structlog.get_logger()

# Counted for the metrics so often, and told in the log after so many times.
_COUNT_SECONDS = 0.25
_TIMES_A_LINE = 4


class Sort(NamedTuple):
    """Which answers are told together."""

    route: str
    method: str
    status: int


class _Gathered:
    def __init__(self) -> None:
        self.count, self.seconds, self.slowest = 0, 0.0, 0.0
        # One more than there are bounds: for what took longer than all of them.
        self.buckets = [0] * (len(BUCKETS) + 1)

    def add(self, seconds: float) -> None:
        self.count += 1
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
        self.buckets[bisect_left(BUCKETS, seconds)] += 1


class Tally:
    """Answers by route, method and status, never by who asked."""

    def __init__(self) -> None:
        self._uncounted: dict[Sort, _Gathered] = {}
        self._untold: dict[Sort, tuple[int, float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._times = 0

    def add(self, sort: Sort, seconds: float) -> None:
        """One answer more."""
        gathered = self._uncounted.get(sort)
        if gathered is None:
            gathered = self._uncounted[sort] = _Gathered()
        gathered.add(seconds)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_COUNT_SECONDS, self._come_round)

    def finish(self) -> None:
        """Count and tell what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._count()
        self._tell()

    def _come_round(self) -> None:
        self._timer = None
        self._count()
        self._times += 1
        if self._times >= _TIMES_A_LINE:
            self._tell()
        if self._untold:
            self._timer = asyncio.get_running_loop().call_later(_COUNT_SECONDS, self._come_round)

    def _count(self) -> None:
        for sort, gathered in self._uncounted.items():
            REQUESTS.labels(sort.route, sort.method, str(sort.status)).inc(gathered.count)
            _observe(sort.route, gathered)
            count, slowest = self._untold.get(sort, (0, 0.0))
            self._untold[sort] = count + gathered.count, max(slowest, gathered.slowest)
        self._uncounted.clear()

    def _tell(self) -> None:
        self._times = 0
        for sort, (count, slowest) in self._untold.items():
            log.info("requests", **sort._asdict(), count=count, slowest_ms=round(slowest * 1000, 1))
        self._untold.clear()


def _observe(route: str, gathered: _Gathered) -> None:
    """As so many calls of `observe`; prometheus_client has no word for many at once."""
    histogram = REQUEST_SECONDS.labels(route)
    histogram._sum.inc(gathered.seconds)  # noqa: SLF001
    for bucket, count in zip(histogram._buckets, gathered.buckets, strict=True):  # noqa: SLF001
        if count:
            bucket.inc(count)
