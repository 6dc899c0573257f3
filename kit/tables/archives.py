"""Look into a workbook's archive before anything opens it: 30 MB may unpack to terabytes, and say that they do not."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kit.tables.problems import TableError
from kit.tables.table import Limits

_BLOCK = 2**18
_MOST_ENTRIES = 5000
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1
_ERROR_CELL = (b't="e"', b"t='e'")
_FORMULA_WITHOUT_VALUE = re.compile(
    rb"<(?:/(?:\w+:)?f|(?:\w+:)?f\s[^<>]*/)>\s*(?:<(?:\w+:)?v\s*/>\s*|<(?:\w+:)?v>\s*</(?:\w+:)?v>\s*)?</(?:\w+:)?c>"
)
# Enough for what ends a cell.
_OVERLAP = 512
_MiB = 2**20
# The end of the directory: signature and counts skipped, its size, its place, the length of a comment.
_END = struct.Struct("<12xIIH")
_LONGEST_END = 22 + 2**16
_LOCATOR = 20
_LARGEST_DIRECTORY = 2**20


def check_archive(path: Path, limits: Limits) -> list[str]:
    """The names of the sheets' parts with cells that the fast reader would drop.

    Those hold formula errors such as `#REF!`, or formulas whose value nobody has worked out.

    Raises TableError when the file, or what it unpacks to, is larger than the limits or is not what it says. Every
    entry is really unpacked, block by block, because the sizes in the archive's directory are only claims.
    """
    size = path.stat().st_size
    if size > limits.max_file_bytes:
        facts = {"size_mb": -(-size // _MiB), "limit_mb": limits.max_file_bytes // _MiB}
        raise TableError("too_large", file=path.name, **facts)
    try:
        with path.open("rb") as file:
            _refuse_large_directory(file, size)
            with zipfile.ZipFile(file) as archive:
                _refuse_other_kinds(path, set(archive.namelist()))
                return _unpack_all(path, archive.infolist(), file, limits)
    except TableError:
        raise
    except Exception:  # noqa: BLE001 - a hostile archive finds ways of failing that zipfile does not list
        raise TableError("damaged", file=path.name) from None


def _refuse_large_directory(file: BinaryIO, size: int) -> None:
    """Each entry becomes an object in zipfile, so half a million empty ones would take hundreds of megabytes."""
    file.seek(max(0, size - _LONGEST_END))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    end = _END.unpack_from(tail, at)
    # Nothing of this size needs the directory for archives above 4 GB, in which other numbers would count.
    needs_zip64 = tail[max(0, at - _LOCATOR) : at].startswith(b"PK\x06\x07")
    if at < 0 or needs_zip64 or end[0] > _LARGEST_DIRECTORY or at + _END.size + end[2] != len(tail):
        raise zipfile.BadZipFile


def _refuse_other_kinds(path: Path, names: set[str]) -> None:
    if "xl/workbook.bin" in names:
        raise TableError("other_workbook", file=path.name, found="a binary Excel workbook (.xlsb)")
    if "content.xml" in names:
        raise TableError("other_workbook", file=path.name, found="an OpenDocument file (.ods)")
    if "word/document.xml" in names:
        raise TableError("not_a_table", file=path.name, found="a Word document")
    if "[Content_Types].xml" not in names:
        raise TableError("not_a_table", file=path.name, found="a ZIP archive")


def _unpack_all(path: Path, entries: list[zipfile.ZipInfo], file: BinaryIO, limits: Limits) -> list[str]:
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > limits.max_unpacked_bytes:
        raise TableError("too_large_unpacked", file=path.name, limit_mb=limits.max_unpacked_bytes // _MiB)
    to_look_at: list[str] = []
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise TableError("encrypted", file=path.name)
        is_sheet = entry.filename.startswith("xl/worksheets/")
        size, drops_cells = _measure(_unpacked(entry, file), entry.file_size, is_sheet=is_sheet)
        if size != entry.file_size:
            raise TableError("damaged", file=path.name)
        if drops_cells:
            to_look_at.append(entry.filename)
    return to_look_at


def _measure(blocks: Iterator[bytes], claimed: int, *, is_sheet: bool) -> tuple[int, bool]:
    """The size, or one past what was claimed, and whether it is a sheet with cells that the fast reader drops."""
    size, tail, drops_cells = 0, b"", False
    for block in blocks:
        size += len(block)
        if size > claimed:
            break
        if is_sheet and not drops_cells:
            seen = tail + block
            drops_cells = _has_dropped_cells(seen)
            tail = seen[-_OVERLAP:]
    return size, drops_cells


def _has_dropped_cells(text: bytes) -> bool:
    if any(mark in text for mark in _ERROR_CELL):
        return True
    has_formulas = b"<f" in text or b":f" in text or b"/f>" in text
    return has_formulas and _FORMULA_WITHOUT_VALUE.search(text) is not None


def _unpacked(entry: zipfile.ZipInfo, file: BinaryIO) -> Iterator[bytes]:
    """The entry's real content, however long it claims to be. zipfile itself would stop at the claimed size."""
    file.seek(entry.header_offset)
    header = file.read(_LOCAL_HEADER)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    file.seek(entry.header_offset + _LOCAL_HEADER + names)
    if entry.compress_type == zipfile.ZIP_STORED:
        yield from _packed(entry, file)
        return
    if entry.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for block in _packed(entry, file):
        waiting = block
        while waiting:
            yield inflater.decompress(waiting, _BLOCK)
            waiting = inflater.unconsumed_tail
    yield inflater.flush()


def _packed(entry: zipfile.ZipInfo, file: BinaryIO) -> Iterator[bytes]:
    left = entry.compress_size
    while left and (block := file.read(min(_BLOCK, left))):
        left -= len(block)
        yield block
