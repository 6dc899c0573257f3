"""`baodanh exam`: set exams up and list them."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Literal

import asyncpg
from cyclopts import App
from rich.console import Console
from rich.table import Table

from kit.clock import VIETNAM, parse_moment, utc_now
from kit.errors import UsageError
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind, read_subjects_file
from lookup.exams import Exam, Regrade, add_exam, list_exams
from server.running.service import connect
from server.settings import load_settings
from units.units import Unit, UnitNotFound, list_units, root_unit_code

app = App(name="exam", help="Exams whose results can be looked up.")


@app.command
def add(
    code: str,
    *,
    name: str,
    year: int,
    policy: Literal["public", "birth-date", "pin"],
    kind: str = "thpt",
    unit: str | None = None,
    name_en: str = "",
    subjects: Path | None = None,
    number_format: str | None = None,
    show_name: bool = False,
    announced: str | None = None,
    regrade_from: str = "",
    regrade_to: str = "",
    regrade_where: str = "",
    regrade_fee: str = "",
) -> None:
    """Set an exam up: its kind brings papers, steps and number format.

    Parameters
    ----------
    policy
        `public`: whoever knows a number sees its scores, so opening the exam publishes them. `birth-date`: the number
        and the birth date; worth about ten bits, so guessing is slow, bounded and seen, not impossible. `pin`: the
        number and a lookup code; guessing is hopeless.
    unit
        Who owns the exam; the root unit unless said.
    subjects
        A CSV, XLSX or TOML file of papers in place of the kind's own.
    number_format
        9 is a digit, A a letter: 99999999 is eight digits; several are joined by |.
    announced
        The announced moment (2026-07-01T08:00): the page counts down to it. Results open by `scores release` alone.
    show_name
        Show the candidate's name with the result; never under `public`.
    """
    known, moment = exam_kind(kind), parse_moment(announced) if announced else None
    regrade = Regrade(regrade_from, regrade_to, regrade_where, regrade_fee)

    async def store() -> None:
        async with connect(load_settings(os.environ)) as connection:
            owner = unit or await root_unit_code(connection)
            exam = Exam(
                code=code,
                unit=await _find_unit(connection, owner),
                name=name,
                name_en=name_en,
                year=year,
                kind=kind,
                policy=policy,
                number_format=_number_format(number_format or known.number_format),
                subjects=read_subjects_file(subjects) if subjects else known.subjects,
                total_rule=known.total_rule,
                regrade=regrade if any((regrade_from, regrade_to, regrade_where, regrade_fee)) else None,
                show_name=show_name,
                withdrawn_generation=0,
                releases=(),
                announced_at=moment,
            )
            await add_exam(connection, exam, utc_now())

    asyncio.run(store())
    print(f"Exam {code} is there. Next: baodanh scores import FILE --exam {code}")
    if policy == "public":
        print("Policy public: releasing it publishes the scores of every candidate number.")


@app.command(name="list")
def list_all() -> None:
    """One exam a line: code, state, policy, kind, year, opens at, unit, name."""

    async def read() -> list[Exam]:
        async with connect(load_settings(os.environ)) as connection:
            return await list_exams(connection)

    rows = [_row(exam) for exam in asyncio.run(read())]
    if not sys.stdout.isatty():
        for row in rows:
            print(*row, sep="\t")
        return
    table = Table("code", "state", "policy", "kind", "year", "opens at", "unit", "name", box=None)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def _row(exam: Exam) -> tuple[str, ...]:
    opens_at = exam.opens_at.astimezone(VIETNAM).isoformat(timespec="seconds") if exam.opens_at else "-"
    return (
        exam.code, exam.state(utc_now()), exam.policy, exam.kind, str(exam.year), opens_at, exam.unit.code, exam.name,
    )  # fmt: skip


async def _find_unit(connection: asyncpg.Connection, code: str) -> Unit:
    for unit in await list_units(connection):
        if unit.code == code:
            return unit
    raise UnitNotFound(unit=code)


def _number_format(mask: str) -> str:
    try:
        return CandidateNumberFormat.parse(mask).mask
    except ValueError as problem:
        raise UsageError(str(problem)) from None
