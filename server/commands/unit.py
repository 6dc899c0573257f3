"""`baodanh unit`: who takes part, and by which decisions that changes."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TypeVar

import asyncpg
from cyclopts import App, Parameter

from kit.clock import utc_now
from kit.errors import UsageError
from server.commands.import_report import say
from server.running.service import connect
from server.settings import load_settings
from units import units
from units.history import decisions
from units.history.events import Decision, UnitEvent, find_units_by_name, list_events
from units.lists import unit_import
from units.lists.problems import Problem
from units.record.entries import COMMAND
from units.unit_tree import UnitTree
from units.units import Unit

app = App(name="unit", help="Departments, communes and schools.")

Result = TypeVar("Result")


@Parameter(name="*")
@dataclass
class ByDecision:
    """The decision by which a unit changes."""

    decision: str
    """Its number: 12/QĐ-UBND."""
    on: date
    """The day from which it holds, 2026-07-01; today or before, since a change takes effect when it is recorded."""

    def as_decision(self) -> Decision:
        """What the units are told."""
        return Decision(self.decision, self.on)


@app.command(name="list")
def list_all(*, closed: bool = False) -> None:
    """One unit a line: code, kind, who manages it, name; closed ones are left out.

    Parameters
    ----------
    closed
        Closed units too, with the day and their successor.
    """
    for unit in _run(units.list_units):
        if unit.closed_on is None:
            _print(unit.code, unit.kind, unit.managed_by or "-", unit.name)
        elif closed:
            _print(unit.code, unit.kind, "-", unit.name, str(unit.closed_on), unit.succeeded_by or "-")


@app.command
def find(*text: str) -> None:
    """Units by name, former name or code, with or without marks: code, who answers for it today, name, former name."""
    for unit in _run(lambda connection: find_units_by_name(connection, " ".join(text))):
        former = f"formerly {unit.former_name}" if unit.former_name else ""
        closed = f"closed {unit.closed_on}" if unit.closed_on else ""
        _print(unit.code, unit.leads_to, unit.name, "; ".join(filter(None, (former, closed))) or "-")


@app.command
def history(code: str) -> None:
    """What happened to a unit and to those it took over: day, decision, unit, what, and what was before and after."""

    async def read(connection: asyncpg.Connection) -> list[UnitEvent]:
        UnitTree(await units.list_units(connection)).find(code)
        return await list_events(connection, code)

    for event in _run(read):
        day, number = (str(event.decision.on), event.decision.number) if event.decision else ("-", "-")
        _print(day, number, event.unit_code, event.what, _changes(event))


@app.command
def describe(
    code: str,
    *,
    name: str | None = None,
    short_name: str | None = None,
    name_en: str | None = None,
    province_code: str | None = None,
    commune_code: str | None = None,
    governing_body: str | None = None,
    responsible_person: str | None = None,
    address: str | None = None,
    hotline: str | None = None,
    email: str | None = None,
    website: str | None = None,
) -> None:
    """Change what every page of a unit says at its end; what is not given stays. The root unit is `so`.

    Parameters
    ----------
    name
        Of the root unit only, when the service is set up. Later, and elsewhere, names change by `unit rename`.
    commune_code
        Where it stands, as long as that is not known. Later that changes by `unit move`.
    """
    facts = {fact: value for fact, value in locals().items() if fact != "code"}
    _run(lambda connection: units.describe_unit(connection, code, actor=COMMAND, now=utc_now(), **facts))


@app.command
def add(
    code: str,
    *,
    kind: str,
    name: str,
    short_name: str | None = None,
    name_en: str = "",
    managed_by: str = "so",
    province_code: str | None = None,
    commune_code: str | None = None,
    governing_body: str = "",
    responsible_person: str = "",
    address: str = "",
    hotline: str = "",
    email: str = "",
    website: str | None = None,
    decision: str | None = None,
    on: date | None = None,
) -> None:
    """Add a unit below the one that manages it. A code is given once and never changes.

    Parameters
    ----------
    commune_code
        Where it stands, by the state's five digits. That gives its manager no rights.
    decision
        The number of the decision that founds it; left out for a unit that was there before this service.
    on
        The day from which that decision holds, 2026-07-01.
    """
    if (decision is None) != (on is None):
        raise UsageError("A decision has a number and a day: give --decision and --on, or neither.")
    unit = Unit(
        code, kind, name, short_name or name, name_en, managed_by, province_code, commune_code, governing_body,
        responsible_person, address, hotline, email, website,
    )  # fmt: skip
    founded = Decision(decision, on) if decision is not None and on is not None else None
    _run(lambda connection: decisions.add_unit(connection, unit, decision=founded, actor=COMMAND, now=utc_now()))
    _confirm(f"Unit {code} is there.")


@app.command
def rename(code: str, name: str, *, by: ByDecision, short_name: str | None = None, name_en: str = "") -> None:
    """Give a unit another name by decision. Whoever searches the former name still finds it.

    Parameters
    ----------
    short_name
        For narrow places; the whole name unless given.
    name_en
        In English; none unless given, since the former one no longer fits.
    """
    _run(
        lambda connection: decisions.rename_unit(
            connection, code, name, short_name=short_name, name_en=name_en, decision=by.as_decision(), actor=COMMAND,
            now=utc_now(),
        )
    )  # fmt: skip
    _confirm(f"Unit {code} is called {name}.")


@app.command
def move(
    code: str,
    *,
    by: ByDecision,
    managed_by: str | None = None,
    province_code: str | None = None,
    commune_code: str | None = None,
    address: str | None = None,
) -> None:
    """Give a unit another manager, another place, or both, by decision; what is not given stays.

    To split a unit, add the part that leaves (`unit add`) and move the units that go with it.

    Parameters
    ----------
    managed_by
        Who is responsible for it from now on: rights and approval follow.
    commune_code
        Where it stands from now on: no right follows.
    """
    _run(
        lambda connection: decisions.move_unit(
            connection, code, managed_by=managed_by, province_code=province_code, commune_code=commune_code,
            address=address, decision=by.as_decision(), actor=COMMAND, now=utc_now(),
        )
    )  # fmt: skip
    _confirm(f"Unit {code} has moved.")


@app.command
def merge(*codes: str, into: str, by: ByDecision) -> None:
    """Close units and let another one answer for them, by decision.

    The units that they manage, their exams, their officers' roles and what waits for approval go to it; their codes and
    names lead to it.
    """
    _run(
        lambda connection: decisions.merge_units(
            connection, codes, into, decision=by.as_decision(), actor=COMMAND, now=utc_now()
        )
    )
    _confirm(f"{', '.join(codes)}: closed, {into} answers from now on.")


@app.command
def close(code: str, *, by: ByDecision) -> None:
    """Close a unit that nobody succeeds, by decision. Its code and names stay; units below it are moved first."""
    _run(
        lambda connection: decisions.close_unit(
            connection, code, decision=by.as_decision(), actor=COMMAND, now=utc_now()
        )
    )
    _confirm(f"Unit {code} is closed.")


@app.command(name="import")
def import_file(file: Path, /, *, dry_run: bool = False, report: Path | None = None) -> int:
    """Check a CSV or XLSX file of units and store it: new ones are added, contacts brought up to date.

    Headings as departments write them: Mã đơn vị, Loại đơn vị, Tên đơn vị, Đơn vị quản lý, Xã/Phường, Địa chỉ, Đường
    dây nóng, Thư điện tử, Trang web, Số quyết định, Ngày quyết định. Another name, manager or place needs the decision
    in the same row. Every mistake is named by row and column; with any of them nothing is stored, and the exit code
    is 1.

    Parameters
    ----------
    dry_run
        Check only.
    report
        Write an annotated workbook (.xlsx) of what is wrong.
    """
    summary = _run(
        lambda connection: unit_import.import_units(
            connection, file, dry_run=dry_run, report=report, actor=COMMAND, now=utc_now()
        )
    )
    for remark in summary.remarks:
        say(remark)
    for problem in summary.problems:
        say(_line(problem))
    say(_conclusion(summary))
    return 1 if summary.error_count else 0


def _line(problem: Problem) -> str:
    where = f"row {problem.row}, {problem.heading}" if problem.heading else f"row {problem.row}"
    return f"{'error' if problem.is_error else 'warning'}: {where if problem.row else 'file'}: {problem.sentence()}"


def _conclusion(summary: unit_import.UnitImportSummary) -> str:
    read = f"{summary.file_name}: {summary.rows} rows read"
    if summary.error_count:
        return f"{read}, {summary.error_count} errors. Nothing was stored."
    found = f"{read}, {summary.added} new, {summary.changed} changed, {summary.unchanged} unchanged"
    return f"{found}. {'Stored.' if summary.stored else 'Dry run: nothing was stored.'}"


def _changes(event: UnitEvent) -> str:
    if event.successor:
        return f"into {event.successor}"
    if event.what == "added":
        return str(event.after.get("name", "-"))
    pairs = (f"{fact}: {event.before[fact] or '-'} -> {event.after[fact] or '-'}" for fact in event.after)
    return "; ".join(pairs) or "-"


def _run(use: Callable[[asyncpg.Connection], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with connect(load_settings(os.environ)) as connection:
            return await use(connection)

    return asyncio.run(run())


def _print(*cells: str) -> None:
    """One item a line. Names may have come from a file."""
    say("\t".join(cells))


def _confirm(sentence: str) -> None:
    if sys.stdout.isatty():
        print(sentence)
