"""What the worker does with a file that an officer sent: check it, say how far it is, import it once confirmed."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec
import structlog

from kit.sql import UNREACHABLE
from kit.tables import TableError
from lookup.exams import Exam, find_exam
from lookup.score_import import FoundOtherwise, ImportOptions, ImportSummary, ReasonNeeded, import_scores
from lookup.score_problems import Fault, Problem
from lookup.score_uploads import PIECE, Findings, Refusal, Upload, add_piece, find_upload, read_pieces, uploads
from units.record.entries import Actor

log = structlog.get_logger()

# A few times a second is smooth enough for the eye.
_TELL_SECONDS = 0.3
# A file in which workers die again and again, or that we cannot read for a reason of our own.
_MOST_ATTEMPTS = 4
_PROBLEM_COLUMNS = (
    "upload_id", "number", "code", "is_error", "row_number", "column_number", "heading", "cell", "facts", "suggestion",
)  # fmt: skip
_CONVERTED = "text_converted"
# Ours, not the file's.
_OUR_TROUBLE = frozenset({"unwritable", "no_folder", "missing", "unreadable", "read_failed"})


class Tools(msgspec.Struct, frozen=True):
    """What the work needs: `folder` is private, and files in it do not outlive their turn."""

    pool: asyncpg.Pool
    folder: Path
    pin_key: bytes
    clock: Callable[[], datetime]


async def work_on_uploads(tools: Tools, exam_code: str) -> None:
    """Take the files of one exam in their order, one at a time over all workers, until none is left.

    Whoever finds somebody at it leaves: that one looks again after letting go.
    """
    while await uploads.find_next(tools.pool, exam_code=exam_code):
        async with _turn(tools.pool, exam_code) as connection:
            if connection is None:
                return
            while upload_id := await uploads.find_next(connection, exam_code=exam_code):
                await _work_on(tools, connection, await find_upload(connection, exam_code, upload_id))


def sweep(folder: Path, before: datetime) -> None:
    """Remove what a worker that was killed has left behind."""
    for left in folder.glob("*/"):
        if left.stat().st_mtime < before.timestamp():
            shutil.rmtree(left, ignore_errors=True)


@contextlib.asynccontextmanager
async def _turn(pool: asyncpg.Pool, exam_code: str) -> AsyncGenerator[asyncpg.Connection | None, None]:
    async with pool.acquire() as held:
        connection: asyncpg.Connection = held  # type: ignore[assignment]  # a proxy of one
        if not await uploads.try_lock_uploads(connection, exam_code=exam_code):
            yield None
            return
        try:
            yield connection
        finally:
            await uploads.unlock_uploads(connection, exam_code=exam_code)


async def _work_on(tools: Tools, connection: asyncpg.Connection, upload: Upload) -> None:
    if upload.attempts >= _MOST_ATTEMPTS:
        log.error("upload_failed", upload=upload.id)
        await uploads.mark_failed(connection, upload_id=upload.id)
        return
    importing = upload.state in ("confirmed", "importing")
    begun = "importing" if importing else "checking"
    if await uploads.mark_begun(connection, upload_id=upload.id, state=begun) == "UPDATE 0":
        return
    exam = await find_exam(connection, upload.exam_code)
    with _folder(tools.folder, upload.id) as folder:
        path = await _unpack(connection, upload, folder)
        try:
            await (_import if importing else _check)(tools, connection, exam, upload, path)
        except TableError as refused:
            if refused.code in _OUR_TROUBLE:
                raise
            refusal = msgspec.json.encode(Refusal(refused.code, refused.facts), enc_hook=str).decode()
            await uploads.mark_refused(connection, upload_id=upload.id, refusal=refusal)


@contextlib.contextmanager
def _folder(parent: Path, upload_id: str) -> Iterator[Path]:
    folder = parent / upload_id
    # What a worker left that was killed over the same file.
    shutil.rmtree(folder, ignore_errors=True)
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _unpack(connection: asyncpg.Connection, upload: Upload, folder: Path) -> Path:
    path = folder / upload.file_name
    with path.open("xb") as file:
        async for piece in read_pieces(connection, upload.id, "file"):
            await asyncio.to_thread(file.write, piece)
    return path


async def _check(tools: Tools, connection: asyncpg.Connection, exam: Exam, upload: Upload, path: Path) -> None:
    report = path.parent / "back" / "bang-loi.xlsx"
    report.parent.mkdir()
    options = ImportOptions(
        dry_run=True,
        report=report,
        only_if_wrong=True,
        pad_number=upload.pad_number,
        convert=upload.convert,
        weak_pins=upload.weak_pins,
    )
    async with _told(tools.pool, upload) as progress:
        summary = await import_scores(
            connection, exam, path, options=options, now=tools.clock(), pin_key=tools.pin_key, progress=progress
        )
    async with connection.transaction():
        await _forget_findings(connection, upload)
        await _keep_problems(connection, upload, summary)
        pieces = await _keep_workbook(connection, upload, report)
        findings = msgspec.json.encode(_findings(summary, has_workbook=bool(pieces)), enc_hook=str).decode()
        await uploads.mark_checked(connection, upload_id=upload.id, findings=findings)


async def _import(tools: Tools, connection: asyncpg.Connection, exam: Exam, upload: Upload, path: Path) -> None:
    """The batch and the word that it is there come in one transaction: a killed worker has done both or neither."""
    found = upload.findings
    assert found
    options = ImportOptions(
        reason=upload.reason,
        pad_number=upload.pad_number,
        convert=upload.convert,
        weak_pins=upload.weak_pins,
        expected=(found.new, found.changed, found.unchanged),
    )
    actor = Actor(upload.confirmed_by, "service")
    try:
        async with connection.transaction(), _told(tools.pool, upload) as progress:
            summary = await import_scores(
                connection,
                exam,
                path,
                options=options,
                now=tools.clock(),
                pin_key=tools.pin_key,
                progress=progress,
                actor=actor,
            )
            await _say_imported(connection, upload, summary)
    except (FoundOtherwise, ReasonNeeded):
        await uploads.mark_found_otherwise(connection, upload_id=upload.id)


async def _say_imported(connection: asyncpg.Connection, upload: Upload, summary: ImportSummary) -> None:
    if summary.batch_id is None:
        raise FoundOtherwise(exam=upload.exam_code)
    await uploads.mark_imported(connection, upload_id=upload.id, batch_id=summary.batch_id)


async def _forget_findings(connection: asyncpg.Connection, upload: Upload) -> None:
    await uploads.remove_found(connection, upload_id=upload.id)
    await uploads.remove_pieces(connection, upload_id=upload.id, what="workbook")


async def _keep_problems(connection: asyncpg.Connection, upload: Upload, summary: ImportSummary) -> None:
    problems = [*summary.problems, *_conversions(summary)]
    await connection.copy_records_to_table(
        "upload_problems",
        schema_name="lookup",
        columns=_PROBLEM_COLUMNS,
        records=(_problem_row(upload, number, problem) for number, problem in enumerate(problems)),
    )


def _conversions(summary: ImportSummary) -> list[Problem]:
    """What became of text in old letters, for somebody to look at."""
    return [
        Problem(
            Fault(_CONVERTED, {"before": example.before, "after": example.after}, example.after),
            example.row,
            example.column,
            cell=example.before,
        )
        for example in summary.conversions
        if summary.converted
    ]


def _problem_row(upload: Upload, number: int, problem: Problem) -> tuple:
    return (
        upload.id, number, problem.code, problem.is_error, problem.row, problem.column, problem.heading, problem.cell,
        msgspec.json.encode(problem.fault.facts, enc_hook=str).decode(), problem.fault.suggestion,
    )  # fmt: skip


async def _keep_workbook(connection: asyncpg.Connection, upload: Upload, report: Path) -> int:
    """How many pieces it has; 0 where none was written."""
    number = 0
    with contextlib.suppress(FileNotFoundError), report.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            await add_piece(connection, upload.id, number, piece, "workbook")
            number += 1
    return number


def _findings(summary: ImportSummary, *, has_workbook: bool) -> Findings:
    return Findings(
        rows=summary.rows,
        new=summary.new,
        changed=summary.changed,
        unchanged=summary.unchanged,
        papers=summary.papers,
        error_count=summary.error_count,
        warning_count=summary.warning_count,
        counts=summary.counts,
        unlisted=summary.unlisted,
        composed_names=summary.composed_names,
        padded_numbers=summary.padded_numbers,
        needs_reason=summary.needs_reason,
        remarks=[(warning.code, warning.facts) for warning in summary.warnings],
        has_workbook=has_workbook,
    )


@contextlib.asynccontextmanager
async def _told(pool: asyncpg.Pool, upload: Upload) -> AsyncGenerator[Callable[[int, int, int], None], None]:
    """Whoever waits sees how far the file is; a figure that cannot be told is no reason to stop."""
    latest = (0, 0)

    def note(done: int, _: int, rows: int) -> None:
        nonlocal latest
        latest = (done, rows)

    async def tell() -> None:
        told = latest
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            if latest != told:
                told = latest
                with contextlib.suppress(*UNREACHABLE):
                    await uploads.mark_progress(pool, upload_id=upload.id, bytes_read=told[0], rows_read=told[1])

    telling = asyncio.create_task(tell())
    try:
        yield note
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await telling
