"""How many files of an exam are kept: what is imported makes room, what is not an editor erases."""

from datetime import datetime

import asyncpg

from kit import sql
from kit.errors import DomainError
from lookup.exams import Exam
from lookup.score_uploads import erase_early
from units.record.entries import Actor

room = sql.load(__file__, "upload_room")

# The largest file five times over; files that nobody imports fill no disk.
MOST_BYTES = 2**30
MOST_FILES = 20


class TooManyFiles(DomainError):
    """The exam has as many files as are kept: some have to be erased or imported first."""

    code = "too_many_files"
    status = 409


async def make_room(transaction: asyncpg.Connection, exam: Exam, size: int, *, actor: Actor, now: datetime) -> None:
    """Erase imported files, the oldest first, as far as one of `size` bytes needs it. Raises TooManyFiles."""
    await room.lock_room(transaction, exam_code=exam.code)
    kept = await room.find_kept(transaction, exam_code=exam.code)
    over = kept["size"] + size - MOST_BYTES
    if kept["files"] < MOST_FILES and over > 0:
        for done in await room.list_imported(transaction, exam_code=exam.code):
            if over <= 0:
                break
            await erase_early(transaction, exam, done["id"], actor=actor, now=now)
            over -= done["file_size"]
    if kept["files"] >= MOST_FILES or over > 0:
        # What was erased in this transaction is back with it.
        raise TooManyFiles(exam=exam.code, most_files=MOST_FILES, most_gb=MOST_BYTES // 2**30)
