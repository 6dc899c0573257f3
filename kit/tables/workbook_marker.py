"""The process that marks a copy of a workbook: bounded in memory and time, like the one that reads it.

Started as `python -m kit.tables.workbook_marker` with a MarkingJob in MessagePack on standard input; exit status 0 says
that the copy is there.
"""

import sys
from typing import Any

import msgspec
import openpyxl
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from kit.tables.cell_text import as_text
from kit.tables.marks import (
    AUTHOR,
    ERRORS_HEADER,
    ERRORS_SHEET,
    ERRORS_WIDTHS,
    FILL,
    MOST_COMMENTS,
    MOST_LISTED,
    CellMark,
    comments_by_column,
    fitting,
    listed,
)
from kit.tables.messages import MarkingJob
from kit.tables.workbook_reader import limit_cost


def main() -> None:
    """Do the job on standard input."""
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=MarkingJob)
    limit_cost(job.memory_bytes, job.seconds)
    # Values, not formulas: the copy shows what was read, and nothing in it computes or calls out.
    book = openpyxl.load_workbook(job.source, data_only=True, keep_links=False)
    sheet = book[job.sheet]
    _mark(sheet, job.marks)
    _list(book, sheet, job)
    book.save(job.out)


def _mark(sheet: Worksheet, marks: dict[int, list[CellMark]]) -> None:
    fill, comments = PatternFill("solid", fgColor=FILL), 0
    for row, of_row in marks.items():
        for column, text in comments_by_column(of_row).items():
            cell = sheet.cell(max(row, 1), column + 1)
            cell.fill = fill
            comments += 1
            # The hidden cells of a merged area cannot carry a comment.
            if not isinstance(cell, MergedCell) and comments <= MOST_COMMENTS:
                cell.comment = Comment(fitting(text), AUTHOR)


def _list(book: Workbook, sheet: Worksheet, job: MarkingJob) -> None:
    mistakes = book.create_sheet(ERRORS_SHEET)
    for column, (title, width) in enumerate(zip(ERRORS_HEADER, ERRORS_WIDTHS, strict=True), 1):
        _write(mistakes, 1, column, title).font = Font(bold=True)
        mistakes.column_dimensions[get_column_letter(column)].width = width
    mistakes.freeze_panes = "A2"
    every = [mark for of_row in job.marks.values() for mark in of_row]
    for line, mark in enumerate(every[:MOST_LISTED], 2):
        for column, text in enumerate(listed(mark, job.titles, _content(sheet, mark)), 1):
            _write(mistakes, line, column, text)


def _content(sheet: Worksheet, mark: CellMark) -> str:
    if mark.column is None:
        return ""
    value: Any = sheet.cell(max(mark.row, 1), mark.column + 1).value
    return "" if value is None else as_text(value)


def _write(sheet: Worksheet, row: int, column: int, text: str) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)
    cell.value = fitting(text)
    # openpyxl takes text that begins with = for a formula unless told otherwise.
    cell.data_type = "s"
    return cell


if __name__ == "__main__":
    main()
