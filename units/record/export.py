"""The record as a table, for whoever examines it with other tools: as long as it is, in little memory."""

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import IO, Any

from kit.clock import VIETNAM
from kit.sql import Database
from kit.tables.exports import harmless
from units.officers.officers import find_officers
from units.record.search import Entry, Filter, Reach, all_entries
from units.record.words import Line, people_in, tell
from units.unit_tree import UnitTree

HEADER = (
    "Số thứ tự", "Thời điểm", "Cán bộ", "Thư công vụ", "Qua", "Đơn vị", "Mã đơn vị", "Việc", "Mã việc", "Đối tượng",
    "Mã đối tượng", "Nội dung", "Địa chỉ mạng", "Mã yêu cầu",
)  # fmt: skip
# Excel ends at 1,048,576 rows.
_ROWS_OF_A_SHEET = 1_000_000
_CHUNK = 256 * 1024


async def stream_csv(database: Database, reach: Reach, wanted: Filter, tree: UnitTree) -> AsyncIterator[bytes]:
    """UTF-8 with the mark by which Excel recognises it; no cell can act as a formula."""
    yield "\ufeff".encode() + _csv([HEADER])
    async for rows in _rows(database, reach, wanted, tree):
        yield _csv(rows)


async def stream_workbook(database: Database, reach: Reach, wanted: Filter, tree: UnitTree) -> AsyncIterator[bytes]:
    """An XLSX of texts, written to the disk first: a workbook is known only when it is whole."""
    # Left to those who want one: web workers load it only then.
    from xlsxwriter import Workbook

    with tempfile.TemporaryFile() as file:
        book = Workbook(file, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
        writer = _Sheets(book)
        async for rows in _rows(database, reach, wanted, tree):
            await asyncio.to_thread(writer.write, rows)
        await asyncio.to_thread(book.close)
        for chunk in _chunks(file):
            yield chunk


class _Sheets:
    """Sheet after sheet, each with its header."""

    def __init__(self, book: Any) -> None:
        self._book, self._row = book, 0
        self._begin()

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        for row in rows:
            if self._row > _ROWS_OF_A_SHEET:
                self._begin()
            self._write_row(row)

    def _begin(self) -> None:
        self._sheet, self._row = self._book.add_worksheet(), 0
        self._write_row(HEADER)

    def _write_row(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            self._sheet.write_string(self._row, column, harmless(cell))
        self._row += 1


async def _rows(
    database: Database, reach: Reach, wanted: Filter, tree: UnitTree
) -> AsyncIterator[list[tuple[str, ...]]]:
    async for entries in all_entries(database, reach, wanted):
        people = await find_officers(database, people_in(entries))
        names = {officer_id: officer.name for officer_id, officer in people.items()}
        emails = {officer_id: officer.email for officer_id, officer in people.items()}
        yield [_row(entry, names, emails, tree) for entry in entries]


def _row(entry: Entry, names: dict[str, str], emails: dict[str, str], tree: UnitTree) -> tuple[str, ...]:
    told = tell(entry, names, tree)
    return (
        "" if entry.number is None else str(entry.number),
        entry.at.astimezone(VIETNAM).strftime("%d/%m/%Y %H:%M:%S.%f"),
        told.who,
        emails.get(entry.officer_id or "", ""),
        told.through,
        told.unit,
        entry.unit_code or "",
        told.what,
        entry.action,
        told.about,
        entry.object_id,
        "; ".join(_sentence(line) for line in (*told.changes, *told.facts)),
        entry.address or "",
        entry.request_id or "",
    )


def _sentence(line: Line) -> str:
    return f"{line.name}: {line.text}" if line.before is None else f"{line.name}: {line.before} → {line.text}"


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
