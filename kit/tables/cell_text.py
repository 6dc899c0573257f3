"""A workbook's cells as the text that its sender sees."""

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any

_LONGEST_QUOTED = 60


def as_text(cell: Any) -> str:
    """The cell as text: 8.25 is "8.25", 8.0 is "8", dates are ISO, and truth is "TRUE" or "FALSE"."""
    kind = type(cell)
    if kind is str:
        return cell
    if kind is float or kind is int:
        return _number(cell)
    if kind is bool:
        return "TRUE" if cell else "FALSE"
    if kind is dt.datetime:
        return cell.isoformat(" ")
    return str(cell)


def quoted(cell: str) -> str:
    """A cell as a message may quote it: not at any length."""
    return f"“{cell if len(cell) <= _LONGEST_QUOTED else cell[: _LONGEST_QUOTED - 1] + '…'}”"


def numeric_columns(rows: list[list[Any]]) -> dict[int, bytes]:
    """By column, a byte for each row: 1 where the cell is a number. Columns without any are left out."""
    width = max(map(len, rows), default=0)
    masks = {
        column: bytes(len(row) > column and type(row[column]) in {float, int} for row in rows)
        for column in range(width)
    }
    return {column: mask for column, mask in masks.items() if any(mask)}


@lru_cache(maxsize=65536)
def _number(value: float) -> str:
    # Adding zero turns -0.0 into 0. Fifteen digits are what Excel shows: the sum 0.1 + 0.2 is "0.3" there and here.
    return format(Decimal(f"{value + 0.0:.15g}"), "f")
