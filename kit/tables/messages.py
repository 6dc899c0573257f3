"""What the process that reads a workbook tells the one that asked for it: MessagePack frames on a pipe."""

import struct
from typing import BinaryIO

import msgspec

from kit.tables.marks import CellMark

FRAME = struct.Struct(">I")
# Above this, a few huge cells are repeated many times over, which no list of people does.
LARGEST = 64 * 2**20


class Job(msgspec.Struct):
    """What to read and how much it may cost.

    `dropping_parts` are the sheets' parts with cells that the fast reader drops. With `sheet` that one sheet is
    offered only.
    """

    path: str
    memory_bytes: int
    seconds: int
    max_rows: int
    dropping_parts: list[str]
    sheet: str | None = None


class MarkingJob(msgspec.Struct):
    """Which sheet of which workbook to copy with marks, by row; `titles` are the header's cells."""

    source: str
    out: str
    sheet: str
    titles: list[str]
    memory_bytes: int
    seconds: int
    marks: dict[int, list[CellMark]]


class Head(msgspec.Struct, tag="head"):
    """The first rows of one sheet; the answer is `take SKIP`, with the number of rows to leave out, or `next`.

    `others` are the other visible sheets with anything in them.
    """

    sheet: str
    rows: list[list[str]]
    total_rows: int
    others: list[str]


class Rows(msgspec.Struct, tag="rows"):
    """Consecutive rows; `numeric` as in Chunk."""

    first: int
    rows: list[list[str]]
    numeric: dict[int, bytes]


class Failure(msgspec.Struct, tag="failure"):
    """Reading ended by what is wrong with the file: the code of a TableError."""

    code: str


class End(msgspec.Struct, tag="end"):
    """There are no more sheets, or no more rows of the one taken."""


Message = Head | Rows | Failure | End

_encoder = msgspec.msgpack.Encoder()


def send(out: BinaryIO, message: Message) -> None:
    """Write one frame: four bytes of length, then the message, or Failure instead of one that is too large."""
    payload = _encoder.encode(message)
    if len(payload) > LARGEST:
        payload = _encoder.encode(Failure("too_much_memory"))
    out.write(FRAME.pack(len(payload)))
    out.write(payload)
    out.flush()
