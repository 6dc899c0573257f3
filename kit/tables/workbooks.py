"""Read a workbook through a process of its own, which may die of a hostile file in our stead."""

from collections.abc import Iterator
from pathlib import Path

from kit import legacy_text
from kit.legacy_text import Charset
from kit.tables.archives import check_archive
from kit.tables.headers import HEAD_ROWS, as_header, best_header, legacy_charset
from kit.tables.messages import Head, Job, Rows
from kit.tables.problems import TableError
from kit.tables.reader_process import ReaderProcess
from kit.tables.table import Batch, IsHeader, Limits, Opened, TableWarning


def open_workbook(path: Path, is_header: IsHeader, convert: Charset | None, limits: Limits) -> Opened:
    """Take the first visible sheet that has a header. Raises TableError when none has, or the file is not sound."""
    job = Job(
        path=str(path),
        memory_bytes=limits.memory_bytes,
        seconds=limits.seconds,
        max_rows=limits.max_rows,
        dropping_parts=check_archive(path, limits),
    )
    process = ReaderProcess(job)
    try:
        return _take_sheet(path, process, is_header, convert)
    except BaseException:
        process.close()
        raise


class WorkbookSource:
    """The rows of the sheet that was taken, below the rows that were left out."""

    def __init__(self, process: ReaderProcess, head: Head, skip: int) -> None:
        self._process = process
        self._waiting = Batch(skip + 1, [])
        self._total_rows = head.total_rows
        self._file_size = Path(process.job.path).stat().st_size
        process.tell(f"take {skip}")

    @property
    def bytes_read(self) -> int:
        """As much of the file as the rows read are of all rows: a workbook is not read in the order of its bytes."""
        return self._file_size * (self._waiting.first - 1) // max(self._total_rows, 1)

    def batches(self, size: int) -> Iterator[Batch]:
        """The rows not read yet. Raises TableError when there are too many, or the process gave up."""
        while (batch := self._next(size)).rows:
            yield batch

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _next(self, size: int) -> Batch:
        if not self._waiting.rows and isinstance(message := self._process.receive(), Rows):
            self._waiting = Batch(message.first, message.rows, message.numeric)
        batch, self._waiting = _split(self._waiting, size)
        return batch


def _take_sheet(path: Path, process: ReaderProcess, is_header: IsHeader, convert: Charset | None) -> Opened:
    heads: list[Head] = []
    while isinstance(head := process.receive(), Head):
        if found := best_header(head.rows, is_header, convert):
            header = as_header(found)
            return Opened(
                path=path,
                kind="xlsx",
                header=header,
                source=WorkbookSource(process, head, skip=header.row),
                reopen=lambda skip: _reopen(process.job, head.sheet, skip),
                warnings=_other_sheets(head),
                sheet=head.sheet,
                total_rows_hint=head.total_rows - header.row,
            )
        heads.append(head)
        process.tell("next")
    raise _no_header(path, heads, is_header)


def _reopen(job: Job, sheet: str, skip: int) -> WorkbookSource:
    job.sheet = sheet
    process = ReaderProcess(job)
    head = process.receive()
    assert isinstance(head, Head)
    return WorkbookSource(process, head, skip)


def _no_header(path: Path, heads: list[Head], is_header: IsHeader) -> TableError:
    if not heads:
        return TableError("empty", file=path.name)
    for head in heads:
        if charset := legacy_charset(head.rows, is_header):
            title = legacy_text.TITLES[charset]
            return TableError("legacy_header", file=path.name, charset=title, option=charset)
    return TableError("header_not_found", file=path.name, searched=HEAD_ROWS)


def _other_sheets(head: Head) -> list[TableWarning]:
    if not head.others:
        return []
    ignored = ", ".join(f'"{name}"' for name in head.others)
    sentence = f'Only the sheet "{head.sheet}" was read, not {ignored}. Send other sheets as files of their own.'
    return [TableWarning("other_sheets", sentence, {"taken": head.sheet, "ignored": head.others})]


def _split(batch: Batch, size: int) -> tuple[Batch, Batch]:
    first, masks = batch.first, batch.numeric
    start = Batch(first, batch.rows[:size], {column: mask[:size] for column, mask in masks.items()})
    rest = {column: mask[size:] for column, mask in masks.items()}
    return start, Batch(first + len(start.rows), batch.rows[size:], rest)
