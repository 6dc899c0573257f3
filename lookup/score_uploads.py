"""A result file that an officer sends: kept in pieces, checked by the worker, imported when somebody says so."""

import re
import unicodedata
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.legacy_text import Charset
from kit.queue import leave_job
from kit.sql import Database
from lookup.exams import Exam
from lookup.score_changes import PaperChanges
from lookup.score_problems import Fault, Problem
from units.record.actions import Action
from units.record.entries import Actor, write

uploads = sql.load(__file__, "uploads")

JOB = "score-upload"
# A country of results as CSV is 80 MB.
LARGEST_FILE = 200 * 2**20
PIECE = 2**20
# Files, their workbooks and lists of mistakes hold personal data; by then every mistake has been looked at.
KEPT_FOR = timedelta(days=7)
_LONGEST_NAME = 120
_UNFIT_FOR_A_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')

State = Literal[
    "arriving", "waiting", "checking", "checked", "confirmed", "importing", "imported", "refused", "failed", "discarded"
]
What = Literal["file", "workbook"]
Reading = Literal["file", "workbook", "problems"]

_READINGS: dict[Reading, Action] = {
    "file": "exam.file_read",
    "workbook": "exam.workbook_read",
    "problems": "exam.problems_read",
}


class UploadNotFound(DomainError):
    """There is no such file, or none of this exam."""

    code = "upload_not_found"
    status = 404


class UploadBusy(DomainError):
    """The file is not where this can be done: the worker has it, it was imported, or its data are erased."""

    code = "upload_busy"
    status = 409


class UploadErased(DomainError):
    """What the file held was erased some days after it came."""

    code = "upload_erased"
    status = 410


class Findings(msgspec.Struct, kw_only=True, frozen=True):
    """What a check found: counts and words without anybody's data. See ImportSummary.

    `charset`: the old letters in which the file is written; `remarks`: codes of table warnings with their facts.
    """

    rows: int
    new: int
    changed: int
    unchanged: int
    papers: list[PaperChanges]
    error_count: int
    warning_count: int
    counts: dict[str, int]
    unlisted: int
    composed_names: int
    padded_numbers: int
    needs_reason: bool
    remarks: list[tuple[str, dict[str, Any]]]
    has_workbook: bool

    @property
    def can_be_imported(self) -> bool:
        """Whether there is anything to store, and nothing wrong with it."""
        return not self.error_count and bool(self.new + self.changed)


class Refusal(msgspec.Struct, frozen=True):
    """Why a file is no table: a code of `kit.tables.TableError` and its facts."""

    code: str
    facts: dict[str, Any]


class Upload(msgspec.Struct, frozen=True):
    """One file that was sent. Officers are named by their ids; `queued_at`: since when it waits for the worker."""

    id: str
    exam_code: str
    uploaded_by: str
    uploaded_at: datetime
    file_name: str
    file_size: int
    state: State
    queued_at: datetime | None
    attempts: int
    pad_number: int | None
    convert: Charset | None
    weak_pins: bool
    reason: str | None
    confirmed_by: str | None
    found_otherwise: bool
    bytes_read: int
    rows_read: int
    findings: Findings | None
    refusal: Refusal | None
    batch_id: int | None
    erased_at: datetime | None

    @property
    def is_worked_on(self) -> bool:
        """Whether it waits for the worker, or the worker has it."""
        return self.state in ("waiting", "checking", "confirmed", "importing")

    @property
    def share(self) -> int:
        """How much of the file was read, in percent."""
        return min(100, 100 * self.bytes_read // self.file_size) if self.file_size else 0


class Ways(msgspec.Struct, frozen=True):
    """How a file is to be read: digits to fill numbers up to, old letters to convert, short lookup codes accepted."""

    pad_number: int | None = None
    convert: Charset | None = None
    weak_pins: bool = False


async def begin_upload(
    database: Database, exam: Exam, officer_id: str, file_name: str, size: int, now: datetime
) -> str:
    """A place for a file of at most `size` bytes that is coming in; returns its id."""
    return await uploads.add_upload(
        database, exam_code=exam.code, uploaded_by=officer_id, file_name=safe_name(file_name), size=size, now=now
    )


async def add_piece(database: Database, upload_id: str, number: int, content: bytes, what: What = "file") -> None:
    """Keep the next piece, of PIECE bytes at most."""
    await uploads.add_piece(database, upload_id=upload_id, what=what, number=number, content=content)


async def finish_upload(
    transaction: asyncpg.Connection, exam: Exam, upload_id: str, size: int, sha256: str, *, actor: Actor, now: datetime
) -> None:
    """All of it is there: the worker is to check it."""
    await uploads.mark_arrived(transaction, upload_id=upload_id, file_size=size, now=now)
    await _note(transaction, actor, "exam.file_received", exam, upload_id, size=size, file_sha256=sha256)
    await leave_job(transaction, JOB, exam.code.encode())


async def drop_upload(database: Database, upload_id: str) -> None:
    """The sender hung up, or sent too much: nothing of it is kept."""
    await uploads.remove_upload(database, upload_id=upload_id)


async def find_upload(database: Database, exam_code: str, upload_id: str) -> Upload:
    """One file of the exam. Raises UploadNotFound."""
    try:
        row = await uploads.find_upload(database, upload_id=str(UUID(upload_id)))
    except ValueError:
        raise UploadNotFound from None
    if row is None or row["exam_code"] != exam_code or row["state"] in ("arriving", "discarded"):
        raise UploadNotFound
    return _read(row)


async def list_uploads(database: Database, exam_code: str) -> list[Upload]:
    """The files of an exam that somebody may still want to see, the newest first."""
    return [_read(row) for row in await uploads.list_uploads(database, exam_code=exam_code)]


async def count_before(database: Database, upload: Upload) -> int:
    """How many files of the exam the worker takes first."""
    return await uploads.count_before(database, exam_code=upload.exam_code, queued_at=upload.queued_at)


async def check_again(
    transaction: asyncpg.Connection, exam: Exam, upload: Upload, ways: Ways, *, actor: Actor, now: datetime
) -> None:
    """Check the file once more, read otherwise. Raises UploadBusy."""
    facts = msgspec.structs.asdict(ways)
    _moved(await uploads.mark_asked_again(transaction, upload_id=upload.id, now=now, **facts))
    await _note(transaction, actor, "exam.file_read_otherwise", exam, upload.id, **facts)
    await leave_job(transaction, JOB, exam.code.encode())


async def confirm(
    transaction: asyncpg.Connection, exam: Exam, upload: Upload, reason: str | None, *, actor: Actor, now: datetime
) -> None:
    """Import what the check has shown, as the officer `actor`. Raises UploadBusy."""
    if upload.findings is None or not upload.findings.can_be_imported:
        raise UploadBusy
    _moved(
        await uploads.mark_confirmed(
            transaction, upload_id=upload.id, officer_id=actor.officer_id, reason=reason or None, now=now
        )
    )
    await _note(transaction, actor, "exam.import_confirmed", exam, upload.id)
    await leave_job(transaction, JOB, exam.code.encode())


async def discard(transaction: asyncpg.Connection, exam: Exam, upload: Upload, *, actor: Actor) -> None:
    """Nobody wants the file any more: what it held is erased at once. Raises UploadBusy."""
    _moved(await uploads.mark_discarded(transaction, upload_id=upload.id))
    await erase_upload(transaction, upload.id)
    await _note(transaction, actor, "exam.file_discarded", exam, upload.id)


async def read_pieces(database: Database, upload_id: str, what: What) -> AsyncIterator[bytes]:
    """The file or the workbook, a piece at a time; no connection is held between two."""
    number = 0
    while piece := await uploads.find_piece(database, upload_id=upload_id, what=what, number=number):
        yield piece
        number += 1


class ProblemPage(msgspec.Struct, frozen=True):
    """Some of the problems in the order of the file; `pages` counts all pages, `listed` all that can be turned to."""

    problems: list[Problem]
    page: int
    pages: int
    listed: int


async def list_problems(database: Database, upload: Upload, code: str | None, page: int, most: int) -> ProblemPage:
    """One page of the problems of a file, of one kind or of all; a page that is not there is the first."""
    listed = await uploads.count_listed(database, upload_id=upload.id, code=code)
    pages = max(1, -(-listed // most))
    page = page if 1 <= page <= pages else 1
    rows = await uploads.list_problems(database, upload_id=upload.id, code=code, most=most, skipped=(page - 1) * most)
    return ProblemPage([_read_problem(row) for row in rows], page, pages, listed)


async def find_example(database: Database, upload: Upload, code: str) -> list[Problem]:
    """The first few problems of one kind: what a conversion would make of them."""
    return (await list_problems(database, upload, code, 1, 3)).problems


async def erase_old(transaction: asyncpg.Connection, *, actor: Actor, now: datetime) -> int:
    """Erase what files held that came KEPT_FOR ago, a hundred at a time; says how many."""
    old = await uploads.lock_old_uploads(transaction, before=now - KEPT_FOR)
    for upload in old:
        await erase_upload(transaction, upload["id"])
        await uploads.mark_erased(transaction, upload_id=upload["id"], now=now)
        facts = {"unit": upload["unit_code"], "upload": upload["id"]}
        await write(transaction, actor, "exam.file_erased", ("exam", upload["exam_code"]), **facts)
    await uploads.remove_stranded(transaction, before=now - timedelta(hours=6))
    return len(old)


async def note_reading(
    transaction: asyncpg.Connection, exam: Exam, upload: Upload, what: Reading, actor: Actor
) -> None:
    """Somebody reads what names candidates: it stands on the record. Raises UploadErased when it is gone."""
    if upload.erased_at is not None:
        raise UploadErased
    await _note(transaction, actor, _READINGS[what], exam, upload.id)


def safe_name(name: str) -> str:
    """The name of a sent file as it may stand on a page and in a folder: no path, nothing that commands a terminal."""
    bare = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    bare = _UNFIT_FOR_A_NAME.sub("_", bare).strip(" .")
    stem, dot, ending = bare.rpartition(".")
    if len(bare) > _LONGEST_NAME:
        bare = f"{stem[: _LONGEST_NAME - 10]}{dot}{ending[:9]}" if dot else bare[:_LONGEST_NAME]
    return bare or "ket-qua"


async def erase_upload(transaction: asyncpg.Connection, upload_id: str) -> None:
    """Erase what a file held: itself, its workbook, its list of problems."""
    await uploads.remove_found(transaction, upload_id=upload_id)
    for what in ("file", "workbook"):
        await uploads.remove_pieces(transaction, upload_id=upload_id, what=what)


async def erase_early(
    transaction: asyncpg.Connection, exam: Exam, upload_id: str, *, actor: Actor, now: datetime
) -> None:
    """Erase what an imported file held before its time, for another one to have room."""
    await erase_upload(transaction, upload_id)
    await uploads.mark_erased(transaction, upload_id=upload_id, now=now)
    await _note(transaction, actor, "exam.file_erased", exam, upload_id)


async def _note(
    transaction: asyncpg.Connection, actor: Actor, action: Action, exam: Exam, upload_id: str, **details: Any
) -> None:
    await write(transaction, actor, action, ("exam", exam.code), unit=exam.unit.code, upload=upload_id, **details)


def _moved(done: str) -> None:
    if done == "UPDATE 0":
        raise UploadBusy


def _read(row: Any) -> Upload:
    facts = dict(row)
    facts["findings"] = row["findings"] and msgspec.json.decode(row["findings"], type=Findings)
    facts["refusal"] = row["refusal"] and msgspec.json.decode(row["refusal"], type=Refusal)
    return Upload(**facts)


def _read_problem(row: Any) -> Problem:
    facts = msgspec.json.decode(row["facts"])
    fault = Fault(row["code"], facts, row["suggestion"])
    return Problem(fault, row["row_number"], row["column_number"], row["heading"], row["cell"])
