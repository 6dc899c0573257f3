"""Read a CSV file of any length row by row, whatever delimiter the sender's Excel put between the cells."""

import csv
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from kit import legacy_text
from kit.legacy_text import Charset
from kit.tables.headers import HEAD_ROWS, Found, as_header, best_header, legacy_charset
from kit.tables.problems import TableError
from kit.tables.table import Batch, IsHeader, Opened, TableWarning, is_blank
from kit.tables.text_files import RecordTooLong, TextFile, open_lines, recognise_encoding

# So much text becomes cells at a time, however long the rows are.
_MOST_TEXT = 2**22
_DELIMITERS = (",", ";", "\t")
_CP1258 = TableWarning(
    "cp1258",
    "The file is in the old Windows code page 1258 and was read as such. Check a few names; better save as CSV UTF-8.",
)


def open_csv(path: Path, is_header: IsHeader, convert: Charset | None) -> Opened:
    """Find encoding, delimiter and header. Raises TableError when the file is not text or has no header."""
    text = recognise_encoding(path)
    delimiter, found = _find_header(text, is_header, convert)
    source = CsvSource(text, delimiter, skip=found.position + 1)
    return Opened(
        path=path,
        kind="csv",
        header=as_header(found),
        source=source,
        reopen=lambda skip: CsvSource(text, delimiter, skip),
        warnings=[_CP1258] if text.encoding == "cp1258" else [],
        encoding=text.encoding,
        delimiter=delimiter,
        total_rows_hint=_guess_rows(text),
    )


class CsvSource:
    """The records of a CSV file below its header."""

    def __init__(self, text: TextFile, delimiter: str, skip: int) -> None:
        self._name = text.path.name
        self._file, self._lines = open_lines(text)
        self._records = self._read_records(delimiter)
        self._bytes_read = 0
        self._next_row = 1
        while self._next_row <= skip and self._take(skip + 1 - self._next_row):
            pass

    @property
    def bytes_read(self) -> int:
        """How far the file has been read; the operating system reads a little ahead of us."""
        return self._bytes_read if self._file.closed else self._file.tell()

    def batches(self, size: int) -> Iterator[Batch]:
        """The records not read yet. Raises TableError at a quotation mark out of place."""
        first = self._next_row
        while rows := self._take(size):
            yield Batch(first, rows)
            first = self._next_row

    def close(self) -> None:
        """Close the file; how far it was read stays known."""
        self._bytes_read = self.bytes_read
        self._file.close()

    def _take(self, size: int) -> list[list[str]]:
        """The next rows, fewer where they are very long."""
        rows: list[list[str]] = []
        length = 0
        try:
            # On an error the rows before it stay in the list, which tells the number of the bad one.
            for row, taken in islice(self._records, size):
                rows.append(row)
                length += taken
                if length > _MOST_TEXT:
                    break
        except csv.Error as error:
            raise _bad_record(self._name, self._next_row + len(rows), error) from None
        except RecordTooLong:
            raise _too_long(self._name, self._next_row + len(rows)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise TableError("read_failed", file=self._name, reason=error) from None
        self._next_row += len(rows)
        return rows

    def _read_records(self, delimiter: str) -> Iterator[tuple[list[str], int]]:
        """Each record, and how many characters it took."""
        for row in csv.reader(self._lines, delimiter=delimiter, strict=True):
            taken, self._lines.taken = self._lines.taken, 0
            yield row, taken


def _find_header(text: TextFile, is_header: IsHeader, convert: Charset | None) -> tuple[str, Found]:
    heads = {delimiter: _read_head(text, delimiter) for delimiter in _DELIMITERS}
    found = [
        (best.score, len(best.cells), delimiter, best)
        for delimiter, head in heads.items()
        if (best := best_header(head, is_header, convert)) is not None
    ]
    if found:
        _, _, delimiter, best = max(found, key=lambda candidate: candidate[:2])
        return delimiter, best
    if all(map(is_blank, heads[","])):
        raise TableError("empty", file=text.path.name)
    for head in heads.values():
        if charset := legacy_charset(head, is_header):
            title = legacy_text.TITLES[charset]
            raise TableError("legacy_header", file=text.path.name, charset=title, option=charset)
    raise TableError("header_not_found", file=text.path.name, searched=HEAD_ROWS)


def _read_head(text: TextFile, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    file, lines = open_lines(text)
    # A quotation mark out of place above the header may be harmless with another delimiter.
    try:
        with file, suppress(csv.Error):
            for row in islice(csv.reader(lines, delimiter=delimiter, strict=True), HEAD_ROWS):
                lines.taken = 0
                rows.append(row)
    except RecordTooLong:
        raise _too_long(text.path.name, len(rows) + 1) from None
    return rows


def _guess_rows(text: TextFile) -> int:
    """About how many rows there are, by the length of the first thousands: good enough for a progress bar."""
    with text.path.open("rb") as file:
        block = file.read(2**18)
    return block.count(b"\n") * text.path.stat().st_size // max(len(block), 1)


def _bad_record(name: str, row: int, error: csv.Error) -> TableError:
    if "field limit" in str(error):
        return _too_long(name, row)
    return TableError("unclosed_quote", file=name, row=row)


def _too_long(name: str, row: int) -> TableError:
    return TableError("cell_too_long", file=name, row=row, limit=csv.field_size_limit())
