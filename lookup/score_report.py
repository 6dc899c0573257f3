"""Give a department its result file back with every mistake marked, in its own language."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from kit.tables import CellMark, LegacyExample, Table, check_annotated, write_annotated
from lookup.score_problems import MESSAGES, Problem


def check_report(source: Path, out: Path) -> None:
    """Raise TableError for a report that would overwrite the file it is about, or that Excel would not open."""
    check_annotated(source, out)


def write_report(
    table: Table, problems: Sequence[Problem], unlisted: int, conversions: Sequence[LegacyExample], out: Path
) -> None:
    """Write the annotated workbook; above 20,000 rows it holds the bad rows only. Raises TableError.

    `unlisted` problems were counted only, and the workbook says so; `conversions` show names before and after.
    """
    write_annotated(table, out, _marks(table, problems, unlisted, conversions))


def _marks(
    table: Table, problems: Sequence[Problem], unlisted: int, conversions: Sequence[LegacyExample]
) -> Iterator[CellMark]:
    if unlisted:
        yield CellMark(table.header.row, None, MESSAGES["list_is_cut"].vi.format(count=unlisted))
    for problem in problems:
        # What concerns the file as a whole stands at its headings.
        row = problem.row or table.header.row
        yield CellMark(row, problem.column, problem.sentence("vi", hint=False), problem.fault.suggestion)
    for example in conversions:
        message = MESSAGES["text_converted"].vi.format(before=example.before, after=example.after)
        yield CellMark(example.row, example.column, message, example.after)
