"""A table that a department sent: its header, and its rows in the order of the file."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Literal, Protocol, Self

import msgspec

from kit import legacy_text
from kit.legacy_text import Charset

IsHeader = Callable[[list[str]], int]

_SAMPLE_ROWS = 1000
_EXAMPLES = 20


class Limits(msgspec.Struct, frozen=True):
    """What a workbook may cost. CSV files stream and have none of these limits.

    `memory_bytes` and `seconds` (of processor time) bind the child process that reads it.
    """

    max_rows: int = 200_000
    max_file_bytes: int = 30 * 2**20
    max_unpacked_bytes: int = 512 * 2**20
    memory_bytes: int = 1024 * 2**20
    seconds: int = 120


class Header(msgspec.Struct, frozen=True):
    """The heading row: its number in the file (from 1) and its cells as written, without empty ones at the end."""

    row: int
    cells: list[str]


class TableWarning(msgspec.Struct, frozen=True):
    """Something the sender should know although the file was read; `sentence` says it in English.

    `cp1258`: the file is in the old Windows code page. `other_sheets`: `facts["taken"]` was read,
    `facts["ignored"]` (names) were not. `nothing_to_convert`: conversion was asked for, no column needed it.
    """

    code: Literal["cp1258", "other_sheets", "nothing_to_convert"]
    sentence: str
    facts: dict[str, object] = {}


class LegacyExample(msgspec.Struct, frozen=True):
    """A cell in an old font's letters, before and after conversion."""

    row: int
    column: int
    before: str
    after: str


class Chunk(msgspec.Struct):
    """Some rows in the order of the file, without blank ones.

    `rows[i]` has exactly the header's width; short rows are filled with "". `numbers[i]` is its row number in the
    file, counted as Excel does: from 1, blank rows included. `overlong` are the i whose row had text to the right of
    the header, which was cut: in CSV often a decimal comma between delimiters. `numeric[column][i]` is 1 where the
    workbook held a number rather than text; columns without any number are missing, and CSV has none.
    """

    rows: list[tuple[str, ...]]
    numbers: Sequence[int]
    overlong: list[int]
    numeric: dict[int, bytes]

    def was_number(self, i: int, column: int) -> bool:
        """Whether the cell was a number in the workbook, so that leading zeros may be lost."""
        mask = self.numeric.get(column)
        return mask is not None and mask[i] == 1


class Batch(msgspec.Struct):
    """Consecutive raw rows of a file, blank ones included; `first` is the row number of `rows[0]`."""

    first: int
    rows: list[list[str]]
    numeric: dict[int, bytes] = {}


class Source(Protocol):
    """Where raw rows come from: a CSV file, or a workbook read by a child process."""

    @property
    def bytes_read(self) -> int:
        """How far the file has been read."""
        ...

    def batches(self, size: int) -> Iterator[Batch]:
        """What is left below the header, at most `size` rows at a time."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class Opened(msgspec.Struct):
    """What was found out about a file before its rows are read. `reopen(skip)` starts again below `skip` rows."""

    path: Path
    kind: Literal["csv", "xlsx"]
    header: Header
    source: Source
    reopen: Callable[[int], Source]
    warnings: list[TableWarning]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    total_rows_hint: int | None = None


class Table:
    """An open table; a context manager that is read once, from top to bottom.

    `name` is the file's name without its folder. `legacy` names the columns whose sample is written in an old font's
    letters; with `convert` those of that font come converted, headings too, and `converted` tells whether there are
    any. `legacy_examples` are up to twenty cells before and after. `total_rows_hint` is exact for workbooks and a guess
    for CSV; `bytes_read` of `bytes_total` drives a progress bar.
    """

    def __init__(self, opened: Opened, convert: Charset | None, limits: Limits) -> None:
        self.path, self.name, self.kind = opened.path, opened.path.name, opened.kind
        self.encoding, self.delimiter, self.sheet = opened.encoding, opened.delimiter, opened.sheet
        self.header, self.warnings = opened.header, opened.warnings
        self.total_rows_hint = opened.total_rows_hint
        self.bytes_total = opened.path.stat().st_size
        self.reopen, self.limits = opened.reopen, limits
        self._source = opened.source
        self._width = len(opened.header.cells)
        self._sample = list(islice(opened.source.batches(_SAMPLE_ROWS), 1))
        self.legacy = self._recognise_columns()
        self.legacy_examples = self._take_examples()
        self._convert = {column: charset for column, charset in self.legacy.items() if charset == convert}
        self.converted = bool(self._convert)
        if convert and not self.converted:
            self.warnings.append(_nothing_to_convert(convert))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, and end the child process of a workbook. What is known about the table stays."""
        self._source.close()

    @property
    def bytes_read(self) -> int:
        """How far the file has been read, for a progress bar."""
        return self._source.bytes_read

    def chunks(self, size: int = 5000) -> Iterator[Chunk]:
        """The rows below the header, at most `size` at a time, though the first thousand may come at once.

        Raises TableError where the file turns out broken.
        """
        sample, self._sample = self._sample, []
        last_row = self.header.row
        for batch in chain(sample, self._source.batches(size)):
            chunk = self._shape(batch)
            if self._convert:
                chunk.rows = [self._converted(row) for row in chunk.rows]
            last_row = batch.first + len(batch.rows) - 1
            if chunk.rows:
                yield chunk
        self.total_rows_hint = last_row - self.header.row

    def _shape(self, batch: Batch) -> Chunk:
        """Every row as wide as the header, blank rows left out. Written for 1.2 million rows: mind the inner loops."""
        rows, width = batch.rows, self._width
        numbers: Sequence[int] = range(batch.first, batch.first + len(rows))
        numeric = batch.numeric
        # A filled first cell settles it; only rows without one are looked at in full.
        doubtful = [i for i, row in enumerate(rows) if not row or not row[0] or row[0].isspace()]
        if blank := {i for i in doubtful if is_blank(rows[i])}:
            kept = [i for i in range(len(rows)) if i not in blank]
            rows, numbers = [rows[i] for i in kept], [numbers[i] for i in kept]
            numeric = {column: bytes(mask[i] for i in kept) for column, mask in numeric.items()}
        overlong: list[int] = []
        if not all(map(width.__eq__, map(len, rows))):
            overlong = [i for i, row in enumerate(rows) if len(row) > width and not is_blank(row[width:])]
            rows = [row[:width] + [""] * (width - len(row)) for row in rows]
        return Chunk(rows=list(map(tuple, rows)), numbers=numbers, overlong=overlong, numeric=numeric)

    def _converted(self, row: tuple[str, ...]) -> tuple[str, ...]:
        cells = list(row)
        for column, charset in self._convert.items():
            if not cells[column].isascii():
                cells[column] = legacy_text.convert(cells[column], charset)
        return tuple(cells)

    def _recognise_columns(self) -> dict[int, Charset]:
        samples = {
            column: [cell for batch in self._sample for row in batch.rows for cell in row[column : column + 1]]
            for column in range(self._width)
        }
        found = _recognised(samples, least=2)
        if found:
            # A file in an old font is all in it: one word, such as the N÷ of a column for sex, is then enough.
            further = _recognised(samples, least=1)
            found |= {column: charset for column, charset in further.items() if charset in found.values()}
        return dict(sorted(found.items()))

    def _take_examples(self) -> list[LegacyExample]:
        examples = (
            LegacyExample(batch.first + i, column, row[column], legacy_text.convert(row[column], charset))
            for batch in self._sample
            for i, row in enumerate(batch.rows)
            for column, charset in self.legacy.items()
            if column < len(row) and not row[column].isascii()
        )
        return list(islice(examples, _EXAMPLES))


def _recognised(samples: dict[int, list[str]], least: int) -> dict[int, Charset]:
    found: dict[int, Charset] = {}
    for column, cells in samples.items():
        if charset := legacy_text.recognise(cells, least=least):
            found[column] = charset
    return found


def is_blank(row: list[str]) -> bool:
    """Whether nothing can be seen in the row."""
    return not any(cell and not cell.isspace() for cell in row)


def _nothing_to_convert(convert: Charset) -> TableWarning:
    sentence = f"No column is written in {legacy_text.TITLES[convert]} letters, so nothing was converted."
    return TableWarning("nothing_to_convert", sentence, {"charset": convert})
