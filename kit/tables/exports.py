"""Write tables that open rightly in Excel, and in which no cell can act as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from kit.tables.problems import TableError

_RISKY = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)*(?:[eE][+-]?[0-9]+)?")


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it where Excel would take it for a formula; numbers stay as they are."""
    if cell.startswith(_RISKY) and not _NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def write_csv(out: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, overwrite: bool = True) -> None:
    """Write UTF-8 with the mark by which Excel recognises it, comma-delimited, cells made `harmless`.

    The file appears under its name when it is complete. Raises TableError when it cannot be written, or when it
    exists and must not be overwritten.
    """
    with (
        nullcontext() if overwrite else _reserved(out),
        replacing(out) as part,
        part.open("w", encoding="utf-8-sig", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(map(harmless, header))
        writer.writerows(map(harmless, row) for row in rows)


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """A name to write under; the finished file then takes the place of `out`, and half a file never does."""
    part = out.with_name(f".{out.name}.part")
    _refuse_missing_folder(out)
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise TableError("unwritable", file=out.name, reason=error.strerror or error) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _reserved(out: Path) -> Iterator[None]:
    """Take the name, so that nobody else's file is lost in the meantime; give it back if nothing comes of it."""
    _refuse_missing_folder(out)
    try:
        out.open("x").close()
    except FileExistsError:
        raise TableError("exists", file=out) from None
    except OSError as error:
        raise TableError("unwritable", file=out.name, reason=error.strerror or error) from None
    try:
        yield
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _refuse_missing_folder(out: Path) -> None:
    if not out.parent.is_dir():
        raise TableError("no_folder", file=out.name, folder=out.parent)
