"""Small result files as departments send them, and what an import makes of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import asyncpg
import xlsxwriter

from lookup.exams import Exam
from lookup.score_import import ImportOptions, ImportSummary, import_scores
from server.embedded.postgres import EmbeddedPostgres
from tests.conftest import on_database
from tests.people import MORNING


class Files:
    """Imports text as a file of one test; keeps the last summary."""

    def __init__(self, connection, folder: Path, pin_key: bytes = b"k" * 32) -> None:
        self._connection, self._folder, self._pin_key = connection, folder, pin_key

    async def send(self, exam: Exam, text: str | bytes, name: str = "diem.csv", **options) -> ImportSummary:
        path = self._folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return await self.send_path(exam, path, **options)

    async def send_workbook(self, exam: Exam, rows: list[list[object]], **options) -> ImportSummary:
        path = self._folder / "diem.xlsx"
        with xlsxwriter.Workbook(path) as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        return await self.send_path(exam, path, **options)

    async def send_path(self, exam: Exam, path: Path, progress=None, **options) -> ImportSummary:
        return await import_scores(
            self._connection, exam, path, options=ImportOptions(**options), now=MORNING, pin_key=self._pin_key,
            progress=progress,
        )  # fmt: skip

    async def stored(self, exam: Exam) -> dict[str, dict[str, object]]:
        """The last version of each result: score or mark by `code` or `code/variant`, with total, name, birth date."""
        rows = await self._connection.fetch(
            "select distinct on (candidate_number) * from lookup.results where exam_code = $1"
            " order by candidate_number, version desc",
            exam.code,
        )
        return {row["candidate_number"]: _by_name(exam, row) for row in rows}

    async def versions(self, exam: Exam) -> list[tuple[str, int, str | None]]:
        """Every version on record: number, version, reason of its batch."""
        rows = await self._connection.fetch(
            "select r.candidate_number, r.version, b.reason"
            " from lookup.results r join lookup.batches b on b.id = r.batch_id"
            " where r.exam_code = $1 order by r.candidate_number, r.version",
            exam.code,
        )
        return [tuple(row) for row in rows]


@asynccontextmanager
async def own_database(postgres: EmbeddedPostgres, template: str, name: str) -> AsyncIterator[asyncpg.Connection]:
    """A migrated database for a whole module, as the run-time role sees it."""
    superuser = await asyncpg.connect(on_database(postgres.owner_url, "postgres"), user="postgres")
    await superuser.execute(f"create database {name} template {template} owner baodanh_owner")
    connection = await asyncpg.connect(on_database(postgres.runtime_url, name))
    yield connection
    await connection.close()
    await superuser.execute(f"drop database {name}")
    await superuser.close()


def _by_name(exam: Exam, row) -> dict[str, object]:
    found: dict[str, object] = {}
    assert len(row["scores"]) == len(exam.subjects)
    for subject, score, mark in zip(
        exam.subjects, row["scores"], row["marks"] or [None] * len(row["scores"]), strict=True
    ):
        assert score is None or mark is None
        if score is not None or mark is not None:
            found[f"{subject.code}/{subject.variant}".rstrip("/")] = mark or score
    for detail in ("total", "name", "birth_date"):
        if row[detail] is not None:
            found[detail] = row[detail]
    return found


def points(text: str) -> Decimal:
    return Decimal(text)


def told(summary: ImportSummary) -> list[tuple[int | None, str, str]]:
    """The problems as (row, code, suggestion)."""
    return [(problem.row, problem.code, problem.fault.suggestion or "") for problem in summary.problems]
