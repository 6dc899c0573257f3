"""Write tables that open rightly in Excel, and in which no cell can act as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kit.tables.problems import TableError

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it where Excel would take it for a formula; numbers stay as they are."""
    if cell.startswith(_RISKY) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def write_csv(out: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write UTF-8 with the mark by which Excel recognises it, comma-delimited, cells made `harmless`.

    The file appears under its name when it is complete. Raises TableError when it cannot be written.
    """
    with replacing(out) as part, part.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(map(harmless, header))
        writer.writerows(map(harmless, row) for row in rows)


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A name to write under; the finished file then takes the place of `out`, and half a file never does."""
    part = out.with_name(f".{out.name}.part")
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise TableError("unwritable", file=out.name, reason=error.strerror or error) from None
    finally:
        part.unlink(missing_ok=True)
