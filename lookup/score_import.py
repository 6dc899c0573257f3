"""Bring a department's result file in: read it, tell everything that is wrong, store what is new or changed.

Nothing becomes public by an import; a release takes its batch up.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec

from kit import legacy_text
from kit.errors import DomainError
from kit.legacy_text import Charset
from kit.tables import Chunk, LegacyExample, Table, open_table
from lookup.exams import Exam
from lookup.score_batches import Comparison, compare, stage, store
from lookup.score_columns import Layout, lay_out
from lookup.score_headings import Headings
from lookup.score_problems import Fault, Problem, Problems
from lookup.score_report import check_report, write_report
from lookup.score_rows import RowReader, RowRules

Progress = Callable[[int, int, int], None]


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator asks for: `report` is where the annotated workbook goes; see `baodanh scores import --help`."""

    dry_run: bool = False
    report: Path | None = None
    reason: str | None = None
    pad_number: int | None = None
    convert: Charset | None = None
    weak_pins: bool = False


class ImportSummary(msgspec.Struct, kw_only=True):
    """What an import found and did.

    `rows` are results read; `new`, `changed` and `unchanged` compare them with what is on record (all 0 as long as
    there are errors). `problems` are those kept to be listed, in the order of the file; `counts` has all of them by
    code, `unlisted` how many are only counted. `batch_id` is None where nothing was stored. `conversions` are cells in
    old letters where a conversion was asked for, `converted` whether those were the letters of the file.
    `needs_reason`: none was given, and the file changes what is on record.
    """

    exam_code: str
    file_name: str
    dry_run: bool
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    batch_id: int | None = None
    error_count: int = 0
    warning_count: int = 0
    counts: dict[str, int] = {}
    problems: list[Problem] = []
    unlisted: int = 0
    composed_names: int = 0
    padded_numbers: int = 0
    conversions: list[LegacyExample] = []
    converted: bool = False
    needs_reason: bool = False
    remarks: list[str] = []


class ReasonNeeded(DomainError):
    """Results are on record and the file changes them: why? `new` and `changed` tell how many."""

    code = "reason_needed"
    status = 409


async def import_scores(
    connection: asyncpg.Connection,
    exam: Exam,
    path: Path,
    *,
    options: ImportOptions,
    now: datetime,
    pin_key: bytes,
    progress: Progress | None = None,
) -> ImportSummary:
    """Store the results of a CSV or XLSX file as one batch, or nothing if anything is wrong with it.

    `pin_key` keeps the pins that come with the file. `progress` hears bytes read, bytes in all, rows read. Raises
    TableError for a file that is no table or a report that would be none, ReasonNeeded before anything is stored.
    """
    if options.report:
        check_report(path, options.report)
    headings, problems = Headings(exam), Problems()
    table = await asyncio.to_thread(open_table, path, headings.count, convert=options.convert)
    with table:
        layout = _lay_out(table, headings, exam, options.convert, problems)
        summary = ImportSummary(exam_code=exam.code, file_name=table.name, dry_run=options.dry_run)
        if layout.number is not None:
            rules = RowRules(options.pad_number, options.weak_pins, pin_key, cells_may_split=table.kind == "csv")
            reader = RowReader(exam, layout, headings, rules, problems)
            blocks = _Blocks(table, reader, progress)
            async with connection.transaction():
                staged = await stage(connection, blocks, layout, problems)
                summary.rows = blocks.rows - problems.counts["row_not_read"]
                for problem in reader.whole_file(summary.rows, table.header.row):
                    problems.add(problem)
                if not problems.errors:
                    found = await compare(connection, exam, layout, staged, problems)
                    summary.new, summary.changed, summary.unchanged = found.new, found.changed, found.unchanged
                    summary.needs_reason = found.needs_reason and not (options.reason or "").strip()
                    if not problems.errors and not options.dry_run:
                        summary.batch_id = await _store(connection, exam, path, found, options.reason, now)
            summary.composed_names, summary.padded_numbers = reader.composed_names, reader.padded_numbers
    _conclude(summary, table, problems, asked_to_convert=options.convert is not None)
    if options.report:
        converted = summary.conversions if summary.converted else []
        listed = (summary.problems, summary.unlisted, converted)
        await asyncio.to_thread(write_report, table, *listed, options.report)
    return summary


def _lay_out(table: Table, headings: Headings, exam: Exam, convert: Charset | None, problems: Problems) -> Layout:
    layout, found = lay_out(headings.complete(table.header.cells), exam, headings)
    for problem in found:
        problems.add(msgspec.structs.replace(problem, row=table.header.row))
    not_kept = {problem.column for problem in found if problem.code == "column_not_kept"}
    for column, charset in table.legacy.items():
        if column not in not_kept and charset != convert:
            example = next((example for example in table.legacy_examples if example.column == column), None)
            facts = {"charset": legacy_text.TITLES[charset], "option": charset}
            fault = Fault("legacy_text", facts, example.after if example else None)
            cell = example.before if example else layout.headings[column]
            problems.add(Problem(fault, table.header.row, column, layout.headings[column], cell))
    return layout


class _Blocks:
    """The rows of a file as blocks of PostgreSQL's text format, made while PostgreSQL stores the ones before."""

    def __init__(self, table: Table, reader: RowReader, progress: Progress | None) -> None:
        self._table, self._reader, self._progress = table, reader, progress
        self.rows = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks = self._table.chunks()
        # In a thread, so that the socket is filled from the buffers meanwhile.
        while (block := await asyncio.to_thread(self._next_block, chunks)) is not None:
            yield block
            if self._progress:
                self._progress(self._table.bytes_read, self._table.bytes_total, self.rows)

    def _next_block(self, chunks: Iterator[Chunk]) -> bytes | None:
        if (chunk := next(chunks, None)) is None:
            return None
        self.rows += len(chunk.rows)
        return self._reader.lines(chunk).encode()


async def _store(
    connection: asyncpg.Connection, exam: Exam, path: Path, found: Comparison, reason: str | None, now: datetime
) -> int | None:
    """The batch's id; None when there is nothing to store."""
    if not found.new + found.changed:
        return None
    if found.needs_reason and not (reason or "").strip():
        raise ReasonNeeded(exam=exam.code, new=found.new, changed=found.changed)
    checksum = await asyncio.to_thread(_sha256, path)
    return await store(connection, exam, path.name, checksum, reason, found, now)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _conclude(summary: ImportSummary, table: Table, problems: Problems, *, asked_to_convert: bool) -> None:
    summary.error_count, summary.warning_count = problems.errors, problems.warnings
    summary.counts, summary.problems, summary.unlisted = dict(problems.counts), problems.listed, problems.unlisted
    summary.conversions = table.legacy_examples if asked_to_convert else []
    summary.converted = table.converted
    summary.remarks = [warning.sentence for warning in table.warnings]
