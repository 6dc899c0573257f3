"""The process that opens a workbook: bounded in memory and time, so that a hostile file kills only this.

Started as `python -m kit.tables.workbook_reader JOB`; answers on standard output, takes commands on standard input,
and ends when standard input is closed, so that it never outlives the process that started it.
"""

import os
import queue
import resource
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat
from typing import Any

import msgspec
from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum, load_workbook

from kit.tables.cell_text import as_text, numeric_columns
from kit.tables.headers import HEAD_ROWS
from kit.tables.messages import End, Failure, Head, Job, Message, Rows, send
from kit.tables.sheet_parts import DroppedCells, find_dropped_cells, has_cells, sheet_parts

_BATCH_ROWS = 2000
# Very wide sheets come in smaller batches, so that one message stays small.
_BATCH_CELLS = 100_000


def main() -> None:
    """Read the workbook that the first argument, a Job in JSON, names."""
    job = msgspec.json.decode(sys.argv[1], type=Job)
    answers = os.fdopen(os.dup(1), "wb")
    # Whatever else is printed in this process must not get between the frames.
    os.dup2(2, 1)
    limit_cost(job.memory_bytes, job.seconds)
    commands = _listen()
    try:
        for message in _messages(job, commands.get):
            send(answers, message)
    except BrokenPipeError:
        os._exit(0)


def limit_cost(memory_bytes: int, seconds: int) -> None:
    """Bind this process for the rest of its life."""
    _lower(resource.RLIMIT_CORE, 0, 0)
    _lower(resource.RLIMIT_CPU, seconds, seconds + 5)
    # macOS knows this limit by name only and refuses to set it.
    if sys.platform != "darwin":
        _lower(resource.RLIMIT_AS, memory_bytes, memory_bytes)


def _lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit, or keep the system's own where that is stricter: it could not be raised."""
    _, present = resource.getrlimit(kind)
    most = hard if present == resource.RLIM_INFINITY else min(hard, present)
    resource.setrlimit(kind, (min(soft, most), most))


def _listen() -> "queue.SimpleQueue[str]":
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            commands.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    return commands


def _messages(job: Job, next_command: Callable[[], str]) -> Iterator[Message]:
    """Everything there is to say about the workbook, the reason for giving up included."""
    try:
        with load_workbook(job.path) as workbook, zipfile.ZipFile(job.path) as archive:
            yield from _offer_sheets(workbook, archive, job, next_command)
    except PasswordError:
        yield Failure("encrypted")
    except MemoryError:
        yield Failure("too_much_memory")
    except GeneratorExit:
        raise
    except BaseException:  # noqa: BLE001 - a panic in the reader's Rust code is no Exception
        yield Failure("damaged")


def _offer_sheets(
    workbook: CalamineWorkbook, archive: zipfile.ZipFile, job: Job, next_command: Callable[[], str]
) -> Iterator[Message]:
    parts = sheet_parts(archive)
    # A hidden sheet holds lists for drop-downs or last year's data, not what the sender sees.
    visible = [sheet.name for sheet in workbook.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    filled = [name for name in visible if has_cells(archive, parts.get(name, ""))]
    for name in filled if job.sheet is None else [job.sheet]:
        sheet = workbook.get_sheet_by_name(name)
        dropped = find_dropped_cells(archive, parts[name]) if parts[name] in job.dropping_parts else {}
        rows = _rows(sheet, dropped)
        head = list(islice(rows, HEAD_ROWS))
        texts = [list(map(as_text, row)) for row in head]
        yield Head(name, texts, _extent(sheet, dropped)[0], [other for other in filled if other != name])
        command, *skip = next_command().split()
        if command == "take":
            yield from _rows_below(int(skip[0]), _extent(sheet, dropped), chain(head, rows), job.max_rows)
            break
    yield End()


def _rows(sheet: CalamineSheet, dropped: DroppedCells) -> Iterator[list[Any]]:
    """All rows from the first of the sheet on, cells from column A on; what the reader drops as its text."""
    left = [""] * (sheet.start[1] if sheet.start else 0)
    below = repeat([], max(dropped, default=-1) + 1 - _extent(sheet, {})[0])
    for number, row in enumerate(chain(sheet.iter_rows(), below)):
        cells = left + row
        for column, text in dropped.get(number, {}).items():
            cells += [""] * (column + 1 - len(cells))
            cells[column] = text
        yield cells


def _extent(sheet: CalamineSheet, dropped: DroppedCells) -> tuple[int, int]:
    """How many rows and columns there are, counted from A1; `total_height` may be one short."""
    height, width = (sheet.end[0] + 1, sheet.end[1] + 1) if sheet.end else (0, 0)
    return max(height, max(dropped, default=-1) + 1), max(width, *(max(cells) + 1 for cells in dropped.values()), 0)


def _rows_below(skip: int, extent: tuple[int, int], rows: Iterator[list[Any]], max_rows: int) -> Iterator[Message]:
    height, width = extent
    if height - skip > max_rows:
        yield Failure("too_many_rows")
        return
    size = max(1, min(_BATCH_ROWS, _BATCH_CELLS // max(width, 1)))
    first, remaining = skip + 1, islice(rows, skip, None)
    while batch := list(islice(remaining, size)):
        yield Rows(first, [list(map(as_text, row)) for row in batch], numeric_columns(batch))
        first += len(batch)


if __name__ == "__main__":
    main()
