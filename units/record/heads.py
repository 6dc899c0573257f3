"""Where the chain ended, told outside the database: whoever cuts it off cannot cut that off as well."""

import os
from datetime import datetime
from pathlib import Path

import msgspec
import structlog

from kit.errors import UsageError
from kit.sql import Database
from units.record.sealer import find_head

log = structlog.get_logger()

FILE = "record-heads.jsonl"
_TAIL = 4096


class ExportedHead(msgspec.Struct, frozen=True):
    """A line of the file: a batch, its last number, its root in hexadecimal digits, when it was sealed."""

    batch: int
    number: int
    root: str
    sealed_at: datetime


async def current_head(database: Database) -> ExportedHead | None:
    """Where the chain ends now; None before the first batch."""
    head = await find_head(database)
    return ExportedHead(head.batch, head.number, head.root.hex(), head.sealed_at) if head else None


async def export_head(database: Database, folder: Path) -> ExportedHead | None:
    """Append where the chain ends to `record-heads.jsonl` in `folder`, unless that is its last line; log it too."""
    exported = await current_head(database)
    if exported is None:
        return None
    line = msgspec.json.encode(exported) + b"\n"
    if not _append(folder / FILE, line):
        return None
    log.info("record_head", batch=exported.batch, number=exported.number, root=exported.root)
    return exported


def read_heads(file: Path) -> list[ExportedHead]:
    """The lines of such a file; none when there is no file. Raises UsageError for a line that is no head."""
    try:
        lines = file.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}.") from None
    # What a power cut tore has no end.
    return [_read(line, file, number) for number, line in enumerate(lines, start=1) if line.endswith(b"\n")]


def _read(line: bytes, file: Path, number: int) -> ExportedHead:
    try:
        return msgspec.json.decode(line, type=ExportedHead)
    except msgspec.DecodeError:
        raise UsageError(f"{file}: line {number} is no head of the record. Was the file changed?") from None


def _append(file: Path, line: bytes) -> bool:
    """Add the line, unless it is the last one; says whether it was added. It has reached the disk then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
        if tail.endswith(line):
            return False
        whole = tail.rfind(b"\n") + 1
        # A torn line gives way.
        end = size - len(tail) + whole
        os.ftruncate(descriptor, end)
        os.pwrite(descriptor, line, end)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True
