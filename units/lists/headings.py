"""Understand the headings of a file of units, and the words for their kinds."""

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kit.vietnamese import clean_cell, search_key
from units.lists.problems import Problem


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    column: dict[str, tuple[str, ...]]
    kind: dict[str, tuple[str, ...]]


_WORDS = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "columns.toml").read_text(encoding="utf-8")), _Words
)


def _key(text: str) -> str:
    """`Mã đơn vị`, `MA DON VI` and `mã_đơn-vị` are one."""
    return "".join(sign for sign in search_key(text) if sign.isalnum() or sign == "#")


_COLUMNS = {_key(spelling): role for role, spellings in _WORDS.column.items() for spelling in spellings}
_KINDS = {_key(spelling): kind for kind, spellings in _WORDS.kind.items() for spelling in spellings}
_SHOWN = {_key(spelling): spelling for spellings in _WORDS.column.values() for spelling in spellings}
_SHOWN_KINDS = {_key(spelling): spelling for spellings in _WORDS.kind.values() for spelling in spellings}


def count_headings(cells: list[str]) -> int:
    """How many cells of a row are understood."""
    return len({role for cell in cells if (role := _COLUMNS.get(_key(cell)))})


def find_kind(text: str) -> str | None:
    """The kind that the words mean; None for others."""
    return _KINDS.get(_key(text))


def nearest_kind(text: str) -> str | None:
    """The known word that looks most like the text."""
    return _nearest(text, _SHOWN_KINDS)


class Layout(msgspec.Struct, frozen=True):
    """Which column (from 0) holds what, and the headings as written."""

    headings: list[str]
    columns: dict[str, int]


def lay_out(cells: Sequence[str], row: int) -> tuple[Layout, list[Problem]]:
    """Arrange the headings of a row, with everything that is wrong with them."""
    headings, columns, problems = [clean_cell(cell)[0] for cell in cells], {}, []
    for column, heading in enumerate(headings):
        role = _COLUMNS.get(_key(heading))
        if not heading or role == "ignored":
            continue
        if role is None:
            problems.append(Problem("unknown_column", row, column, heading, suggestion=_nearest(heading, _SHOWN)))
        elif role in columns:
            problems.append(Problem("column_twice", row, column, heading, facts={"other": columns[role] + 1}))
        else:
            columns[role] = column
    if "code" not in columns:
        problems.append(Problem("code_column_missing", row))
    return Layout(headings, columns), problems


def _nearest(text: str, shown: dict[str, str]) -> str | None:
    close = difflib.get_close_matches(_key(text)[:50], shown, n=1)
    return shown[close[0]] if close else None
