"""`baodanh scores open`: the morning on which PostgreSQL and Redis are dead, and somebody has the key on paper."""

import asyncio
import contextlib
import sys
import time
from datetime import datetime
from pathlib import Path

import asyncpg

from kit.clock import VIETNAM, utc_now
from kit.errors import UsageError
from kit.sql import UNREACHABLE
from lookup.sealed.slip_opening import SlipDoesNotFit, find_fitting_file, keep_slip_key, stands
from lookup.sealed.slips import Slip, SlipUnreadable, read_slip
from server.running.service import find_database
from server.settings import Settings

# A PostgreSQL that is there answers sooner; a dead one is not waited for.
_ASK_SECONDS = 2.0
_LONGEST_SLIP = 4096


def open_with_slip(settings: Settings, code: str, key: str) -> None:
    """Give the key of the slip on standard input to this node's web processes, at its moment and not before.

    Raises UsageError with one sentence for what does not fit.
    """
    if key != "-":
        raise UsageError("A key in a command line can be read by others on this machine: use `--key -`, then paste it.")
    folder = settings.releases_folder
    slip = _read()
    try:
        header = find_fitting_file(folder, code, slip)
    except SlipDoesNotFit as refused:
        raise UsageError(str(refused)) from None
    _refuse_what_was_taken_down(settings, slip)
    _wait_until(header.opens_at)
    _keep(folder, slip)


def _read() -> Slip:
    if sys.stdin.isatty():
        print("Paste or type the slip, then press Ctrl-D:", file=sys.stderr)
    try:
        return read_slip(sys.stdin.read(_LONGEST_SLIP))
    except SlipUnreadable as problem:
        if problem.group:
            raise UsageError(f"Group {problem.group} of the slip is not as it was printed: read it again.") from None
        raise UsageError(
            "This is no key slip: it begins with exam, generation and file, then come 14 groups of five signs."
        ) from None


def _refuse_what_was_taken_down(settings: Settings, slip: Slip) -> None:
    """Where PostgreSQL can be asked after all, what it says counts."""
    may_open = True
    with contextlib.suppress(UsageError, *UNREACHABLE):
        may_open = asyncio.run(_ask_postgresql(find_database(settings), slip))
    if not may_open:
        raise UsageError("This release was taken down or replaced: its slip opens nothing any more.")


async def _ask_postgresql(url: str, slip: Slip) -> bool:
    async with asyncio.timeout(_ASK_SECONDS):
        connection = await asyncpg.connect(url)
        try:
            return await stands(connection, slip)
        finally:
            connection.terminate()


def _wait_until(opens_at: datetime) -> None:
    """By this machine's clock; nothing is written before."""
    said = 0.0
    while (left := (opens_at - utc_now()).total_seconds()) > 0:
        if sys.stderr.isatty():
            print(f"\rOpens at {_clock(opens_at)}, in {_in_words(left)}; Ctrl-C gives up. ", end="", file=sys.stderr)
        elif not said or time.monotonic() - said > 60:  # noqa: PLR2004 - a line a minute for a log
            print(f"Opens at {_clock(opens_at)}, in {_in_words(left)}.", file=sys.stderr, flush=True)
            said = time.monotonic()
        # The last stretch to the millisecond.
        time.sleep(left % 1 or 1) if left > 1 else time.sleep(left)
    if sys.stderr.isatty():
        print(file=sys.stderr)


def _keep(folder: Path, slip: Slip) -> None:
    now = utc_now()
    try:
        is_new = keep_slip_key(folder, slip, now)
    except OSError as problem:
        raise UsageError(f"The key cannot be written into {folder}: {problem.strerror}.") from None
    what = f"{slip.exam_code}, generation {slip.generation}"
    if not is_new:
        print(f"{what}: the key lay in {folder} already.")
        return
    print(f"{what}: the key lies in {folder} since {_clock(now)}; this node's web processes open within a second.")
    print("Do the same on every other node. The record gets it once PostgreSQL is back.")


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(VIETNAM):%H:%M:%S, %d/%m/%Y}"


def _in_words(seconds: float) -> str:
    hours, rest = divmod(int(seconds + 0.999), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"
