"""Where the mistakes of a table are, and how the sheet that lists them looks."""

import re
from collections import defaultdict
from collections.abc import Iterable

import msgspec

ERRORS_SHEET = "Lỗi"
ERRORS_HEADER = ("Dòng", "Cột", "Nội dung", "Lỗi", "Gợi ý")
ERRORS_WIDTHS = (8, 28, 28, 60, 28)
AUTHOR = "Báo Danh"
FILL = "FFD9D9"
# Excel draws every comment's box when it opens the file; past this it is the list that helps.
MOST_COMMENTS = 20_000
MOST_LISTED = 1_000_000
_LONGEST_CELL = 32_767
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class CellMark(msgspec.Struct, frozen=True):
    """A mistake: where it is, what is wrong in one sentence, and what was probably meant.

    `row` is the number in the file, from 1; `column` counts from 0 and is None for the row as a whole.
    """

    row: int
    column: int | None
    message: str
    suggestion: str | None = None

    @property
    def comment(self) -> str:
        """What stands beside the cell."""
        return f"{self.message}\nGợi ý: {self.suggestion}" if self.suggestion else self.message


def by_row(marks: Iterable[CellMark]) -> dict[int, list[CellMark]]:
    """The marks of each row, in the order of rows and columns."""
    rows: dict[int, list[CellMark]] = defaultdict(list)
    for mark in sorted(marks, key=lambda mark: (mark.row, -1 if mark.column is None else mark.column)):
        rows[mark.row].append(mark)
    return dict(rows)


def comments_by_column(marks: Iterable[CellMark]) -> dict[int, str]:
    """One comment for each cell of a row; what concerns the row as a whole stands at its first cell."""
    columns: dict[int, list[str]] = defaultdict(list)
    for mark in marks:
        columns[mark.column or 0].append(mark.comment)
    return {column: "\n".join(comments) for column, comments in columns.items()}


def listed(mark: CellMark, titles: list[str], content: str) -> list[str]:
    """The line of the list of mistakes; `titles` are the header's cells."""
    column = "" if mark.column is None else _title(mark.column, titles)
    return [str(mark.row), column, content, mark.message, mark.suggestion or ""]


def fitting(text: str) -> str:
    """The text as Excel can hold it in one cell."""
    return _UNPRINTABLE.sub("\ufffd", text)[:_LONGEST_CELL]


def _title(column: int, titles: list[str]) -> str:
    letters, number = "", column + 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord("A") + letter) + letters
    title = titles[column].strip() if column < len(titles) else ""
    return f"{title} ({letters})" if title else letters
