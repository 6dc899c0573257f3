"""Write a new workbook of the rows of a table, all as text, with the mistakes marked."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

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
from kit.tables.table import Table

_ROWS_SHEET = "Dữ liệu"
_BATCH_ROWS = 2000
_NUMBER_TITLE = "Dòng trong tệp gốc"


def write_marked(table: Table, out: Path, marked: dict[int, list[CellMark]], *, whole: bool) -> None:
    """Write the file's rows under their own numbers, or only the bad ones behind a column that tells their number.

    `marked` is used up. Memory stays small however many rows there are. Raises OSError when `out` cannot be written.
    """
    # Rows go to the disk one by one. Text is written as text: never a formula, never a link.
    book = xlsxwriter.Workbook(str(out), {"constant_memory": True})
    pages = _Pages(book, table.header.cells)
    if whole:
        _write_all(pages, table, marked)
    else:
        _write_bad(pages, table, marked)
    for number in sorted(marked):
        # Of rows that the file does not have.
        pages.mention(marked[number])
    try:
        book.close()
    except FileCreateError as error:
        # What it wraps is the system's own error, whose words do not name our temporary file.
        cause = error.args[0]
        raise (cause if isinstance(cause, OSError) else OSError(str(cause))) from None


def _write_all(pages: "_Pages", table: Table, marked: dict[int, list[CellMark]]) -> None:
    for number, row in _rows(table, skip=0):
        pages.add(number - 1, row, marked.pop(number, []))


def _write_bad(pages: "_Pages", table: Table, marked: dict[int, list[CellMark]]) -> None:
    header = table.header
    pages.add(0, [_NUMBER_TITLE, *header.cells], marked.pop(header.row, []), shift=1)
    line = 0
    for number, row in _rows(table, skip=header.row):
        if marks := marked.pop(number, None):
            line += 1
            pages.add(line, [str(number), *row], marks, shift=1)


def _rows(table: Table, skip: int) -> Iterator[tuple[int, list[str]]]:
    source = table.reopen(skip)
    try:
        for batch in source.batches(_BATCH_ROWS):
            yield from enumerate(batch.rows, batch.first)
    finally:
        source.close()


class _Pages:
    """The sheet of rows and the sheet of mistakes, both written from top to bottom."""

    def __init__(self, book: xlsxwriter.Workbook, titles: list[str]) -> None:
        self._bad = book.add_format({"bg_color": f"#{FILL}"})
        self._plain = book.add_format()
        self._rows, self._mistakes = book.add_worksheet(_ROWS_SHEET), book.add_worksheet(ERRORS_SHEET)
        self._titles, self._listed, self._comments = titles, 0, 0
        for column, (title, width) in enumerate(zip(ERRORS_HEADER, ERRORS_WIDTHS, strict=True)):
            self._mistakes.set_column(column, column, width)
            self._mistakes.write_string(0, column, title, book.add_format({"bold": True}))
        self._mistakes.freeze_panes(1, 0)

    def add(self, line: int, cells: list[str], marks: list[CellMark], shift: int = 0) -> None:
        """Write a row on its line (from 0) and list its mistakes. Marks count columns without the `shift` first."""
        comments = {column + shift: comment for column, comment in comments_by_column(marks).items()}
        cells += [""] * (max(comments, default=0) + 1 - len(cells))
        for column, cell in enumerate(cells):
            style = self._bad if column in comments else self._plain
            # An empty string would be dropped, and the colour with it.
            write = self._rows.write_string if cell else self._rows.write_blank
            write(line, column, fitting(cell), style)
        for column, comment in comments.items():
            self._comment(line, column, comment)
        self.mention(marks, cells[shift:])

    def mention(self, marks: list[CellMark], cells: Sequence[str] = ()) -> None:
        """List mistakes of a row with these cells."""
        for mark in marks:
            content = cells[mark.column] if mark.column is not None and mark.column < len(cells) else ""
            self._list(listed(mark, self._titles, content))

    def _comment(self, line: int, column: int, comment: str) -> None:
        self._comments += 1
        if self._comments <= MOST_COMMENTS:
            self._rows.write_comment(line, column, fitting(comment), {"author": AUTHOR})

    def _list(self, texts: list[str]) -> None:
        self._listed += 1
        if self._listed <= MOST_LISTED:
            for column, text in enumerate(texts):
                self._mistakes.write_string(self._listed, column, fitting(text))
