"""All exams in a web worker's memory, kept up to date by PostgreSQL's signals and a poll."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import cast

import asyncpg
import structlog

from kit.clock import utc_now
from kit.errors import ServiceUnavailable
from kit.sql import UNREACHABLE
from lookup.catalogue_snapshot import Snapshot, SnapshotFile
from lookup.exams import Exam, ExamNotFound, list_exams
from lookup.sealed.openings import Openings
from lookup.sealed.own_clock import OwnClock
from lookup.sealed.vault import Vault
from units.changes import CHANNEL, forget_node, last_change_of_units, look_at_changes, record_node
from units.unit_tree import UnitTree
from units.units import Unit, list_units

log = structlog.get_logger()

# Signals arrive within milliseconds; the poll is for those that got lost with a connection.
_POLL_SECONDS, _SHORTEST_SECONDS = 1.0, 0.05
_POLL = timedelta(seconds=_POLL_SECONDS)
# A country of exams is loaded in less.
_REFRESH_SECONDS = 3.0
_SILENCE_SECONDS = 4.0


def _tell_publications(known: dict[str, Exam], exams: dict[str, Exam], change: int) -> None:
    """A line of this node's log for each exam whose results it will answer from another generation, or not any more."""
    for code, exam in exams.items():
        before, after = known.get(code), (exam.withdrawn_generation, [each.generation for each in exam.releases])
        if before and (before.withdrawn_generation, [each.generation for each in before.releases]) == after:
            continue
        newest = exam.releases[-1] if exam.releases else None
        if before and exam.withdrawn_generation > before.withdrawn_generation:
            log.info("exam_withdrawn", exam=code, generation=exam.withdrawn_generation, change=change)
        elif newest and newest.generation > exam.withdrawn_generation:
            opens_at = newest.opens_at.isoformat()
            log.info("exam_released", exam=code, generation=newest.generation, opens_at=opens_at, change=change)


class Catalogue:
    """What this worker knows of all exams that are listed. While PostgreSQL is away it keeps what it knew last."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        node: str,
        vault: Vault | None = None,
        *,
        snapshot: SnapshotFile | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`vault` says which releases are open here, `clock` is the service's; the machine's is compared by itself."""
        self._pool, self._node, self._clock = pool, node, clock
        self._vault, self._snapshot, self._openings = vault, snapshot, Openings(node)
        self.own_clock = OwnClock()
        # As PostgreSQL told them, and as they are shown here: with what is open in this process.
        self._told_exams: list[Exam] = []
        self._exams: dict[str, Exam] | None = None
        self._units: UnitTree | None = None
        self._applied_change = -1
        self._told_at: datetime | None = None
        self._told = asyncio.Event()
        self._heard_at: float | None = None
        self._channels: dict[str, Callable[..., None]] = {CHANNEL: self._hear}
        if vault:
            vault.when_changed(self._show)

    def also_hear(self, channel: str, listener: Callable[..., None]) -> None:
        """Listen to another channel of PostgreSQL's on the same connection, from the next `watch` on."""
        self._channels[channel] = listener

    def load_snapshot(self) -> bool:
        """Know what this node knew last, until PostgreSQL tells; whether there was anything to know."""
        snapshot = self._snapshot.read() if self._snapshot else None
        if snapshot is None:
            return False
        self._units = UnitTree(snapshot.units)
        self._take(snapshot.exams)
        log.info("catalogue_snapshot_loaded", told_at=snapshot.told_at.isoformat(), exams=len(snapshot.exams))
        return True

    @property
    def is_loaded(self) -> bool:
        """Whether this worker has ever known the exams."""
        return self._exams is not None

    @property
    def hears_postgresql(self) -> bool:
        """Whether PostgreSQL answered within the last few seconds. A frozen one does not even refuse."""
        return self._heard_at is not None and time.monotonic() - self._heard_at < _SILENCE_SECONDS

    @property
    def root_unit(self) -> Unit:
        """The unit that runs this service; raises ServiceUnavailable before the first load."""
        return next(iter(self.units))

    @property
    def units(self) -> UnitTree:
        """Every unit; raises ServiceUnavailable before the first load."""
        if self._units is None:
            raise ServiceUnavailable
        return self._units

    def exams(self) -> list[Exam]:
        """Every exam, the newest year first; raises ServiceUnavailable before the first load."""
        if self._exams is None:
            raise ServiceUnavailable
        return list(self._exams.values())

    def find(self, code: str) -> Exam:
        """One exam by its code; raises ExamNotFound, or ServiceUnavailable before the first load."""
        if self._exams is None:
            raise ServiceUnavailable
        try:
            return self._exams[code]
        except KeyError:
            raise ExamNotFound from None

    async def refresh(self) -> None:
        """Load anew what changed, then say that this node has it, and what it answers from."""
        async with self._pool.acquire() as acquired:
            connection = cast("asyncpg.Connection", acquired)
            change, their_clock = await self.own_clock.compare(lambda: look_at_changes(connection))
            if change != self._applied_change or self._has_opened_since(their_clock):
                await self._load(connection, change, their_clock)
            await record_node(connection, self._node, self._applied_change, self.own_clock.difference_ms)
            self._heard_at = time.monotonic()
            if self._vault:
                await self._openings.tell(connection, self._vault.openings())

    def _has_opened_since(self, their_clock: datetime) -> bool:
        """Whether a moment has passed since PostgreSQL told: it tells how scores are spread once they are open."""
        told_at = self._told_at
        return told_at is not None and any(
            told_at < release.opens_at <= their_clock and not release.is_open_here
            for exam in self.exams()
            for release in exam.releases
        )

    async def _load(self, connection: asyncpg.Connection, change: int, told_at: datetime) -> None:
        units = await self._read_units(connection)
        # Of a draft nobody hears: not its name, not even that it is there.
        exams = [exam for exam in await list_exams(connection, tree=units) if exam.listed_at]
        known, self._units = self._exams, units
        self._take(exams)
        _tell_publications(known or {}, self._exams or {}, change)
        self._applied_change, self._told_at = change, told_at
        if self._snapshot:
            await self._keep(self._snapshot, Snapshot(told_at, exams, list(units)))

    async def _keep(self, file: SnapshotFile, snapshot: Snapshot) -> None:
        try:
            await asyncio.to_thread(file.write, snapshot)
        except OSError as problem:
            # Only a start without PostgreSQL would miss it.
            log.warning("catalogue_snapshot_not_kept", problem=type(problem).__name__)

    def _take(self, exams: list[Exam]) -> None:
        self._told_exams = exams
        if self._vault:
            self._vault.follow(exams, self._clock())
        self._show()

    def _show(self) -> None:
        shown = self._vault.as_shown_here if self._vault else lambda exam: exam
        self._exams = {exam.code: shown(exam) for exam in self._told_exams}
        # What is open here is told as soon as it is.
        self._told.set()

    async def _read_units(self, connection: asyncpg.Connection) -> UnitTree:
        """Thousands of units stay as they are while exams come and go."""
        if self._units is None or await last_change_of_units(connection) > self._applied_change:
            return UnitTree(await list_units(connection))
        return self._units

    async def watch(self) -> None:
        """Follow changes until cancelled; survives any loss of PostgreSQL."""
        listener = asyncio.create_task(self._listen())
        try:
            while True:
                try:
                    # Not wait_for: before Python 3.12 it loses a cancellation that comes together with a failure.
                    async with asyncio.timeout(_REFRESH_SECONDS):
                        await self.refresh()
                except UNREACHABLE as problem:
                    log.warning("catalogue_cannot_be_refreshed", problem=type(problem).__name__)
                except Exception:
                    # Whatever it is, a worker that stopped listening would never hear of a withdrawal.
                    log.exception("catalogue_cannot_be_refreshed")
                await self._wait_for_word()
        finally:
            listener.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listener
            with contextlib.suppress(*UNREACHABLE):
                async with asyncio.timeout(1):
                    await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        await forget_node(self._pool, self._node)
        await self._openings.forget(self._pool)

    async def _wait_for_word(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience()):
                await self._told.wait()
        self._told.clear()

    def _patience(self) -> float:
        """Until the next look, in seconds: at the moment of a release there is something to tell."""
        now = self._clock()
        moments = (exam.next_opening(now) for exam in (self._exams or {}).values())
        nearest = min((moment for moment in moments if moment), default=now + _POLL)
        return max(min((nearest - now).total_seconds(), _POLL_SECONDS), _SHORTEST_SECONDS)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._pool.acquire() as connection:
                    for channel, listener in self._channels.items():
                        await connection.add_listener(channel, listener)
                    try:
                        self._told.set()
                        while not connection.is_closed():  # noqa: ASYNC110
                            await asyncio.sleep(_POLL_SECONDS)  # its end has no event
                    finally:
                        with contextlib.suppress(*UNREACHABLE):
                            for channel, listener in self._channels.items():
                                await connection.remove_listener(channel, listener)
            except UNREACHABLE:
                await asyncio.sleep(_POLL_SECONDS)

    def _hear(self, *_: object) -> None:
        self._told.set()
