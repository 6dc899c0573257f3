"""The invented exams of the demo, as `data/exams.toml` tells them: who sits what, and when it is announced."""

import tomllib
from datetime import datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec

from kit.clock import VIETNAM
from lookup.exam_kinds import exam_kind
from lookup.exams import Exam, Policy, Regrade
from lookup.subjects import Subject
from server.demo.scores import Shape
from units.units import Unit

_ANNOUNCED_AT = time(8, tzinfo=VIETNAM)
# Long enough to see the countdown, and never the hour in which somebody is still setting up.
_SOON = timedelta(hours=12)
# A paper of `groups` in which everybody sits a variant of his own.
ANY_VARIANT = "*"


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Candidates who sit the same papers: how many of them, and how able beside the others."""

    papers: str
    weight: float
    ability: float = 0.0

    def sits(self) -> list[tuple[str, str]]:
        """The papers as (code, variant)."""
        parted = [paper.partition("/") for paper in self.papers.split()]
        return [(code, variant) for code, _, variant in parted]


class Ladder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a total earns (a prize, a grade, an outcome) in the slot `paper`: the first mark it is high enough for."""

    paper: str
    marks: tuple[tuple[float, str], ...]

    def mark(self, hundredths: int) -> str:
        """The code of the mark that this many hundredths of a point earn."""
        return next(mark for least, mark in self.marks if hundredths >= 100 * least)


class _ToldRegrade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    first: str
    last: str
    where: str
    fee: str


class DemoExam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One exam of the file; its head explains the fields."""

    code: str
    kind: str
    unit: str
    policy: Policy
    name: str
    name_en: str
    opens: str
    first_number: int
    candidates: int
    age: int
    groups: tuple[Group, ...]
    show_name: bool = False
    absent: float = 0.0
    corrected: int = 0
    corrected_on: str = ""
    regrade: _ToldRegrade | None = None
    formula: dict[str, float] = {}
    ladder: Ladder | None = None
    highest: dict[str, Decimal] = {}
    shapes: dict[str, Shape] = {}

    def year(self, demo_year: int, now: datetime) -> int:
        """The year in its name: the demo's, or that of the moment for the exam that opens soon."""
        return self.opens_at(demo_year, now).year

    def opens_at(self, demo_year: int, now: datetime) -> datetime:
        """The announced moment: in the past for all but the exam that opens soon."""
        return _next_morning(now + _SOON) if self.opens == "soon" else _morning(demo_year, self.opens)

    def corrected_at(self, demo_year: int) -> datetime:
        """When the re-marked scores came out."""
        return _morning(demo_year, self.corrected_on)

    def papers(self) -> tuple[Subject, ...]:
        """The slots of a result: of its kind's papers those that anybody sits."""
        used = {code for group in self.groups for code, _ in group.sits()}
        if self.ladder:
            used.add(self.ladder.paper)
        sat = (subject for subject in exam_kind(self.kind).subjects if subject.code in used)
        return tuple(
            msgspec.structs.replace(subject, position=position, highest=self.highest.get(subject.code, subject.highest))
            for position, subject in enumerate(sat, 1)
        )

    def as_exam(self, unit: Unit, demo_year: int, now: datetime) -> Exam:
        """The exam as `add_exam` takes it, its texts filled in."""
        opens_at, kind = self.opens_at(demo_year, now), exam_kind(self.kind)
        year = self.year(demo_year, now)
        facts = {"year": year, "next": year + 1, "last": year - 1, "month": opens_at.month}
        return Exam(
            code=self.code,
            unit=unit,
            name=self.name.format(**facts),
            name_en=self.name_en.format(**facts),
            year=year,
            kind=self.kind,
            policy=self.policy,
            number_format=kind.number_format,
            subjects=self.papers(),
            total_rule=kind.total_rule,
            regrade=self.regrade and _filled_in(self.regrade, facts),
            show_name=self.show_name,
            withdrawn_generation=0,
            releases=(),
        )


@cache
def demo_exams() -> tuple[DemoExam, ...]:
    """All exams of the demo, `demo-thpt` first."""
    entries = tomllib.loads((Path(__file__).parent / "data" / "exams.toml").read_text(encoding="utf-8"))
    return msgspec.convert(entries["exam"], tuple[DemoExam, ...])


def demo_year(now: datetime) -> int:
    """The year whose exams are over, corrections included: this one from the end of July on, else the last."""
    this_year = now.astimezone(VIETNAM).year
    moments = [exam.opens for exam in demo_exams() if exam.opens != "soon"]
    moments += [exam.corrected_on for exam in demo_exams() if exam.corrected_on]
    return this_year if now >= _morning(this_year, max(moments)) else this_year - 1


def _morning(year: int, day: str) -> datetime:
    month, day_of_month = map(int, day.split("-"))
    return datetime.combine(datetime(year, month, day_of_month, tzinfo=VIETNAM), _ANNOUNCED_AT)


def _next_morning(moment: datetime) -> datetime:
    there = moment.astimezone(VIETNAM)
    morning = datetime.combine(there, _ANNOUNCED_AT)
    return morning if morning >= there else morning + timedelta(days=1)


def _filled_in(regrade: _ToldRegrade, facts: dict[str, int]) -> Regrade:
    first, last = (datetime.strptime(day.format(**facts), "%d/%m/%Y").date() for day in (regrade.first, regrade.last))  # noqa: DTZ007
    return Regrade(first, last, regrade.where, regrade.fee)
