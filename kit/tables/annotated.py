"""Give senders their file back with every mistake marked, so that it can be put right where it was made."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from kit.tables.exports import replacing
from kit.tables.marks import CellMark, by_row
from kit.tables.messages import MarkingJob
from kit.tables.problems import TableError
from kit.tables.reader_process import environment
from kit.tables.table import Table


def check_annotated(source: Path, out: Path) -> None:
    """Raise TableError for a workbook that would overwrite the file it is about, or that Excel would not open."""
    if out.exists() and source.exists() and out.samefile(source):
        raise TableError("report_over_source", file=source.name)
    if out.suffix.lower() != ".xlsx":
        raise TableError("report_is_no_xlsx", file=out.name)
    if not out.parent.is_dir():
        raise TableError("no_folder", file=out.name, folder=out.parent)


def write_annotated(table: Table, out: Path, marks: Iterable[CellMark], *, max_rows: int = 20_000) -> None:
    """Write an XLSX file in which bad cells are coloured and commented, and a sheet "Lỗi" lists all mistakes.

    Up to `max_rows` rows it is a copy of the workbook (formulas replaced by their values), or for CSV a workbook of
    the same rows; above, it holds just the bad rows, each with its number in the file. `table` may be closed, its
    file must still be there. Raises TableError when `out` cannot be written.
    """
    from kit.tables.marked_workbook import write_marked

    marked = by_row(marks)
    whole = (table.total_rows_hint or 0) <= max_rows
    with replacing(out) as part:
        if not (whole and table.kind == "xlsx" and _mark_copy(table, part, marked)):
            write_marked(table, part, marked, whole=whole)


def _mark_copy(table: Table, part: Path, marked: dict[int, list[CellMark]]) -> bool:
    """Mark a copy in a process of its own, whose memory is bounded; False when the workbook is too much for it."""
    assert table.sheet is not None
    job = MarkingJob(
        source=str(table.path),
        out=str(part),
        sheet=table.sheet,
        titles=table.header.cells,
        memory_bytes=table.limits.memory_bytes,
        seconds=table.limits.seconds,
        marks=marked,
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "kit.tables.workbook_marker"],
        input=msgspec.msgpack.encode(job),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(),
        check=False,
    )
    return done.returncode == 0
