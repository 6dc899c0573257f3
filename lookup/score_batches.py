"""A batch of results on its way into the database: staged, compared with what is on record, stored.

All of it happens in one transaction of the caller, whose staging tables go with it.
"""

from collections.abc import AsyncIterable
from datetime import datetime

import asyncpg
import msgspec

from kit import sql
from lookup.exams import Exam
from lookup.score_changes import PaperChanges, read_changes
from lookup.score_columns import Layout
from lookup.score_problems import LISTED_ERRORS, Fault, Problem, Problems
from units.record.entries import Actor, write

score_import = sql.load(__file__, "score_import")

# As RowReader.lines writes them.
_STAGED_COLUMNS = (
    "row_number", "candidate_number", "scores", "marks", "total", "name", "birth_date", "pin_hash",
)  # fmt: skip
_ROWS_NAMED = 10
# Fewer are a small exam that was put right.
_MANY_CHANGES = 20


class Origin(msgspec.Struct, frozen=True):
    """Where a batch comes from: the file, and why it changes what is on record."""

    file_name: str
    file_sha256: str
    reason: str | None


class Comparison(msgspec.Struct, frozen=True):
    """How a file stands to what is on record: `new` candidates, `changed` results, `unchanged` ones.

    `released`: results of the exam were made public before, or are to be at a set moment. `papers`: what changes.
    """

    new: int
    changed: int
    unchanged: int
    on_record: int
    released: bool = False
    papers: list[PaperChanges] = []

    @property
    def counts(self) -> tuple[int, int, int]:
        """New, changed, unchanged."""
        return self.new, self.changed, self.unchanged

    @property
    def needs_reason(self) -> bool:
        """Whether somebody may have relied on what is on record; adding to what nobody has seen needs no reason."""
        return bool(self.changed or (self.new and self.released))


async def stage(
    connection: asyncpg.Connection, blocks: AsyncIterable[bytes], layout: Layout, problems: Problems
) -> int:
    """Copy rows in PostgreSQL's text format into `staged_results` and find who stands there twice; the row count."""
    await score_import.allow_more_memory(connection)
    await score_import.create_staged_results(connection)
    copied = await connection.copy_to_table(
        "staged_results", source=blocks, columns=_STAGED_COLUMNS, format="text", schema_name="pg_temp"
    )
    await score_import.analyze_staged_results(connection)
    if numbers := await score_import.count_twins(connection):
        twins = await score_import.list_twins(connection, most=LISTED_ERRORS)
        for twin in twins:
            problems.add(_twins(twin["candidate_number"], twin["row_numbers"], layout))
        problems.count_more("number_twice", numbers - len(twins))
    staged = int(copied.split()[-1])
    if not staged and not problems.errors:
        problems.add(Problem(Fault("no_rows")))
    return staged


def _twins(number: str, rows: list[int], layout: Layout) -> Problem:
    assert layout.number is not None
    named = ", ".join(map(str, rows[:_ROWS_NAMED])) + (", …" if len(rows) > _ROWS_NAMED else "")
    fault = Fault("number_twice", {"rows": named})
    return Problem(fault, rows[0], layout.number, layout.headings[layout.number], number)


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
    if found["changed"] >= _MANY_CHANGES and found["changed"] * 2 > on_record:
        facts = {"changed": found["changed"], "on_record": on_record}
        problems.add(Problem(Fault("most_results_change", facts)))
    unchanged = staged - found["new"] - found["changed"]
    released = await score_import.has_releases(connection, exam_code=exam.code)
    papers = read_changes(exam, await score_import.count_changed_papers(connection)) if found["changed"] else []
    return Comparison(found["new"], found["changed"], unchanged, on_record, released, papers)


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
    connection: asyncpg.Connection, exam: Exam, origin: Origin, found: Comparison, actor: Actor, now: datetime
) -> int:
    """Store what `compare` found new or changed as one batch, not public yet; returns the batch's id."""
    batch = await score_import.add_batch(
        connection,
        exam_code=exam.code,
        imported_at=now,
        file_name=origin.file_name,
        file_sha256=origin.file_sha256,
        reason=origin.reason,
        result_count=found.new + found.changed,
        uploaded_by=actor.officer_id,
    )
    await score_import.add_results(connection, exam_code=exam.code, batch_id=batch)
    # Not its name: whoever named it may have put a person's into it.
    facts = {"batch": batch, "file_sha256": origin.file_sha256, "new": found.new, "changed": found.changed}
    await write(connection, actor, "exam.uploaded", ("exam", exam.code), unit=exam.unit.code, **facts)
    return batch
