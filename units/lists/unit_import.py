"""Bring a file of units in: new ones are added, contacts are brought up to date, decisions are carried out.

All of it or nothing; every mistake is named by row and column.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import msgspec

from kit.errors import DomainError
from kit.tables import CellMark, Table, check_annotated, open_table, write_annotated
from units.changes import Change, announce
from units.history.decisions import add_units, move_unit, rename_unit
from units.history.rules import lock_tree
from units.lists.comparison import Comparison, Known, New
from units.lists.headings import count_headings, lay_out
from units.lists.problems import Problem
from units.lists.rows import RowReader, Told
from units.record.entries import Actor
from units.units import UnitRefused, describe_unit, list_units


class UnitImportSummary(msgspec.Struct, kw_only=True):
    """What an import found and did: how many units were added, changed, and left as they are.

    `problems` are in the order of the file; `stored` is false after a dry run and wherever an error was found.
    """

    file_name: str
    dry_run: bool
    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    stored: bool = False
    problems: list[Problem] = []
    remarks: list[str] = []

    @property
    def error_count(self) -> int:
        """Any of them keeps the whole file out."""
        return sum(problem.is_error for problem in self.problems)


async def import_units(
    connection: asyncpg.Connection,
    path: Path,
    *,
    dry_run: bool = False,
    report: Path | None = None,
    actor: Actor,
    now: datetime,
) -> UnitImportSummary:
    """Store what a CSV or XLSX file says about units, or nothing if anything is wrong with it.

    A unit that is not on record is added. Facts by which it presents itself are described; another name, manager or
    place needs the decision in the same row. An empty cell leaves what is on record. `report` is where the annotated
    workbook goes. Raises TableError for a file that is no table, or a report that would be none.
    """
    if report:
        check_annotated(path, report)
    table = await asyncio.to_thread(open_table, path, count_headings)
    with table:
        layout, problems = lay_out(table.header.cells, table.header.row)
        reader = RowReader(table, layout)
        told = await asyncio.to_thread(reader.read) if "code" in layout.columns else []
        reader.problems += problems
        summary = UnitImportSummary(file_name=table.name, dry_run=dry_run, rows=len(told))
        bringing_in = _Import(connection, reader, actor, now)
        summary.stored = await bringing_in.try_out(told, summary)
        summary.problems = sorted(reader.problems, key=lambda problem: (problem.row or 0, problem.column or 0))
        summary.remarks = [warning.sentence for warning in table.warnings]
    if report:
        await asyncio.to_thread(write_annotated, table, report, _marks(table, summary.problems))
    return summary


class _Import:
    """One file on its way into the tree of units."""

    def __init__(self, connection: asyncpg.Connection, reader: RowReader, actor: Actor, now: datetime) -> None:
        self._connection, self._reader, self._now = connection, reader, now
        self._by: dict[str, Any] = {"actor": actor, "now": now}

    async def try_out(self, told: Sequence[Told], summary: UnitImportSummary) -> bool:
        """Do everything that the file asks for, and take it back unless all of it was right; says whether it stays."""
        transaction = self._connection.transaction()
        await transaction.start()
        try:
            await self._run(told, summary)
        except BaseException:
            await transaction.rollback()
            raise
        stays = not summary.dry_run and not self._reader.has_errors
        await (transaction.commit() if stays else transaction.rollback())
        return stays

    async def _run(self, told: Sequence[Told], summary: UnitImportSummary) -> None:
        await lock_tree(self._connection)
        new, known = Comparison(await list_units(self._connection), told, self._reader, self._now).run()
        if new and not self._reader.has_errors:
            await self._add(new)
        added = not self._reader.has_errors
        for row in known:
            # Whoever is to be managed by a unit that could not be added is not to blame.
            if added or row.place.get("managed_by") not in {each.told.code for each in new}:
                await self._carry_out(row)
        summary.added, summary.changed = len(new), len(known)
        summary.unchanged = len(told) - len(new) - len(known)

    async def _add(self, new: Sequence[New]) -> None:
        try:
            await add_units(self._connection, [each.founding for each in new], **self._by)
            await announce(self._connection, Change("unit", new[0].told.code, "imported"), self._now)
        except UnitRefused as refused:
            row = next(each.told for each in new if each.told.code == refused.facts["unit"])
            self._reader.note(refused, row, "managed_by")

    async def _carry_out(self, row: Known) -> None:
        code, decision = row.told.code, row.told.decision
        if row.names and decision:
            names = {fact: value for fact, value in row.names.items() if fact != "name"}
            rename = rename_unit(self._connection, code, row.names["name"], **names, decision=decision, **self._by)
            await self._try(rename, row.told, "name")
        if row.place and decision:
            move = move_unit(self._connection, code, **row.place, decision=decision, **self._by)
            await self._try(move, row.told, "managed_by" if "managed_by" in row.place else "commune")
        if row.described:
            await self._try(describe_unit(self._connection, code, **row.described, **self._by), row.told, "code")

    async def _try(self, change: Coroutine[Any, Any, object], told: Told, role: str) -> None:
        try:
            await change
        except DomainError as refused:
            self._reader.note(refused, told, role)


def _marks(table: Table, problems: Sequence[Problem]) -> Iterator[CellMark]:
    for problem in problems:
        # What concerns the file as a whole stands at its headings.
        row = problem.row or table.header.row
        yield CellMark(row, problem.column, problem.sentence("vi"), problem.suggestion)
