"""One exam as its officers see it: where it stands, what was brought in, what waits, and how its scores lie."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from kit.sql import Database
from lookup.distributions import Distribution
from lookup.exam_approvals import ANNOUNCEMENT, RELEASE
from lookup.exam_batches import (
    Batch,
    ReleaseFacts,
    Withdrawal,
    count_candidates,
    list_batches,
    list_releases,
    list_withdrawals,
)
from lookup.exams import Exam
from lookup.score_uploads import Upload, list_uploads
from lookup.sealed.holdings import Holding, find_holdings
from units.approvals.approval import Approval
from units.approvals.lists import list_of_thing
from units.officers.officers import Officer, find_officers

Tone = Literal["plain", "good", "wait", "wrong", "next"]


class Step(msgspec.Struct, frozen=True):
    """One step of an exam's life: what the timeline shows. `kind` picks the words of its title."""

    kind: Literal[
        "listed", "not_listed", "imported", "waits", "opened", "opens", "withdrawn", "announcement_waits", "no_release"
    ]
    at: datetime | None
    tone: Tone
    by: str = ""
    text: str = ""
    count: int = 0


class PaperChart(msgspec.Struct, frozen=True):
    """How the scores of one paper lie, for a row of the table."""

    name: str
    distribution: Distribution


class Overview(msgspec.Struct, frozen=True):
    """Everything on an exam's page. `people`: officers by id."""

    exam: Exam
    batches: list[Batch]
    releases: list[ReleaseFacts]
    uploads: list[Upload]
    release_waits: Approval | None
    announcement_waits: Approval | None
    candidates: int
    steps: list[Step]
    charts: list[PaperChart]
    people: dict[str, Officer]
    holdings: list[Holding]

    @property
    def unreleased(self) -> list[Batch]:
        """Batches that no release has taken up."""
        return [batch for batch in self.batches if batch.generation is None]

    @property
    def removable(self) -> int | None:
        """The one batch that may be taken back: the newest, as long as nobody has released it."""
        return self.batches[0].id if self.batches and self.batches[0].generation is None else None


async def find_overview(database: Database, exam: Exam, now: datetime) -> Overview:
    """Read all of it."""
    batches = await list_batches(database, exam.code)
    releases = await list_releases(database, exam.code)
    uploads = [upload for upload in await list_uploads(database, exam.code) if upload.state != "imported"]
    release_waits = await _find_waiting(database, RELEASE, exam.code)
    announcement_waits = await _find_waiting(database, ANNOUNCEMENT, exam.code)
    withdrawals = await list_withdrawals(database, exam.code)
    people = await find_officers(database, sorted(_involved(batches, uploads, [release_waits, announcement_waits])))
    waiting = [each for each in (announcement_waits, release_waits) if each]
    return Overview(
        exam=exam,
        batches=batches,
        releases=releases,
        uploads=uploads,
        release_waits=release_waits,
        announcement_waits=announcement_waits,
        candidates=await count_candidates(database, exam.code),
        steps=_steps(exam, batches, releases, withdrawals, waiting, people, now),
        charts=charts_of(exam),
        people=people,
        holdings=await find_holdings(database, exam, now),
    )


def charts_of(exam: Exam) -> list[PaperChart]:
    """The distributions of the last release, in the order of the papers."""
    last = exam.releases[-1].distributions if exam.releases else {}
    return [PaperChart(each.name, last[each.position]) for each in exam.subjects if each.position in last]


async def _find_waiting(database: Database, kind: str, code: str) -> Approval | None:
    return next((each for each in await list_of_thing(database, kind, code) if each.state == "waiting"), None)


def _involved(batches: Iterable[Batch], uploads: Iterable[Upload], approvals: Iterable[Approval | None]) -> set[str]:
    found = {author for batch in batches for author in batch.authors} | {upload.uploaded_by for upload in uploads}
    return found | {each.handed_in_by for each in approvals if each and each.handed_in_by}


def _steps(
    exam: Exam,
    batches: Sequence[Batch],
    releases: Sequence[ReleaseFacts],
    withdrawals: Sequence[Withdrawal],
    waiting: Sequence[Approval],
    people: dict[str, Officer],
    now: datetime,
) -> list[Step]:
    standing = [each for each in releases if each.generation > exam.withdrawn_generation]
    past = [
        *(_imported(each, people) for each in batches),
        *(Step("opened", each.opens_at, "good", count=each.result_count) for each in releases if each.opens_at <= now),
        *(Step("withdrawn", each.made_at, "wrong", text=each.reason or "") for each in withdrawals),
        *([Step("listed", exam.listed_at, "good")] if exam.listed_at else []),
    ]
    coming = [
        *(_waits(each, people) for each in waiting),
        *([] if exam.listed_at else [Step("not_listed", None, "next")]),
        *(Step("opens", each.opens_at, "wait", count=each.result_count) for each in standing if each.opens_at > now),
        *([] if standing else [Step("no_release", None, "next")]),
    ]
    return sorted(past, key=lambda step: step.at or now) + coming


def _imported(batch: Batch, people: dict[str, Officer]) -> Step:
    return Step("imported", batch.imported_at, "plain", _names(batch.authors, people), count=batch.result_count)


def _waits(approval: Approval, people: dict[str, Officer]) -> Step:
    by = _names([approval.handed_in_by] if approval.handed_in_by else [], people)
    kind: Literal["waits", "announcement_waits"] = "waits" if approval.kind == RELEASE else "announcement_waits"
    return Step(kind, approval.handed_in_at, "wait", by)


def _names(ids: Iterable[str], people: dict[str, Officer]) -> str:
    return ", ".join(people[each].name for each in ids if each in people)
