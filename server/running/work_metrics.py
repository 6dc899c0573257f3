"""What is counted about the worker process, for whoever watches over the service; nothing about a person."""

import time
from datetime import datetime

from prometheus_client import Counter, Gauge

from kit import sql
from kit.mail.delivery import count_mails
from kit.queue import count_jobs

JOBS_DONE = Counter(
    "baodanh_jobs_total", "Jobs that ended: done, again (comes back later), given_up.", ["job", "outcome"]
)
MAILS = Counter("baodanh_mails_total", "Mails that ended: sent, given_up.", ["outcome"])
CHORE_SECONDS = Gauge(
    "baodanh_chore_last_done_seconds",
    "When a chore was last done, as a Unix time.",
    ["chore"],
    multiprocess_mode="max",
)
_JOBS = Gauge(
    "baodanh_jobs_in_queue",
    "Jobs in the queue now; failed ones were given up.",
    ["job", "status"],
    multiprocess_mode="livemostrecent",
)
_MAILS_WAITING = Gauge(
    "baodanh_mails_waiting", "Mails that no server has taken yet.", multiprocess_mode="livemostrecent"
)
_OLDEST_MAIL = Gauge(
    "baodanh_oldest_mail_waiting_seconds", "How long the oldest of them waits.", multiprocess_mode="livemostrecent"
)
_seen: set[tuple[str, str]] = set()


async def count_work(database: sql.Database, *, now: datetime) -> int:
    """Bring the gauges up to date. Returns how many mails wait."""
    counts = {(count.name, count.status): count.jobs for count in await count_jobs(database)}
    _seen.update(counts)
    for name, status in _seen:
        _JOBS.labels(name, status).set(counts.get((name, status), 0))
    waiting = await count_mails(database)
    _MAILS_WAITING.set(waiting.mails)
    _OLDEST_MAIL.set((now - waiting.oldest).total_seconds() if waiting.oldest else 0)
    return waiting.mails


def note_done(chore: str) -> None:
    """The chore was done just now."""
    CHORE_SECONDS.labels(chore).set(time.time())
