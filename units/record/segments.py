"""The record by months: made ahead, and dropped as a whole when the time to keep them is over."""

import contextlib
import gzip
import hashlib
import os
import re
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.clock import VIETNAM
from kit.errors import DomainError
from kit.sql import Database
from units.record.encoding import raw_moment
from units.record.entries import Actor, write

segments = sql.load(__file__, "segments")

# For so many whole months the record is kept, whatever anybody wants: logs of level-3 services for a year.
KEPT_MONTHS = 12
_STRETCH = 5000
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MONTHS = 12
_STRETCH = 5000


class SegmentRefused(DomainError):
    """A month of the record cannot be dropped; `rule` says why."""

    code = "segment_refused"
    status = 409


class Dropped(msgspec.Struct, frozen=True):
    """What was dropped: its month, how many entries, and the file that holds them with that file's SHA-256."""

    month: str
    entries: int
    file: Path
    sha256: str


async def make_segments(database: Database) -> int:
    """See to it that this month and the next three have a segment; returns how many were made."""
    return sum(row["made"] for row in await segments.make_segments(database))


def month_bounds(month: str) -> tuple[int, int]:
    """A month (`2026-01`) on the clock of Viet Nam, from its first microsecond to the next month's, both since 2000."""
    first, following = _bounds(month)
    return raw_moment(first), raw_moment(following)


async def drop_segment(
    owner: asyncpg.Connection, month: str, *, reason: str, actor: Actor, folder: Path, now: datetime
) -> Dropped:
    """Write a month's entries to `record-2026-01.jsonl.gz` in `folder`, then drop them; that stands on the record.

    Its places in the chain stay, with their hashes: everything else can still be checked. `owner` is a connection of
    the role that owns the tables. Raises SegmentRefused.
    """
    first, following = _refuse_early(month, now)
    if not reason.strip():
        raise SegmentRefused(rule="say why with --reason")
    bounds = {"first": first.isoformat(), "next": following.isoformat()}
    async with owner.transaction():
        # Nothing comes into the month between the file and the drop.
        await owner.execute("set local lock_timeout = '10s'")
        await owner.execute("lock table units.record_entries in share row exclusive mode")
        found = await segments.count_month(owner, **bounds)
        if not found["entries"]:
            raise SegmentRefused(rule="there are no entries of that month")
        if found["entries"] != found["chained"]:
            raise SegmentRefused(rule="some of its entries are not in the chain yet")
        file = folder / f"record-{month}.jsonl.gz"
        digest = await _export(owner, bounds, file)
        await _drop(owner, month, bounds)
        await write(
            owner,
            actor,
            "record.segment_dropped",
            ("record_segment", month),
            reason=reason.strip(),
            **dict(found),
            export_sha256=digest,
            dropped_so_far=sorted({month, *await dropped_months(owner)}),
        )
    return Dropped(month, found["entries"], file, digest)


async def dropped_months(database: Database) -> list[str]:
    """The months that are no longer kept, as the last entry about a drop tells; none where it tells no months."""
    try:
        told = msgspec.json.decode(await segments.find_dropped_months(database) or "[]", type=list[str])
    except msgspec.DecodeError:
        return []
    return [month for month in told if _MONTH.fullmatch(month)]


async def is_really_dropped(database: Database, month: str) -> bool:
    """Whether the month could be dropped by now, and whole: anybody who writes entries can write that it was."""
    first, following = _bounds(month)
    found = await segments.count_month(database, first=first.isoformat(), next=following.isoformat())
    return not found["entries"] and month <= await segments.find_last_droppable(database, kept=KEPT_MONTHS)


def _refuse_early(month: str, now: datetime) -> tuple[datetime, datetime]:
    if not _MONTH.fullmatch(month):
        raise SegmentRefused(rule="write the month as 2026-01")
    first, following = _bounds(month)
    local = now.astimezone(VIETNAM)
    age = (local.year - following.year) * _MONTHS + local.month - following.month
    if age < KEPT_MONTHS:
        raise SegmentRefused(rule=f"a month is kept for {KEPT_MONTHS} months after its end")
    return first, following


def _bounds(month: str) -> tuple[datetime, datetime]:
    year, number = (int(part) for part in month.split("-"))
    following = (year + 1, 1) if number == _MONTHS else (year, number + 1)
    return datetime(year, number, 1, tzinfo=VIETNAM), datetime(*following, 1, tzinfo=VIETNAM)


async def _export(owner: asyncpg.Connection, bounds: dict[str, str], file: Path) -> str:
    """All of the month as one line of JSON each, in the order of the chain; returns the file's SHA-256."""
    draft = file.with_name(f".{file.name}.part")
    try:
        _refuse_to_replace(file)
        with draft.open("wb") as raw:
            # Without a name or a moment in it, the same entries make the same file.
            with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed:
                async for row in _rows(owner, bounds):
                    packed.write(msgspec.json.encode(dict(row)) + b"\n")
            raw.flush()
            os.fsync(raw.fileno())
        draft.replace(file)
    except OSError as problem:
        raise SegmentRefused(rule=f"{file} cannot be written: {problem.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    with file.open("rb") as finished:
        return hashlib.file_digest(finished, "sha256").hexdigest()


def _refuse_to_replace(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        raise SegmentRefused(rule=f"{file} is there already; move it away")


async def _rows(owner: asyncpg.Connection, bounds: dict[str, str]) -> AsyncIterator[Any]:
    after = 0
    while rows := await segments.list_month(owner, **bounds, after=after, at_most=_STRETCH):
        for row in rows:
            yield row
        after = rows[-1]["number"]


async def _drop(owner: asyncpg.Connection, month: str, bounds: dict[str, str]) -> None:
    name = f"record_entries_{month.replace('-', '_')}"
    if segment := await segments.find_segment(owner, name=name):
        await owner.execute(f"drop table {segment}")
    # Entries that came while there was no segment of their month.
    await segments.remove_month_elsewhere(owner, **bounds)
