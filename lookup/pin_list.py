"""The list of lookup codes from which a unit prints letters to its candidates; the codes are derived anew each time."""

from collections.abc import Iterator

import asyncpg

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from lookup.exams import Exam
from lookup.pins import derive_pin

pin_list = sql.load(__file__, "pin_list")

HEADER = ("Số báo danh", "Họ và tên", "Mã tra cứu")


class NoPins(DomainError):
    """The exam's policy asks for no lookup code."""

    code = "no_pins"
    status = 409


async def list_pins(database: Database, exam: Exam, pin_key: bytes) -> Iterator[tuple[str, str, str]]:
    """Rows under HEADER, by candidate number. A code that came with a file is not known to us: its cell is empty.

    The codes are written in two halves, which spreadsheets keep as text. Raises NoPins.
    """
    if exam.policy != "pin":
        raise NoPins(exam=exam.code)
    rows = await pin_list.list_candidates(database, exam_code=exam.code)
    return ((row["candidate_number"], row["name"] or "", _code(row, exam, pin_key)) for row in rows)


def _code(row: asyncpg.Record, exam: Exam, pin_key: bytes) -> str:
    if row["has_own_pin"]:
        return ""
    pin = derive_pin(pin_key, exam.code, row["candidate_number"])
    return f"{pin[:5]}-{pin[5:]}"
