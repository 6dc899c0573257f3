"""`baodanh audit`: whether the record is as it was written, and what becomes of its old months."""

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from cyclopts import App

from kit.clock import VIETNAM, utc_now
from kit.errors import UsageError
from server.running.service import connect
from server.settings import Settings, load_settings

app = App(name="audit", help="The record: check it, tell where it ends, drop a month whose time is over.")

# What a check finds, as the operator reads it; `number` and `at` are said before.
_PROBLEMS = {
    "entry_changed": "the entry is not as it was written",
    "entry_missing": "the entry is gone, or moved elsewhere",
    "place_missing": "its place in the chain is gone",
    "place_too_many": "its place in the chain was not there when the batch was sealed",
    "places_changed": "places of its batch are not as they were sealed",
    "batch_changed": "its batch is not as it was sealed",
    "batch_missing": "the batch that stood here is gone",
    "roots_do_not_meet": "its batch does not go on from the one before",
    "entries_unchained": "entries are not in the chain though they could be for more than five seconds: "
    "they were slipped in, or no worker seals",
    "head_missing": "the chain ended here once, and does not reach so far any more: it was cut off",
    "head_differs": "the chain ended here once with another root: it was written anew",
}


@app.command
def verify(*, since: str | None = None, heads: Path | None = None) -> int:
    """Check every entry, every batch and the exported heads; exit 1 and the first wrong number if anything differs.

    Parameters
    ----------
    since
        Only what was chained since this day or moment (2026-07-01, 2026-07-01T08:00); checks no heads of before.
    heads
        A file of exported heads to compare with, beside the service's own.
    """
    settings = load_settings(os.environ)
    if heads and not heads.exists():
        raise UsageError(f"There is no file {heads}.")
    return asyncio.run(_verify(settings, _moment(since), heads))


@app.command(name="heads")
def show_heads() -> None:
    """Where the chain ends now, as a line for `record-heads.jsonl`; keep some of them elsewhere."""
    from units.record.heads import current_head

    async def show() -> None:
        async with connect(load_settings(os.environ)) as connection:
            if head := await current_head(connection):
                print(msgspec.json.encode(head).decode())

    asyncio.run(show())


@app.command(name="drop-segment")
def drop_segment(month: str, *, reason: str, export_to: Path | None = None) -> None:
    """Write a month (2026-01) that ended a year ago or earlier to a file, then drop it. That stands on the record.

    Parameters
    ----------
    reason
        Why; the record keeps it.
    export_to
        The folder for `record-2026-01.jsonl.gz`; STATE_DIR unless said.
    """
    settings = load_settings(os.environ)
    asyncio.run(_drop(settings, month, reason, export_to or settings.state_dir))


async def _verify(settings: Settings, since: datetime | None, more_heads: Path | None) -> int:
    from units.record.heads import FILE, read_heads
    from units.record.verify import remember, verify

    heads = read_heads(settings.heads_folder / FILE) + (read_heads(more_heads) if more_heads else [])
    heads = [head for head in heads if since is None or head.sealed_at >= since]
    async with connect(settings) as connection:
        verified = await verify(connection, heads, since=since)
        if since is None:
            await remember(connection, verified, utc_now())
    _show_what_is_no_mistake(verified)
    if not verified.findings:
        print(
            f"The record is well: {verified.entries} entries in {verified.batches} batches, "
            f"{verified.dropped} of them in months that were dropped."
        )
        print(f"Head: number {verified.head_number}, root {verified.head_root}; {len(heads)} exported heads met.")
        return 0
    for finding in verified.findings:
        print(_sentence(finding))
    return 1


def _show_what_is_no_mistake(verified: Any) -> None:
    for number in verified.moved_at:
        print(f"From number {number} on the record was written in another database cluster: it was restored there.")
    if not verified.still_running:
        return
    print(f"{verified.still_running} entries wait for transactions that have not ended.")
    if holder := verified.holder:
        who = f"process {holder.pid}" if holder.pid else f"the prepared transaction {holder.prepared_as}"
        since = f"since {holder.since.isoformat(timespec='seconds')}" if holder.since else "since when is not known"
        print(f"The oldest of them: {who} in the database {holder.database}, {since}.")


def _sentence(finding: Any) -> str:
    at = f" ({finding.at.astimezone(VIETNAM).isoformat(timespec='seconds')})" if finding.at else ""
    where = f"Number {finding.number}{at}" if finding.number is not None else f"Outside the chain{at}"
    return f"{where}: {_PROBLEMS[finding.problem]}."


async def _drop(settings: Settings, month: str, reason: str, folder: Path) -> None:
    from units.record.entries import COMMAND
    from units.record.heads import FILE, read_heads
    from units.record.segments import drop_segment
    from units.record.verify import verify

    async with connect(settings, owner=True) as checking:
        verified = await verify(checking, read_heads(settings.heads_folder / FILE))
    if verified.findings:
        raise UsageError("The record is not as it was written: `baodanh audit verify` says where. Nothing was dropped.")
    async with connect(settings, owner=True) as owner:
        try:
            dropped = await drop_segment(owner, month, reason=reason, actor=COMMAND, folder=folder, now=utc_now())
        except asyncpg.InsufficientPrivilegeError:
            raise UsageError("Only the role that owns the tables drops a month: set DATABASE_OWNER_URL.") from None
    print(
        f"{dropped.entries} entries of {dropped.month} are in {dropped.file} (SHA-256 {dropped.sha256}), and dropped."
    )


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError("--since: write a day or a moment, such as 2026-07-01 or 2026-07-01T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)
