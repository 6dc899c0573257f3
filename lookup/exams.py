"""An exam as the public knows it: its papers, who may look results up, and since when they are open."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

import asyncpg
import msgspec

from kit import sql
from kit.clock import VIETNAM
from kit.errors import DomainError
from kit.sql import Database
from lookup.candidate_number import CandidateNumberFormat
from lookup.distributions import FEWEST_RESULTS, Distribution
from lookup.exam_kinds import exam_kind
from lookup.subjects import Subject
from lookup.totals import TotalRule
from units.unit_tree import UnitTree
from units.units import Unit, list_units

exams = sql.load(__file__, "exams")

# Rates that an exam may have of its own.
RATES = ("lookup_rate", "wrong_factor_rate", "foreign_origin_rate")

Policy = Literal["public", "birth-date", "pin"]
State = Literal["sealed", "open", "withdrawn"]


class Regrade(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """How to ask for a re-mark (phúc khảo): from which day to which, both included; where and its fee, in words."""

    from_: date | None = None
    to: date | None = None
    where: str = ""
    fee: str = ""

    def is_over(self, now: datetime) -> bool:
        """Whether the last day has passed in Vietnam."""
        return self.to is not None and now.astimezone(VIETNAM).date() > self.to


# A correction whose file does not open here in time: so long the generation before it goes on being shown.
CORRECTION_GRACE = timedelta(seconds=60)


class BundleFacts(msgspec.Struct, frozen=True):
    """The sealed file of a release as PostgreSQL knows it. `sha256` is that of the whole file, `size` its bytes."""

    id: int
    sha256: bytes
    size: int
    signed_by: bytes
    stored_at: datetime


class Release(msgspec.Struct, frozen=True):
    """A generation of results. `distributions`: by subject position, where one may be shown, and only once it is open.

    `bundle` is its newest sealed file, if there is one; `is_open_here` whether this process answers from it.
    `sealed_in_time`: its first file lay ready before its moment, so it opens on a node by file and key or not at all.
    """

    generation: int
    opens_at: datetime
    distributions: dict[int, Distribution]
    bundle: BundleFacts | None = None
    is_open_here: bool = False
    sealed_in_time: bool = False


class Exam(msgspec.Struct, frozen=True):
    """Everything about an exam that a web worker keeps in memory; never anything about a candidate."""

    code: str
    unit: Unit
    name: str
    name_en: str
    year: int
    kind: str
    policy: Policy
    number_format: str
    subjects: tuple[Subject, ...]
    total_rule: TotalRule | None
    regrade: Regrade | None
    show_name: bool
    withdrawn_generation: int
    releases: tuple[Release, ...]
    announced_at: datetime | None = None
    # When the public first heard of it; None: a draft, which only officers know.
    listed_at: datetime | None = None
    # Rates of its own, such as `600/minute`; None: those of the service.
    lookup_rate: str | None = None
    wrong_factor_rate: str | None = None
    foreign_origin_rate: str | None = None

    @property
    def numbers(self) -> CandidateNumberFormat:
        """How its candidates are numbered."""
        return CandidateNumberFormat(self.number_format)

    @property
    def opens_at(self) -> datetime | None:
        """When results open or opened: the first release's moment, before it the announced one, or None."""
        standing = self._standing
        return standing[0].opens_at if standing else self.announced_at

    @property
    def _standing(self) -> list[Release]:
        return [release for release in self.releases if release.generation > self.withdrawn_generation]

    def as_decided(self) -> "Exam":
        """As those see it who prepare it and take it down: what is due counts as open, whichever node has its file."""
        releases = tuple(msgspec.structs.replace(release, is_open_here=True) for release in self.releases)
        return msgspec.structs.replace(self, releases=releases)

    def state(self, now: datetime) -> State:
        """What the public is told about it at `now`."""
        if self.visible_release(now) or self.awaits_correction(now):
            return "open"
        return "withdrawn" if self.withdrawn_generation and not self._standing else "sealed"

    def next_opening(self, now: datetime) -> datetime | None:
        """The next moment at which the public will see something new, if one is set."""
        return next((release.opens_at for release in self._standing if release.opens_at > now), None)

    def visible_release(self, now: datetime) -> Release | None:
        """The generation that this process shows at `now`; None before the moment and after a withdrawal.

        A generation that was sealed in time but is not open here is not shown. While a correction opens, what was shown
        before it stays, for `CORRECTION_GRACE` at most.
        """
        return _shown(self._due(now), now)

    def awaits_correction(self, now: datetime) -> bool:
        """Whether a correction should be open and is not, for so long that the generation before it is shown no more.

        Then nothing is said about anybody's result: neither the old one nor that there is none.
        """
        return len(self._due(now)) > 1 and self.visible_release(now) is None

    def newest_due(self, now: datetime) -> Release | None:
        """The generation that should be open at `now`, whether or not this process shows it."""
        due = self._due(now)
        return due[-1] if due else None

    def releases_to_hold(self, now: datetime, is_open: Callable[[Release], bool]) -> list[Release]:
        """What is or will be shown: nothing older than what is open, or has been due for `CORRECTION_GRACE`."""
        standing, first = self._standing, 0
        for place, release in enumerate(standing):
            if release.opens_at <= now and (is_open(release) or release.opens_at + CORRECTION_GRACE <= now):
                first = place
        return standing[first:]

    def _due(self, now: datetime) -> list[Release]:
        return [release for release in self._standing if release.opens_at <= now]


def _shown(due: list[Release], now: datetime) -> Release | None:
    """What is shown of these generations, whose moments have passed, the oldest first."""
    if not due or due[-1].is_open_here:
        return due[-1] if due else None
    if now < due[-1].opens_at + CORRECTION_GRACE:
        before = _shown(due[:-1], now)
        # One without a file waits only for what spares PostgreSQL: nobody is shown the older by a slower way.
        if before and (before.is_open_here or due[-1].sealed_in_time):
            return before
    return None if due[-1].sealed_in_time else due[-1]


class ExamNotFound(DomainError):
    """No exam has this code."""

    code = "exam_not_found"
    status = 404


async def list_exams(database: Database, code: str | None = None, tree: UnitTree | None = None) -> list[Exam]:
    """Every exam with the unit that answers for it today, its papers and releases; the newest year first.

    `tree` spares whoever knows the units already from reading them again.
    """
    tree = tree or UnitTree(await list_units(database))
    subjects = _by_exam(await exams.list_subjects(database, code=code), _read_subject)
    releases = _by_exam(await exams.list_releases(database, code=code), lambda row: row)
    return [
        _read_exam(row, tree.current(row["unit_code"]), subjects.get(row["code"], []), releases.get(row["code"], []))
        for row in await exams.list_exams(database, code=code)
    ]


async def find_exam(database: Database, code: str) -> Exam:
    """One exam by its code, drafts too; raises ExamNotFound."""
    found = await list_exams(database, code)
    if not found:
        raise ExamNotFound(exam=code)
    return found[0]


def _by_exam(rows: list[Any], read: Callable[[Any], Any]) -> dict[str, list[Any]]:
    gathered: dict[str, list] = {}
    for row in rows:
        gathered.setdefault(row["exam_code"], []).append(read(row))
    return gathered


def _read_subject(row: asyncpg.Record) -> Subject:
    return Subject(**{field: row[field] for field in Subject.__struct_fields__})


def _read_exam(row: asyncpg.Record, unit: Unit, subjects: list[Subject], releases: list[Any]) -> Exam:
    facts = {field: row[field] for field in Exam.__struct_fields__ if field in row}
    shown = exam_kind(row["kind"]).shows_distribution
    return Exam(
        **facts
        | {
            "unit": unit,
            "subjects": tuple(subjects),
            "total_rule": row["total_rule"] and msgspec.json.decode(row["total_rule"], type=TotalRule),
            "regrade": read_regrade(row),
            "releases": tuple(_read_release(release, subjects if shown else []) for release in releases),
        }
    )


def read_distributions(exam: Exam, counts: Mapping[int, list[tuple[Decimal, int]]]) -> dict[int, Distribution]:
    """How scores are spread, by subject position, as far as the exam shows it: `counts` as a release has them."""
    return _read_distributions(exam.subjects if exam_kind(exam.kind).shows_distribution else (), counts)


def _read_distributions(
    subjects: Iterable[Subject], counts: Mapping[int, list[tuple[Decimal, int]]]
) -> dict[int, Distribution]:
    return {
        subject.position: Distribution.from_counts(counts[subject.position], subject)
        for subject in subjects
        if sum(how_many for _, how_many in counts.get(subject.position, [])) >= FEWEST_RESULTS
    }


def _read_release(row: asyncpg.Record, subjects: list[Subject]) -> Release:
    counts = msgspec.json.decode(row["distributions"], type=dict[int, list[tuple[Decimal, int]]])
    distributions = _read_distributions(subjects, counts)
    bundle = None
    if row["bundle_id"] is not None:
        bundle = BundleFacts(row["bundle_id"], row["sha256"], row["size"], row["signed_by"], row["stored_at"])
    in_time = row["sealed_at"] is not None and row["sealed_at"] <= row["opens_at"]
    return Release(row["generation"], row["opens_at"], distributions, bundle, sealed_in_time=in_time)


def read_regrade(row: asyncpg.Record) -> Regrade | None:
    """Of a row of the table of exams."""
    return row["regrade"] and msgspec.json.decode(row["regrade"], type=Regrade)
