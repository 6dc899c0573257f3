"""Tell what a file is by its first bytes, because names lie: a PDF called .csv, a web page called .xls."""

from pathlib import Path
from typing import Literal

from kit.tables.problems import TableError

_SIGNATURES = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"{\\rtf": "a text document (.rtf)",
    b"SQLite format 3": "a database",
}
_MARKUP = (b"<!doctype", b"<html", b"<table", b"<head", b"<body", b"<meta", b"<style", b"<?xml", b"<div")
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
_LARGEST_SEARCHED = 100 * 2**20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(path: Path) -> Literal["csv", "xlsx"]:
    """Whether to read the file as a workbook or as text. Raises TableError for anything that is plainly neither.

    Any ZIP archive is a workbook here: `check_archive` looks closer.
    """
    start = _first_bytes(path)
    if start.startswith(_ZIP_SIGNATURES):
        return "xlsx"
    if start.startswith(_OLD_OFFICE):
        raise _old_office(path)
    for signature, title in _SIGNATURES.items():
        if start.startswith(signature):
            raise TableError("not_a_table", file=path.name, found=title)
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise TableError("other_workbook", file=path.name, found="a web page or XML under a table's name")
    return "csv"


def _first_bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise TableError("not_a_file", file=path.name or str(path))
        with path.open("rb") as file:
            start = file.read(512)
    except FileNotFoundError:
        raise TableError("missing", file=path.name) from None
    except PermissionError:
        raise TableError("unreadable", file=path.name) from None
    except (OSError, ValueError) as error:
        raise TableError("read_failed", file=path.name, reason=error) from None
    if not start:
        raise TableError("empty", file=path.name)
    return start


def _old_office(path: Path) -> TableError:
    """Old Excel and Word files and protected new ones share a container; stream names inside are UTF-16."""
    content = path.read_bytes() if path.stat().st_size <= _LARGEST_SEARCHED else b""
    if "EncryptedPackage".encode("utf-16-le") in content:
        return TableError("encrypted", file=path.name)
    if "WordDocument".encode("utf-16-le") in content:
        return TableError("not_a_table", file=path.name, found="a Word document")
    return TableError("other_workbook", file=path.name, found="an old Excel workbook (.xls)")
