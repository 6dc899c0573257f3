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
from kit.tables import Chunk, LegacyExample, Table, TableWarning, open_table
from lookup.exams import Exam
from lookup.score_batches import Comparison, Origin, compare, stage, store
from lookup.score_changes import PaperChanges
from lookup.score_columns import Layout, lay_out
from lookup.score_headings import Headings
from lookup.score_problems import Fault, Problem, Problems
from lookup.score_report import check_report, write_report
from lookup.score_rows import RowReader, RowRules
from units.record.entries import COMMAND, Actor

Progress = Callable[[int, int, int], None]


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for: `report` is where the annotated workbook goes; see `baodanh scores import --help`.

    `only_if_wrong`: no workbook for a file that gave no cause. `expected`: new, changed and unchanged results as they
    were shown to whoever confirmed the import; nothing is stored when they have become others.
    """

    dry_run: bool = False
    report: Path | None = None
    only_if_wrong: bool = False
    reason: str | None = None
    pad_number: int | None = None
    convert: Charset | None = None
    weak_pins: bool = False
    expected: tuple[int, int, int] | None = None


class ImportSummary(msgspec.Struct, kw_only=True):
    """What an import found and did.

    `rows` are results read; `new`, `changed` and `unchanged` compare them with what is on record (all 0 as long as
    there are errors), `papers` says of which papers. `problems` are those kept to be listed, in the order of the file;
    `counts` has all of them by code, `unlisted` how many are only counted. `batch_id` is None where nothing was stored.
    `conversions` are cells in old letters where a conversion was asked for, `converted` whether those were the letters
    of the file. `needs_reason`: none was given, and the file changes what is on record.
    """

    exam_code: str
    file_name: str
    dry_run: bool
    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    papers: list[PaperChanges] = []
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
    warnings: list[TableWarning] = []

    @property
    def remarks(self) -> list[str]:
        """What there is to know about the file although it was read, in English."""
        return [warning.sentence for warning in self.warnings]


class ReasonNeeded(DomainError):
    """Results are on record and the file changes them: why? `new` and `changed` tell how many."""

    code = "reason_needed"
    status = 409


class FoundOtherwise(DomainError):
    """What is on record has changed since somebody looked at what the file would do."""

    code = "found_otherwise"
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
    actor: Actor = COMMAND,
) -> ImportSummary:
    """Store the results of a CSV or XLSX file as one batch, or nothing if anything is wrong with it.

    `pin_key` keeps the pins that come with the file. `progress` hears bytes read, bytes in all, rows read. Raises
    TableError for a file that is no table or a report that would be none; ReasonNeeded and FoundOtherwise before
    anything is stored.
    """
    if options.report:
        check_report(path, options.report)
    headings = Headings(exam)
    table = await asyncio.to_thread(open_table, path, headings.count, convert=options.convert)
    with table:
        run = _Run(exam, table, options, headings)
        if run.layout.number is not None:
            async with connection.transaction():
                await run.read(connection, pin_key, progress)
                if not run.problems.errors:
                    await run.compare(connection)
                if not (run.problems.errors or options.dry_run):
                    await run.store(connection, actor, now)
    run.conclude()
    await run.report()
    return run.summary


class _Run:
    """One import on its way: what was found so far stands in `summary` and `problems`."""

    def __init__(self, exam: Exam, table: Table, options: ImportOptions, headings: Headings) -> None:
        self.exam, self.table, self.options, self.headings = exam, table, options, headings
        self.problems = Problems()
        self.layout = _lay_out(table, headings, exam, options.convert, self.problems)
        self.summary = ImportSummary(exam_code=exam.code, file_name=table.name, dry_run=options.dry_run)
        self.found: Comparison | None = None
        self.staged = 0

    async def read(self, connection: asyncpg.Connection, pin_key: bytes, progress: Progress | None) -> None:
        """Every row is checked on its way into a table of its own."""
        by_commas = self.table.kind == "csv"
        rules = RowRules(self.options.pad_number, self.options.weak_pins, pin_key, cells_may_split=by_commas)
        reader = RowReader(self.exam, self.layout, self.headings, rules, self.problems)
        blocks = _Blocks(self.table, reader, progress)
        self.staged = await stage(connection, blocks, self.layout, self.problems)
        self.summary.rows = blocks.rows - self.problems.counts["row_not_read"]
        for problem in reader.whole_file(self.summary.rows, self.table.header.row):
            self.problems.add(problem)
        self.summary.composed_names, self.summary.padded_numbers = reader.composed_names, reader.padded_numbers

    async def compare(self, connection: asyncpg.Connection) -> None:
        """What it would change; that a column is missing shows only here."""
        self.found = found = await compare(connection, self.exam, self.layout, self.staged, self.problems)
        self.summary.new, self.summary.changed, self.summary.unchanged = found.counts
        self.summary.papers = found.papers
        self.summary.needs_reason = found.needs_reason and not (self.options.reason or "").strip()

    async def store(self, connection: asyncpg.Connection, actor: Actor, now: datetime) -> None:
        """One batch of what is new or changed; none where nothing is."""
        assert self.found
        if self.options.expected and self.found.counts != self.options.expected:
            raise FoundOtherwise(exam=self.exam.code)
        if not self.found.new + self.found.changed:
            return
        if self.summary.needs_reason:
            raise ReasonNeeded(exam=self.exam.code, new=self.found.new, changed=self.found.changed)
        checksum = await asyncio.to_thread(_sha256, self.table.path)
        origin = Origin(self.table.name, checksum, self.options.reason)
        self.summary.batch_id = await store(connection, self.exam, origin, self.found, actor, now)

    def conclude(self) -> None:
        """Counts, lists and remarks, once all rows were read."""
        summary, problems = self.summary, self.problems
        summary.error_count, summary.warning_count = problems.errors, problems.warnings
        summary.counts, summary.problems, summary.unlisted = dict(problems.counts), problems.listed, problems.unlisted
        summary.conversions = self.table.legacy_examples if self.options.convert else []
        summary.converted = self.table.converted
        summary.warnings = self.table.warnings

    async def report(self) -> None:
        """The workbook that goes back to whoever sent the file."""
        summary = self.summary
        converted = summary.conversions if summary.converted else []
        if self.options.report and (summary.problems or converted or not self.options.only_if_wrong):
            listed = (summary.problems, summary.unlisted, converted)
            await asyncio.to_thread(write_report, self.table, *listed, self.options.report)


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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
