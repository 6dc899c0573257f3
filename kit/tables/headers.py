"""Find the heading row below the titles that departments put above their tables."""

import msgspec

from kit import legacy_text
from kit.legacy_text import Charset
from kit.tables.table import Header, IsHeader

HEAD_ROWS = 30
# One recognised cell may be a word in a title ("Điểm thi ... Toán"); two side by side are a heading.
ENOUGH = 2
# A wider row is no heading that a person wrote; looking at a million cells one by one would take half a minute.
MOST = 500


class Found(msgspec.Struct, frozen=True):
    """The best candidate for the header; `position` counts from 0 among the rows looked at."""

    score: int
    position: int
    cells: list[str]
    charset: Charset | None


def best_header(head: list[list[str]], is_header: IsHeader, convert: Charset | None) -> Found | None:
    """The row with the highest score, the upper one of equals, as written or else converted; None below two."""
    best: Found | None = None
    for position, row in enumerate(head):
        if len(row) > MOST and len(_trimmed(row)) > MOST:
            continue
        for charset in (None, convert) if convert else (None,):
            cells = _trimmed([legacy_text.convert(cell, charset) for cell in row] if charset else row)
            score = is_header(cells) if len(cells) >= ENOUGH else 0
            if score >= ENOUGH and (best is None or score > best.score):
                best = Found(score, position, cells, charset)
    return best


def legacy_charset(head: list[list[str]], is_header: IsHeader) -> Charset | None:
    """The old font in which the heading would be understood, if any."""
    found = (best_header(head, is_header, charset) for charset in legacy_text.CHARSETS)
    best = max((one for one in found if one is not None), key=lambda one: one.score, default=None)
    return best.charset if best else None


def as_header(found: Found, first_row: int = 1) -> Header:
    return Header(row=first_row + found.position, cells=found.cells)


def _trimmed(row: list[str]) -> list[str]:
    width = len(row)
    while width and not row[width - 1].strip():
        width -= 1
    return row[:width]
