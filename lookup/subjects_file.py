"""Read the papers of an exam that differ from its kind's own: one row a paper, as CSV, XLSX or TOML."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, get_args

import msgspec

from kit.errors import UsageError
from kit.tables import open_table
from lookup.spellings import Spellings
from lookup.subjects import SUBJECT_NAMES, Subject, SubjectType, recognise_subject

_COLUMNS = {
    "code": ("Mã", "Mã môn"),
    "variant": ("Biến thể",),
    "name": ("Tên", "Tên môn", "Môn"),
    "name_en": ("Tên tiếng Anh", "English name"),
    "type": ("Loại",),
    "decimals": ("Số chữ số thập phân",),
    "step": ("Bước", "Bước điểm"),
    "lowest": ("Thấp nhất", "Điểm thấp nhất"),
    "highest": ("Cao nhất", "Điểm cao nhất", "Thang điểm"),
}
_HEADINGS = Spellings((text, column) for column, spellings in _COLUMNS.items() for text in (column, *spellings))
_CODE = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_MOST_DECIMALS = 3


def read_subjects_file(path: Path) -> tuple[Subject, ...]:
    """The papers in the order of the file; an empty cell means what is known of the subject, or 0 to 10 by hundredths.

    Columns: code, variant, name, name_en, type (score, grade, prize, outcome), decimals, step, lowest, highest. In
    TOML the rows are `[[subject]]` tables. Raises UsageError, which names every mistake with its row.
    """
    rows = list(_toml_rows(path) if path.suffix.lower() == ".toml" else _table_rows(path))
    mistakes: list[str] = []
    subjects = [
        subject
        for position, (where, row) in enumerate(rows, 1)
        if (subject := _read_subject(position, where, row, mistakes)) is not None
    ]
    seen: dict[tuple[str, str], int] = {}
    for subject in subjects:
        first = seen.setdefault((subject.code, subject.variant), subject.position)
        if first != subject.position:
            mistakes.append(f"{rows[subject.position - 1][0]}: {subject.code} stands there twice.")
    if not rows:
        mistakes.append("it names no paper.")
    if mistakes:
        raise UsageError(f"{path.name} cannot be used:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    return tuple(subjects)


def _table_rows(path: Path) -> Iterable[tuple[str, Mapping[str, str]]]:
    with open_table(path, lambda cells: len([cell for cell in cells if _HEADINGS.find(cell)])) as table:
        columns = {column: i for i, cell in enumerate(table.header.cells) if (column := _HEADINGS.find(cell))}
        if "code" not in columns and "name" not in columns:
            raise UsageError(f"{path.name} needs a column `code`; it has {', '.join(table.header.cells)}.")
        for chunk in table.chunks():
            for number, row in zip(chunk.numbers, chunk.rows, strict=True):
                yield f"row {number}", {column: row[i].strip() for column, i in columns.items()}


def _toml_rows(path: Path) -> Iterable[tuple[str, Mapping[str, str]]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
        entries = msgspec.convert(document, dict[str, list[dict[str, Any]]])["subject"]
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path.name} is not valid TOML: {error}.") from None
    except (msgspec.ValidationError, KeyError):
        raise UsageError(f"{path.name} needs its papers as [[subject]] tables.") from None
    for number, entry in enumerate(entries, 1):
        yield f"subject {number}", {key: str(value) for key, value in entry.items()}


def _read_subject(position: int, where: str, row: Mapping[str, str], mistakes: list[str]) -> Subject | None:
    before = len(mistakes)
    mistakes += [
        f"{where}: {column!r} is no column. Columns: {', '.join(_COLUMNS)}." for column in row.keys() - _COLUMNS
    ]
    code, variant = _code_of(row)
    if not _CODE.fullmatch(code):
        mistakes.append(f"{where}, code: {code!r} is no code; write small letters, digits and _, as in ngu_van.")
    known = SUBJECT_NAMES.get(code)
    names = known.named(variant) if known and variant in ("", *known.variants) else known
    name = row.get("name") or (names.name if names else "")
    if not name:
        mistakes.append(f"{where}, name: {code!r} is no known subject, so it needs a name.")
    scale = _read_scale(where, row, mistakes)
    subject_type = _field(where, row, "type", _type, known.type if known else "score", mistakes)
    if len(mistakes) > before:
        return None
    name_en = row.get("name_en") or (names.name_en if names else name)
    return Subject(position, code, variant, name, name_en, subject_type, *scale)


def _read_scale(where: str, row: Mapping[str, str], mistakes: list[str]) -> tuple[int, Decimal, Decimal, Decimal]:
    """Decimals, step, lowest, highest."""
    decimals = _field(where, row, "decimals", _decimals, 2, mistakes)
    step = _field(where, row, "step", _number, Decimal(1).scaleb(-decimals), mistakes)
    lowest = _field(where, row, "lowest", _number, Decimal(0), mistakes)
    highest = _field(where, row, "highest", _number, Decimal(10), mistakes)
    if lowest >= highest:
        mistakes.append(f"{where}, highest: {highest} is not above the lowest score, {lowest}.")
    if step <= 0 or step != round(step, decimals):
        mistakes.append(f"{where}, step: {step} is not a step of scores with {decimals} decimals.")
    return decimals, step, lowest, highest


def _field(
    where: str, row: Mapping[str, str], column: str, read: Callable[[str], Any], default: Any, mistakes: list[str]
) -> Any:
    try:
        return read(row[column]) if row.get(column) else default
    except (ValueError, InvalidOperation):
        mistakes.append(f"{where}, {column}: {row[column]!r} is not understood.")
        return default


def _code_of(row: Mapping[str, str]) -> tuple[str, str]:
    """The code as written; without one, that of the subject whose name stands there."""
    if row.get("code"):
        return row["code"], row.get("variant", "")
    return recognise_subject(row.get("name", "")) or (row.get("name", ""), "")


def _number(text: str) -> Decimal:
    number = Decimal(text.replace(",", "."))
    if not number.is_finite() or abs(number) >= 10_000:  # noqa: PLR2004 - what the column holds
        raise ValueError(text)
    return number


def _decimals(text: str) -> int:
    decimals = int(text)
    if not 0 <= decimals <= _MOST_DECIMALS:
        raise ValueError(text)
    return decimals


def _type(text: str) -> SubjectType:
    if text not in get_args(SubjectType):
        raise ValueError(text)
    return text  # type: ignore[return-value]
