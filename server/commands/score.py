"""`baodanh scores`: bring results in, open them at a moment, take them down."""

import asyncio
import os
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from kit.clock import parse_moment, utc_now
from kit.errors import UsageError
from kit.keys import KeyRing
from kit.tables import write_csv
from lookup import releases
from lookup.exams import find_exam
from lookup.pin_list import HEADER, list_pins
from lookup.score_import import ImportOptions, import_scores
from server.commands.import_report import print_summary
from server.commands.score_nodes import print_status, wait_until_gone, wait_until_open
from server.commands.score_open import open_with_slip
from server.commands.score_release import release_or_hand_in
from server.running.service import connect
from server.settings import load_settings
from units.record.entries import COMMAND, write

app = App(name="scores", help="Results: import, release, withdraw, open by hand.")

# A moment that passes while the command is typed is meant.
_TYPING_TIME = timedelta(minutes=5)


@Parameter(name="*")
@dataclass(kw_only=True)
class ImportWishes:
    """How a file is to be read, and what is to come of it."""

    dry_run: bool = False
    """Check only."""
    report: Path | None = None
    """Write an annotated workbook (.xlsx) of what is wrong."""
    reason: str | None = None
    """Why results change (`Phúc khảo`); needed when results on record change, or were released."""
    pad_number: int | None = None
    """Candidate numbers lost their leading zeros: fill them up to this many digits."""
    convert: Literal["tcvn3", "vni"] | None = None
    """The text is in the old TCVN3 or VNI letters: convert it."""
    weak_pins: bool = False
    """Accept lookup codes shorter than ten signs; they are worth no more than a birth date."""


@app.command(name="import")
def import_file(file: Path, /, *, exam: str, wishes: ImportWishes | None = None) -> int:
    """Check a CSV or XLSX file of results and store it; nothing becomes public by it.

    Every mistake is named by row and column; with any mistake nothing is stored and the exit code is 1.
    """
    settings = load_settings(os.environ)
    # The report repeats what the file says of people.
    os.umask(0o077)
    options = ImportOptions(**asdict(wishes or ImportWishes()))

    async def bring_in() -> int:
        pin_key = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None).current("pin").value
        async with connect(settings) as connection:
            known = await find_exam(connection, exam)
            with _progress_bar(file.name) as progress:
                summary = await import_scores(
                    connection, known, file, options=options, pin_key=pin_key, now=utc_now(), progress=progress.show
                )
        print_summary(summary)
        return 1 if summary.error_count else 0

    return asyncio.run(bring_in())


@app.command
def release(code: str, *, at: str | None = None, emergency: str | None = None) -> int:
    """Make the imported results of an exam public, at once or at a moment.

    Where officers can approve it, it is handed in to them and becomes public when one of them has approved it. At once,
    it returns when every running node has opened it, or names those that have not.

    Parameters
    ----------
    at
        An ISO time, Vietnam's clock unless it names another: 2026-07-01T08:00.
    emergency
        Why this cannot wait for a second person: released at once, on the record, and told to the approvers.
    """
    moment = parse_moment(at) if at else None
    if moment and moment < utc_now() - _TYPING_TIME:
        raise UsageError(f"{at} is past. To open at once, leave --at out.")
    settings = load_settings(os.environ)

    async def open_it() -> int:
        async with connect(settings) as connection:
            released = await release_or_hand_in(connection, settings, code, moment, emergency)
            if released is None or (moment and moment > utc_now()):
                return 0
            return await wait_until_open(connection, released)

    return asyncio.run(open_it())


@app.command
def pins(code: str, out: Path) -> None:
    """Write the lookup codes of an exam with policy `pin` into a CSV file that only you can read, to print from.

    The codes are not stored: they are derived anew each time, and the same as long as the key is.
    """
    settings = load_settings(os.environ)
    os.umask(0o077)

    async def write_list() -> None:
        pin_key = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None).current("pin").value
        async with connect(settings) as connection:
            exam = await find_exam(connection, code)
            codes = list(await list_pins(connection, exam, pin_key))
            # Before the file: what leaves the service and is not on the record would be worse than the other way round.
            about, unit = ("exam", exam.code), exam.unit.code
            await write(connection, COMMAND, "exam.pins_exported", about, unit=unit, rows=len(codes))
        write_csv(out, HEADER, codes, overwrite=False)

    asyncio.run(write_list())
    print(f"{out}: for printing only. Whoever has it can look up every candidate: delete it afterwards.")


@app.command
def withdraw(code: str, *, reason: str | None = None) -> int:
    """Take an exam's results down at once; names the nodes that have not confirmed, or still hold the sealed file.

    Parameters
    ----------
    reason
        Why; the record keeps it, the public is not told.
    """

    async def take_down() -> int:
        async with connect(load_settings(os.environ)) as connection:
            change = await releases.withdraw(connection, code, reason=reason)
            return await wait_until_gone(connection, code, change)

    return asyncio.run(take_down())


@app.command(name="open")
def open_here(code: str, *, key: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """Open a sealed release on this node with its key slip, at its moment, when PostgreSQL and Redis are dead.

    Run it on every node. Before the moment it waits; Ctrl-C gives up.

    Parameters
    ----------
    key
        Only `-`: the slip is read from standard input, never from the command line, which others can see.
    """
    open_with_slip(load_settings(os.environ), code, key)


@app.command
def status(code: str) -> None:
    """Which nodes hold the sealed file of an exam, which web processes have opened it: a line each, code first."""

    async def show() -> None:
        async with connect(load_settings(os.environ)) as connection:
            await print_status(connection, code)

    asyncio.run(show())


class _progress_bar:  # noqa: N801  # used like a function
    """A bar on a terminal, silence elsewhere."""

    def __init__(self, title: str) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TextColumn("{task.fields[rows]} rows"),
        )
        console = Console(stderr=True)
        self._progress = Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal)
        self._task = self._progress.add_task(title, total=None, rows=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int, rows: int) -> None:
        """`done` of `total` bytes read, `rows` rows so far."""
        self._progress.update(self._task, completed=done, total=total, rows=rows)
