"""Read the tables that departments send, CSV and XLSX, and write the ones we send back.

`open_table` gives a `Table`, whose `chunks` are rows of text; `write_annotated` gives the sender his file back with the
mistakes marked; `write_csv` writes what Excel opens rightly.
"""

from pathlib import Path

from kit.legacy_text import Charset
from kit.tables.annotated import check_annotated, write_annotated
from kit.tables.cell_text import quoted
from kit.tables.csv_files import open_csv
from kit.tables.exports import harmless, write_csv
from kit.tables.file_kinds import kind_of
from kit.tables.marks import CellMark
from kit.tables.problems import TableError
from kit.tables.table import Chunk, Header, IsHeader, LegacyExample, Limits, Table, TableWarning
from kit.tables.workbooks import open_workbook

__all__ = [
    "CellMark",
    "Chunk",
    "Header",
    "IsHeader",
    "LegacyExample",
    "Limits",
    "Table",
    "TableError",
    "TableWarning",
    "check_annotated",
    "harmless",
    "open_table",
    "quoted",
    "write_annotated",
    "write_csv",
]

_LIMITS = Limits()


def open_table(path: Path, is_header: IsHeader, *, limits: Limits = _LIMITS, convert: Charset | None = None) -> Table:
    """Open a CSV or XLSX file, whatever its name ends in, and find its header.

    `is_header` tells how many cells of a row it recognises as headings (cells come as written in the file, so it
    trims and folds them itself); the best of the first 30 rows is the header, and none with two or more is a
    TableError. `convert` brings columns typed in an old font to Unicode. Reading is synchronous.

    Raises TableError with one clear sentence, here or while reading, for whatever is wrong with the file.
    """
    if kind_of(path) == "xlsx":
        opened = open_workbook(path, is_header, convert, limits)
    else:
        opened = open_csv(path, is_header, convert)
    try:
        return Table(opened, convert, limits)
    except BaseException:
        opened.source.close()
        raise
