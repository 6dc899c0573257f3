"""See in the raw sheets what the fast reader does not tell: formulas without a good value, and empty sheets."""

import html
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO
from xml.etree import ElementTree as ET

_BLOCK = 2**20
# No cell with a formula is longer than this, its formula included (Excel allows 8,192 characters).
_LONGEST_CELL = 2**16
_MAIN = "{*}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>(.*?)</(?:\w+:)?c>", re.DOTALL)
_ERROR_TYPE = re.compile(rb"\bt=[\"']e[\"']")
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_VALUE = re.compile(rb"<(?:\w+:)?v>([^<]*)<")
_FORMULA = re.compile(rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>([^<]*)<)")
# A formula whose value is the empty text is stored like this, and that is a value.
_TEXT_TYPE = re.compile(rb"\bt=[\"']str[\"']")
_LONGEST_FORMULA = 60

DroppedCells = dict[int, dict[int, str]]


def sheet_parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part of the archive where each sheet lies, by the sheet's name."""
    relations = _parse(archive, "xl/_rels/workbook.xml.rels")
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    sheets = _parse(archive, "xl/workbook.xml").iterfind(f"{_MAIN}sheets/{_MAIN}sheet")
    return {
        sheet.get("name", ""): _absolute(targets.get(sheet.get(_RELATION) or sheet.get(_STRICT_RELATION), ""))
        for sheet in sheets
    }


def has_cells(archive: zipfile.ZipFile, part: str) -> bool:
    """Whether anything at all stands in the sheet, as far as its beginning tells."""
    try:
        with archive.open(part) as file:
            return re.search(rb"<(?:\w+:)?c[\s>]", file.read(_BLOCK)) is not None
    except KeyError:
        return False


def find_dropped_cells(archive: zipfile.ZipFile, part: str) -> DroppedCells:
    """Where the fast reader would see an empty cell: row (from 0), then column (from 0), then the text.

    The text is `#REF!` and its like, or the formula itself (`=C2+D2`) where the file holds no value for it.
    """
    found: DroppedCells = defaultdict(dict)
    with archive.open(part) as file:
        for attributes, content in _cells(file):
            text = _dropped_text(attributes, content)
            if text and (reference := _REFERENCE.search(attributes)):
                found[int(reference[2]) - 1][_column(reference[1])] = text
    return dict(found)


def _dropped_text(attributes: bytes, content: bytes) -> str | None:
    value = _VALUE.search(content)
    if _ERROR_TYPE.search(attributes):
        return value[1].decode() if value else "#ERROR"
    if value and (value[1] or _TEXT_TYPE.search(attributes)):
        return None
    formula = _FORMULA.search(content)
    return None if formula is None else _shown(formula[1] or b"")


def _shown(formula: bytes) -> str:
    """The formula as Excel shows it; one that is shared with another cell stands there only."""
    text = html.unescape(formula.decode(errors="replace"))
    return f"={text[:_LONGEST_FORMULA]}" if text else "=…"


def _cells(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    waiting = b""
    while block := file.read(_BLOCK):
        waiting += block
        end = 0
        for cell in _CELL.finditer(waiting):
            end = cell.end()
            yield cell[1], cell[2]
        waiting = waiting[max(end, len(waiting) - _LONGEST_CELL) :]


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _absolute(target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))


def _parse(archive: zipfile.ZipFile, part: str) -> ET.Element:
    return ET.fromstring(archive.read(part))  # noqa: S314 - in a process of bounded memory and time
