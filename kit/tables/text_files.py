"""Read text as departments save it: UTF-8, UTF-16, or an old Windows code page."""

import codecs
import unicodedata
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import msgspec

from kit import legacy_text
from kit.tables.problems import TableError

_BLOCK = 2**20
# Sixty letters in each of Excel's 16,384 columns. Without a bound one endless line would fill the memory.
LONGEST_RECORD = 2**20
_SAMPLE_LINES = 2000
_LONGEST_SAMPLE_LINE = 2**16
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NO_TEXT = bytes(set(range(32)) - set(b"\t\n\r\f"))


class RecordTooLong(ValueError):
    """A line, or the lines of one record, are longer than any row of a table."""


class TextFile(msgspec.Struct, frozen=True):
    """A text file whose bytes are known to be valid in `encoding` from the first to the last."""

    path: Path
    encoding: str


def recognise_encoding(path: Path) -> TextFile:
    """Find out the encoding by reading the whole file once. Raises TableError for what is not text or was cut off."""
    with path.open("rb") as file:
        start = file.read(_BLOCK)
    encoding = _by_bom(start) or _by_nul_pattern(start)
    if encoding:
        if (line := _first_bad_line(path, encoding)) is not None:
            raise _broken(path, line, encoding)
    else:
        encoding = "utf-8" if _first_bad_line(path, "utf-8") is None else _single_byte(path, start)
    return TextFile(path, encoding)


class Lines:
    """The lines of an open file with their ends; composed (NFC) where the code page stores tones apart.

    `taken` counts the characters handed out; whoever reads sets it back where a record begins. Raises RecordTooLong.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._lines = TextIOWrapper(file, encoding=encoding, newline="")
        self._composes = encoding == "cp1258"
        self.taken = 0

    def __iter__(self) -> Iterator[str]:
        """One by one, and never more of one than a record may have."""
        for line in iter(partial(self._lines.readline, LONGEST_RECORD), ""):
            self.taken += len(line)
            if self.taken >= LONGEST_RECORD:
                raise RecordTooLong
            yield unicodedata.normalize("NFC", line) if self._composes else line


def open_lines(text: TextFile) -> tuple[BinaryIO, Lines]:
    """The open file, and its lines."""
    file = text.path.open("rb", buffering=_BLOCK)
    return file, Lines(file, text.encoding)


def _by_bom(start: bytes) -> str | None:
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return None
    return next((encoding for bom, encoding in _BOMS.items() if start.startswith(bom)), None)


def _by_nul_pattern(start: bytes) -> str | None:
    """UTF-16 without its mark: digits and delimiters have a zero in every second byte, always on the same side."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if max(even, odd) <= len(start) // 8 or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_bad_line(path: Path, encoding: str) -> int | None:
    """The number of the first line with bytes that are not valid, None when all are."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            try:
                characters = decoder.decode(block)
            except UnicodeDecodeError as error:
                return line + error.object[: error.start].count(b"\n")
            if "\0" in characters:
                raise _not_text(path)
            line += characters.count("\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _single_byte(path: Path, start: bytes) -> str:
    """Choose between the Windows code page and the old fonts by which reading gives Vietnamese syllables.

    Old fonts are read as Latin-1, which keeps every byte, so that their text can still be converted.
    """
    if start.translate(None, _NO_TEXT) != start:
        raise _not_text(path)
    lines = list(_lines_beyond_ascii(path))
    if 2 * sum(map(_is_utf8, lines)) >= len(lines):
        raise _broken(path, _first_bad_line(path, "utf-8") or 1, "utf-8")
    latin = [word for line in lines for word in legacy_text.strange_words(line.decode("latin-1"))]
    old_font = max(legacy_text.syllable_share(latin, charset) for charset in legacy_text.CHARSETS)
    if _first_bad_line(path, "cp1258") is not None:
        if old_font:
            return "latin-1"
        raise _not_text(path)
    composed = [word for line in lines for word in legacy_text.strange_words(line.decode("cp1258"))]
    return "latin-1" if old_font > legacy_text.syllable_share(composed) else "cp1258"


def _lines_beyond_ascii(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        lines = iter(lambda: file.readline(_LONGEST_SAMPLE_LINE), b"")
        yield from islice((line for line in lines if not line.isascii()), _SAMPLE_LINES)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _broken(path: Path, line: int, encoding: str) -> TableError:
    title = "UTF-16" if "16" in encoding else "UTF-8"
    return TableError("broken_encoding", file=path.name, line=line, encoding=title)


def _not_text(path: Path) -> TableError:
    return TableError("not_text", file=path.name)
