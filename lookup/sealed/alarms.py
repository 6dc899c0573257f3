"""What is counted and cried out about sealed releases: which exam, which generation, why; never anybody's data."""

import structlog
from prometheus_client import Counter, Gauge, Histogram

log = structlog.get_logger()

_ALARMS = Counter("baodanh_release_alarms_total", "What went wrong with sealed releases, by reason.", ["reason"])
_OPEN = Gauge(
    "baodanh_release_open",
    "1 once every living web process of this node answers the exam from its sealed file.",
    ["exam"],
    multiprocess_mode="livemin",
)
_LATENESS = Histogram(
    "baodanh_release_opening_seconds",
    "From the announced moment to the opening in a web process that held the sealed file before it.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60),
)
_KEYS = Counter("baodanh_release_keys_total", "Keys of releases that fitted, by the way they came.", ["source"])


def alarm(exam: str, generation: int, reason: str) -> None:
    """Something is wrong with a sealed release; it is not answered from here until that is mended."""
    _ALARMS.labels(reason).inc()
    log.error("release_alarm", exam=exam, generation=generation, reason=reason)


def tell_opened(exam: str, generation: int, seconds_late: float | None) -> None:
    """A release is open here. `seconds_late` is None where the process was not there at the moment."""
    if seconds_late is not None:
        _LATENESS.observe(seconds_late)
    log.info("release_open", exam=exam, generation=generation, seconds_late=seconds_late)


def count_key(source: str) -> None:
    """A key came that fits."""
    _KEYS.labels(source).inc()


def show_open(exam: str, *, is_open: bool) -> None:
    """Whether this process answers the exam from a sealed file."""
    _OPEN.labels(exam).set(is_open)
