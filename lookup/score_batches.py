"""A batch of results on its way into the database: staged, compared with what is on record, stored.

All of it happens in one transaction of the caller, whose staging tables go with it.
"""

from collections.abc import AsyncIterable
from datetime import datetime

import asyncpg
import msgspec

from kit import sql
from lookup.exams import Exam
from lookup.score_columns import Layout
from lookup.score_problems import LISTED_ERRORS, Fault, Problem, Problems

score_import = sql.load(__file__, "score_import")

# As RowReader.lines writes them.
_STAGED_COLUMNS = (
    "row_number", "candidate_number", "scores", "marks", "total", "name", "birth_date", "pin_hash",
)  # fmt: skip
_ROWS_NAMED = 10


class Comparison(msgspec.Struct, frozen=True):
    """How a file stands to what is on record: `new` candidates, `changed` results, `unchanged` ones."""

    new: int
    changed: int
    unchanged: int
    on_record: int


async def stage(connection: asyncpg.Connection, blocks: AsyncIterable[bytes], problems: Problems) -> int:
    """Copy rows in PostgreSQL's text format into `staged_results` and find who stands there twice; the row count."""
    await score_import.allow_more_memory(connection)
    await score_import.create_staged_results(connection)
    copied = await connection.copy_to_table(
        "staged_results", source=blocks, columns=_STAGED_COLUMNS, format="text", schema_name="pg_temp"
    )
    await score_import.analyze_staged_results(connection)
    if rows := await score_import.count_rows_of_twins(connection):
        twins = await score_import.list_twins(connection, most=LISTED_ERRORS)
        listed = [problem for twin in twins for problem in _twins(twin["candidate_number"], twin["row_numbers"])]
        for problem in listed:
            problems.add(problem)
        problems.count_more("number_twice", rows - len(listed))
    staged = int(copied.split()[-1])
    if not staged and not problems.errors:
        problems.add(Problem(Fault("no_rows")))
    return staged


def _twins(number: str, rows: list[int]) -> list[Problem]:
    named = ", ".join(map(str, rows[:_ROWS_NAMED])) + (", …" if len(rows) > _ROWS_NAMED else "")
    fault = Fault("number_twice", {"rows": named})
    return [Problem(fault, row, None, "", number) for row in rows]


async def compare(
    connection: asyncpg.Connection, exam: Exam, layout: Layout, staged: int, problems: Problems
) -> Comparison:
    """How the `staged` rows stand to what is on record; nobody else imports for this exam until the transaction ends.

    A column that the file does not have is a problem where it would take scores or totals away; names, birth dates and
    pins stay as they are on record.
    """
    await score_import.avoid_nested_loops(connection)
    await score_import.lock_import(connection, exam_code=exam.code)
    await score_import.create_latest_results(connection)
    on_record = await score_import.gather_latest_results(connection, exam_code=exam.code)
    if not on_record:
        return Comparison(new=staged, changed=0, unchanged=0, on_record=0)
    await _find_lost_columns(connection, exam, layout, problems)
    await score_import.keep_details(
        connection,
        keep_names=not layout.names,
        keep_birth_dates=layout.birth_date is None,
        keep_pins=layout.pin is None,
    )
    found = await score_import.count_changes(connection)
    return Comparison(found["new"], found["changed"], staged - found["new"] - found["changed"], on_record)


async def _find_lost_columns(connection: asyncpg.Connection, exam: Exam, layout: Layout, problems: Problems) -> None:
    covered = layout.covered(exam)
    missing = [subject.position for subject in exam.subjects if subject.position not in covered]
    for lost in await score_import.list_lost_papers(connection, positions=missing):
        subject = exam.subjects[lost["position"] - 1]
        problems.add(Problem(Fault("columns_missing", {"subject": subject.name, "count": lost["candidates"]})))
    rule = exam.total_rule
    if rule and not rule.coefficients and layout.total is None:
        lost_totals = await score_import.count_lost_totals(connection)
        if lost_totals:
            problems.add(Problem(Fault("columns_missing", {"subject": rule.name, "count": lost_totals})))


async def store(
    connection: asyncpg.Connection,
    exam: Exam,
    file_name: str,
    file_sha256: str,
    reason: str | None,
    found: Comparison,
    now: datetime,
) -> int:
    """Store what `compare` found new or changed as one batch, not public yet; returns the batch's id."""
    batch = await score_import.add_batch(
        connection,
        exam_code=exam.code,
        imported_at=now,
        file_name=file_name,
        file_sha256=file_sha256,
        reason=reason,
        result_count=found.new + found.changed,
    )
    await score_import.add_results(connection, exam_code=exam.code, batch_id=batch)
    return batch
