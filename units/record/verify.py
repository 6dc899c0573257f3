"""Check the record: whatever was changed, removed, slipped in or moved since it was written shows, and where."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database
from units.record.encoding import NO_ROOT, batch_root, entry_hash, leaf, moment_of, raw_moment, read_moments_raw
from units.record.heads import ExportedHead
from units.record.sealer import LATE, Holder, find_holder
from units.record.segments import dropped_months, is_really_dropped, month_bounds

verifying = sql.load(__file__, "verifying")

_STRETCH = 5_000
_BATCHES = 500
# More would say nothing new.
_MOST_FINDINGS = 20
_LOOK_SECONDS = 0.25
# A stretch of the chain finds its entries one by one; with so many of each, looking all of them through is dearer.
_BY_INDEX = "set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off"


Problem = Literal[
    "entry_changed", "entry_missing", "place_missing", "place_too_many", "places_changed", "batch_changed",
    "batch_missing", "roots_do_not_meet", "entries_unchained", "head_missing", "head_differs",
]  # fmt: skip


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was written: where in the chain (None: outside), when that was, what it is."""

    number: int | None
    at: datetime | None
    problem: Problem


class Verified(msgspec.Struct, frozen=True):
    """What a check saw. `findings`: the first ones, by number; `dropped`: entries whose month is no longer kept."""

    entries: int
    dropped: int
    batches: int
    head_number: int
    head_root: str
    # The chain goes on in another database cluster from these numbers on: it was restored there.
    moved_at: list[int]
    findings: list[Finding]
    still_running: int
    holder: Holder | None
    seconds: float


async def verify(
    connection: asyncpg.Connection,
    heads: Sequence[ExportedHead] = (),
    *,
    since: datetime | None = None,
    patience: timedelta = LATE,
) -> Verified:
    """Check the whole record, or what was chained since a moment; `heads` were exported before and must still be there.

    What could be chained now has to be within `patience`.
    `connection` serves nothing else: its moments come raw from now on. Memory stays small, however long the record is.
    """
    started = time.monotonic()
    await read_moments_raw(connection)
    check = _Check(connection)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(_BY_INDEX)
        await check.follow_chain(since)
        await check.compare_heads(heads)
    await check.find_unchained(since, patience)
    still_running = check.still_running
    return Verified(
        entries=check.entries,
        dropped=check.dropped,
        batches=check.batches,
        head_number=check.last_number,
        head_root=check.root.hex(),
        moved_at=check.moved_at,
        findings=sorted(check.findings, key=lambda finding: finding.number or 2**63),
        still_running=still_running,
        holder=await _holder(connection) if still_running else None,
        seconds=time.monotonic() - started,
    )


async def remember(connection: asyncpg.Connection, verified: Verified, now: datetime) -> None:
    """Keep what a check of the whole record found, for the page of the record."""
    first = verified.findings[0] if verified.findings else None
    await verifying.add_check(
        connection,
        checked_at=(raw_moment(now),),
        entry_count=verified.entries,
        head_number=verified.head_number,
        finding_count=len(verified.findings),
        first_number=first.number if first else None,
        first_problem=first.problem if first else None,
        seconds=verified.seconds,
    )


class LastCheck(msgspec.Struct, frozen=True):
    """What the last check of the whole record found."""

    checked_at: datetime
    entry_count: int
    head_number: int
    finding_count: int
    first_number: int | None
    first_problem: Problem | None
    seconds: float


async def find_last_check(database: Database) -> LastCheck | None:
    """The last check, if there was one."""
    found = await verifying.find_last_check(database)
    return LastCheck(**found) if found else None


async def _holder(connection: asyncpg.Connection) -> Holder | None:
    await connection.reset_type_codec("timestamptz", schema="pg_catalog")
    try:
        return await find_holder(connection)
    finally:
        await read_moments_raw(connection)


class _Check:
    """One pass over the record."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.entries = self.dropped = self.batches = self.still_running = 0
        self.batch = self.last_number = 0
        self.root, self.cluster = NO_ROOT, None
        self.moved_at: list[int] = []
        self.findings: list[Finding] = []
        self._kept_no_longer: list[tuple[int, int]] = []

    def find(self, problem: Problem, number: int | None, at: int | None = None) -> None:
        """Note it, if there is room."""
        if len(self.findings) < _MOST_FINDINGS:
            self.findings.append(Finding(number, None if at is None else moment_of(at), problem))

    async def follow_chain(self, since: datetime | None) -> None:
        """Every batch, every place of the chain and every entry, in order."""
        await self._begin(since)
        self._kept_no_longer = [
            month_bounds(month)
            for month in await dropped_months(self._connection)
            if await is_really_dropped(self._connection, month)
        ]
        places = _Places(self._connection, self.last_number)
        async for batch in _batches(self._connection, self.batch):
            await self._check_batch(batch, places)
        if (extra := await places.next_up_to(None)) is not None:
            self.find("place_too_many", extra["number"], extra["at"][0])

    async def _begin(self, since: datetime | None) -> None:
        text = since.isoformat() if since else None
        before = await verifying.find_batch_before(self._connection, sealed_at=text) if text else None
        if before:
            self.batch, self.root, self.cluster = before["number"], before["root"], before["cluster"]
            self.last_number = before["first_number"] + before["entry_count"] - 1

    async def _check_batch(self, batch: Any, places: "_Places") -> None:
        sealed_at, first = batch["sealed_at"][0], self.last_number + 1
        if batch["number"] != self.batch + 1:
            self.find("batch_missing", first, sealed_at)
        elif batch["previous_root"] != self.root:
            self.find("roots_do_not_meet", first, sealed_at)
        if batch["first_number"] != first and batch["number"] == self.batch + 1:
            self.find("batch_changed", first, sealed_at)
        last = batch["first_number"] + batch["entry_count"] - 1
        leaves = await self._check_places(last, places)
        if batch_root(batch, batch["leaves"], batch["previous_root"]) != batch["root"]:
            self.find("batch_changed", batch["first_number"], sealed_at)
        elif leaves != batch["leaves"] and not self._is_found_from(batch["first_number"]):
            self.find("places_changed", batch["first_number"], sealed_at)
        if self.cluster not in {None, batch["cluster"]}:
            self.moved_at.append(batch["first_number"])
        self.batch, self.root, self.cluster, self.last_number = batch["number"], batch["root"], batch["cluster"], last
        self.batches += 1

    def _is_found_from(self, number: int) -> bool:
        return any(finding.number is not None and finding.number >= number for finding in self.findings)

    async def _check_places(self, last: int, places: "_Places") -> bytes:
        leaves, expected = hashlib.sha256(), self.last_number + 1
        while (place := await places.next_up_to(last)) is not None:
            if place["number"] < expected:
                self.find("place_too_many", place["number"], place["at"][0])
            elif place["number"] > expected:
                self.find("place_missing", expected, place["at"][0])
            self._check_entry(place)
            leaves.update(leaf(place))
            expected = max(expected, place["number"]) + 1
        if expected <= last:
            self.find("place_missing", expected)
        return leaves.digest()

    def _check_entry(self, place: Any) -> None:
        self.entries += 1
        if not place["is_there"]:
            if any(first <= place["at"][0] < end for first, end in self._kept_no_longer):
                self.dropped += 1
            else:
                self.find("entry_missing", place["number"], place["at"][0])
        elif entry_hash(place["number"], place) != place["hash"]:
            self.find("entry_changed", place["number"], place["at"][0])

    async def compare_heads(self, heads: Sequence[ExportedHead]) -> None:
        """What was exported must still be there: a chain that was cut off, or written anew, shows here alone."""
        for start in range(0, len(heads), _BATCHES):
            some = heads[start : start + _BATCHES]
            numbers = [head.batch for head in some]
            roots = {row["number"]: row for row in await verifying.list_roots(self._connection, numbers=numbers)}
            for head in some:
                row = roots.get(head.batch)
                if row is None:
                    self.find("head_missing", head.number, raw_moment(head.sealed_at))
                elif (row["root"].hex(), row["last_number"]) != (head.root, head.number):
                    self.find("head_differs", head.number, raw_moment(head.sealed_at))

    async def find_unchained(self, since: datetime | None, patience: timedelta) -> None:
        """What could be chained now and is not a while later."""
        horizon = await verifying.find_horizon(self._connection)
        bounds = {"xmin": horizon["xmin"], "xmax": horizon["xmax"]}
        text = since.isoformat() if since else None
        deadline = time.monotonic() + patience.total_seconds()
        while True:
            late = await verifying.count_unchained(self._connection, since=text, **bounds)
            if not late["how_many"] or time.monotonic() > deadline:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        if late["how_many"]:
            self.find("entries_unchained", None, late["first_at"][0])
        self.still_running = await verifying.count_still_running(self._connection, **bounds)


class _Places:
    """The places of the chain after a number, a stretch at a time."""

    def __init__(self, connection: asyncpg.Connection, after: int) -> None:
        self._connection, self._last = connection, after
        self._stretch: list[Any] = []
        self._at = 0

    async def next_up_to(self, last: int | None) -> Any:
        """The next place whose number is at most `last` (None: any); None when there is no such."""
        if self._at == len(self._stretch):
            self._stretch = await verifying.list_places_after(self._connection, number=self._last, at_most=_STRETCH)
            self._at = 0
            if not self._stretch:
                return None
            self._last = self._stretch[-1]["number"]
        place = self._stretch[self._at]
        if last is not None and place["number"] > last:
            return None
        self._at += 1
        return place


async def _batches(connection: asyncpg.Connection, after: int) -> AsyncIterator[Any]:
    while rows := await verifying.list_batches_after(connection, number=after, at_most=_BATCHES):
        for row in rows:
            yield row
        after = rows[-1]["number"]
