"""`baodanh exam`: set exams up and list them."""

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import asyncpg
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from kit.clock import VIETNAM, parse_moment, utc_now
from kit.errors import UsageError
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind, read_subjects_file
from lookup.exam_rates import read_rate, set_rates
from lookup.exam_setup import add_exam, describe_exam, remove_exam
from lookup.exams import RATES, Exam, Policy, Regrade, list_exams
from server.running.service import connect
from server.settings import load_settings
from units.units import Unit, UnitNotFound, list_units, root_unit_code

app = App(name="exam", help="Exams whose results can be looked up.")

# Written in place of a rate: this exam has none of its own any more.
_AS_THE_SERVICE = "service"


@Parameter(name="*")
@dataclass
class RegradeOptions:
    """How candidates ask for a re-mark (phúc khảo), as the result's page tells them."""

    regrade_from: date | None = None
    """The first day for asking for a re-mark (phúc khảo), 2026-07-02."""
    regrade_to: date | None = None
    """The last day, included."""
    regrade_where: str = ""
    """Where to hand the request in."""
    regrade_fee: str = ""
    """What it costs, in words."""


@Parameter(name="*")
@dataclass
class RateOptions:
    """Limits of this exam's own; `service`: as the settings say."""

    lookup_rate: str | None = None
    """How many lookups one address may make, such as 20000/minute."""
    wrong_factor_rate: str | None = None
    """How many wrong second facts for one number from one neighbourhood of addresses, such as 10/15minute."""
    foreign_origin_rate: str | None = None
    """How many lookups the pages of one unregistered site may make."""


@Parameter(name="*")
@dataclass(kw_only=True)
class ExamOptions:
    """What an exam is; its kind fills in what is not told."""

    name: str
    """How pages call it, in Vietnamese."""
    year: int
    """The year of the exam."""
    policy: Policy
    """`public`: whoever knows a number sees its scores, so opening the exam publishes them. `birth-date`: the number
    and the birth date; worth about ten bits, so guessing is slow, bounded and seen, not impossible. `pin`: the number
    and a lookup code; guessing is hopeless."""
    kind: str = "thpt"
    """thpt, lop-10, khao-sat-lop-6, chuyen, hoc-sinh-gioi, nghe-pho-thong or tot-nghiep."""
    unit: str | None = None
    """Who owns the exam; the root unit unless said."""
    name_en: str = ""
    """Its English name."""
    subjects: Path | None = None
    """A CSV, XLSX or TOML file of papers in place of the kind's own."""
    number_format: str | None = None
    """9 is a digit, A a letter: 99999999 is eight digits; several are joined by |."""
    show_name: bool = False
    """Show the candidate's name with the result; never under `public`."""
    announced: str | None = None
    """The announced moment (2026-07-01T08:00): the page counts down to it. Results open by `scores release` alone."""

    def as_exam(self, code: str, unit: Unit, regrade: Regrade | None) -> Exam:
        """The exam as it is stored, without results. Raises UsageError."""
        known = exam_kind(self.kind)
        return Exam(
            code=code,
            unit=unit,
            name=self.name,
            name_en=self.name_en,
            year=self.year,
            kind=self.kind,
            policy=self.policy,
            number_format=_number_format(self.number_format or known.number_format),
            subjects=read_subjects_file(self.subjects) if self.subjects else known.subjects,
            total_rule=known.total_rule,
            regrade=regrade,
            show_name=self.show_name,
            announced_at=parse_moment(self.announced) if self.announced else None,
            withdrawn_generation=0,
            releases=(),
        )


@app.command
def add(code: str, /, *, told: ExamOptions, regrade: RegradeOptions | None = None) -> None:
    """Set an exam up: its kind brings papers, steps and number format.

    It is listed publicly at once, without results.
    """

    async def store() -> None:
        async with connect(load_settings(os.environ)) as connection:
            owner = await _find_unit(connection, told.unit or await root_unit_code(connection))
            await add_exam(connection, told.as_exam(code, owner, _regrade(regrade)), utc_now())

    asyncio.run(store())
    print(f"Exam {code} is there. Next: baodanh scores import FILE --exam {code}")
    if told.policy == "public":
        print("Policy public: releasing it publishes the scores of every candidate number.")


@app.command
def describe(
    code: str,
    /,
    *,
    name: str | None = None,
    name_en: str | None = None,
    announced: str | None = None,
    regrade: RegradeOptions | None = None,
    rates: RateOptions | None = None,
) -> None:
    """Change what an exam's page says, and its limits; what is not given stays. Facts as in `exam add`."""
    limited = _rates(rates)
    moment = parse_moment(announced) if announced else None

    async def change() -> None:
        async with connect(load_settings(os.environ)) as connection:
            facts = {"name": name, "name_en": name_en, "announced_at": moment, "regrade": _regrade(regrade)}
            told = {fact: value for fact, value in facts.items() if value is not None}
            async with connection.transaction():
                if told or not limited:
                    await describe_exam(connection, code, utc_now(), **told)
                if limited:
                    await set_rates(connection, code, limited, utc_now())

    asyncio.run(change())


@app.command
def remove(code: str, /) -> None:
    """Remove an exam that was set up by mistake, with everything imported; refused once anything was released."""

    async def take_away() -> None:
        async with connect(load_settings(os.environ)) as connection:
            await remove_exam(connection, code, utc_now())

    asyncio.run(take_away())
    print(f"Exam {code} is gone.")


@app.command(name="list")
def list_all() -> None:
    """One exam a line: code, state, policy, kind, year, opens at, unit, name."""

    async def read() -> list[Exam]:
        async with connect(load_settings(os.environ)) as connection:
            return [exam.as_decided() for exam in await list_exams(connection)]

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


def _regrade(told: RegradeOptions | None) -> Regrade | None:
    if told is None:
        return None
    if told.regrade_from and told.regrade_to and told.regrade_from > told.regrade_to:
        raise UsageError(f"Re-marking cannot end on {told.regrade_to} before it begins on {told.regrade_from}.")
    return Regrade(told.regrade_from, told.regrade_to, told.regrade_where, told.regrade_fee)


def _rates(told: RateOptions | None) -> dict[str, str | None]:
    rates = {name: getattr(told, name) for name in RATES if getattr(told, name, None)}
    return {name: _rate(name, text) for name, text in rates.items()}


def _rate(name: str, text: str) -> str | None:
    try:
        return None if text == _AS_THE_SERVICE else read_rate(text)
    except ValueError:
        option = name.replace("_", "-")
        raise UsageError(f"--{option} {text!r} is no rate: write such as 600/minute or 10/15minute.") from None


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
