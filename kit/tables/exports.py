"""Write tables that open rightly in Excel, and in which no cell can act as a formula."""

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it where Excel would take it for a formula; numbers stay as they are."""
    if cell.startswith(_RISKY) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def write_csv(out: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write UTF-8 with the mark by which Excel recognises it, comma-delimited, cells made `harmless`."""
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(harmless, header))
        writer.writerows(map(harmless, row) for row in rows)
