"""What was seen of collecting and guessing: told in the log at once, to officers within half a minute, as counts.

An address is told to nobody; the log has a keyed fingerprint of its prefix, so that two lines about the same one can be
recognised.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import asyncpg
import msgspec
import structlog
from prometheus_client import Counter

from kit import sql
from kit.client_address import address_prefix
from kit.sql import UNREACHABLE, Database
from lookup.gate.suspicion import Pattern

sightings = sql.load(__file__, "sightings")

_SEEN = Counter("baodanh_suspicion", "Lookups that look like collecting or guessing", ["exam", "pattern", "step"])
_log = structlog.get_logger(__name__)

# So many of one kind before anybody is told: a long class list is not worth an alarm.
_WORTH_TELLING = 30
_TELL_AGAIN = timedelta(minutes=10)
_WRITE_EVERY = 20.0
_KEPT = timedelta(days=90)
_SHOWN = 200


class Sighting(msgspec.Struct):
    """Lookups of one exam that fitted one pattern, from `first_at` to `last_at`."""

    exam_code: str
    pattern: str
    first_at: datetime
    last_at: datetime
    lookups: int = 0
    challenged: int = 0
    slowed: int = 0
    answered: int = 0


class Sightings:
    """Counts what one web process sees, until it is written down. `key` makes fingerprints."""

    def __init__(self, *, key: bytes) -> None:
        self._key = hmac.digest(key, b"sightings", "sha256")
        self._counted: dict[tuple[str, str], Sighting] = {}
        self._told: dict[tuple[str, str], datetime] = {}
        self._lately: dict[tuple[str, str], int] = {}

    def count(self, exam_code: str, pattern: Pattern, step: str, address: str, now: datetime) -> None:
        """Count a lookup that fitted a pattern; `step`: `seen`, `challenged` or `slowed`."""
        sighting = self._sighting(exam_code, pattern, now)
        sighting.last_at = now
        sighting.lookups += 1
        sighting.challenged += step == "challenged"
        sighting.slowed += step == "slowed"
        _SEEN.labels(exam_code, pattern, step).inc()
        self._tell(exam_code, pattern, address, now)

    def count_answered(self, exam_code: str, pattern: Pattern, now: datetime) -> None:
        """One of them was answered, found or not."""
        self._sighting(exam_code, pattern, now).answered += 1

    def take(self) -> list[Sighting]:
        """What was counted since the last time."""
        counted, self._counted = self._counted, {}
        return list(counted.values())

    def give_back(self, taken: list[Sighting]) -> None:
        """They could not be written: count them with what came meanwhile."""
        for old in taken:
            new = self._counted.setdefault((old.exam_code, old.pattern), old)
            if new is not old:
                new.first_at = old.first_at
                new.lookups, new.challenged = new.lookups + old.lookups, new.challenged + old.challenged
                new.slowed, new.answered = new.slowed + old.slowed, new.answered + old.answered

    def _sighting(self, exam_code: str, pattern: str, now: datetime) -> Sighting:
        found = self._counted.get((exam_code, pattern))
        if found is None:
            found = self._counted[exam_code, pattern] = Sighting(exam_code, pattern, now, now)
        return found

    def _tell(self, exam_code: str, pattern: Pattern, address: str, now: datetime) -> None:
        kind = (exam_code, pattern)
        lately = self._lately[kind] = self._lately.get(kind, 0) + 1
        told = self._told.get(kind)
        if lately < _WORTH_TELLING or (told is not None and now - told < _TELL_AGAIN):
            return
        self._told[kind], self._lately[kind] = now, 0
        prefix = hmac.digest(self._key, address_prefix(address).encode(), "sha256")[:6].hex()
        _log.warning("lookups_look_collected", exam=exam_code, pattern=pattern, lookups=lately, prefix=prefix)


async def write_sightings(counting: Sightings, database: Database) -> None:
    """Add what was counted to the hours it belongs to. What cannot be written is kept for the next time."""
    for taken in counting.take():
        try:
            await sightings.add_sighting(database, **msgspec.structs.asdict(taken))
        except asyncpg.ForeignKeyViolationError:
            # The exam is gone; so is what was seen of it.
            continue
        except UNREACHABLE:
            counting.give_back([taken])


async def keep_writing(
    counting: Sightings, database: Database, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Write it down a few times a minute, for as long as the process lives."""
    while True:
        await pause(_WRITE_EVERY)
        await write_sightings(counting, database)


async def list_sightings(database: Database, exam_codes: list[str]) -> list[Sighting]:
    """What was seen of these exams, by hour, the newest first."""
    rows = await sightings.list_sightings(database, exam_codes=exam_codes, most=_SHOWN)
    return [Sighting(**row) for row in rows]


async def forget_sightings(database: Database, now: datetime) -> None:
    """What is older than a season of exams says nothing any more."""
    await sightings.forget_sightings(database, before=now - _KEPT)
