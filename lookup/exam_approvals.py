"""What about exams becomes public by approval: that there is an exam and what it says, and its results."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from kit.errors import DomainError
from kit.locale import day, moment_in_words
from lookup import releases
from lookup.exam_drafts import Announced
from lookup.exam_kinds import exam_kind
from lookup.exam_setup import DESCRIBABLE, describe_exam, list_publicly
from lookup.exams import Exam, Regrade, find_exam
from lookup.release_preview import POLICIES, authors_of, choose_batches, preview_release
from lookup.sealed.slip_keeping import ask_for_slip
from units.approvals.approval import AlreadyInEffect
from units.approvals.kinds import Difference, Prepared, Preview
from units.record.entries import Actor

RELEASE, ANNOUNCEMENT = "exam-release", "exam-announcement"


class NothingToAnnounce(DomainError):
    """The exam is public, and says just this already."""

    code = "nothing_to_announce"
    status = 409


class NoMomentForThis(DomainError):
    """An announcement takes effect when it is approved."""

    code = "no_moment_for_this"
    status = 409


class ReleasePayload(msgspec.Struct, frozen=True):
    """Which batches, by id, and when (None: at once). `asked_at`: since when the preview tells what is and will be.

    `wishes` comes with the approval: `slip`, the key on paper.
    """

    batches: list[int]
    opens_at: datetime | None
    asked_at: datetime
    wishes: list[str] = []


def release_payload(batches: Sequence[int], opens_at: datetime | None, now: datetime) -> dict[str, Any]:
    """What is handed in for a release."""
    told = ReleasePayload(list(batches), opens_at, now)
    return {name: fact for name, fact in msgspec.to_builtins(told).items() if name != "wishes"}


def announcement_payload(facts: Announced) -> dict[str, Any]:
    """What is handed in for an announcement."""
    return msgspec.to_builtins(facts)


class ExamRelease:
    """Results become public, are corrected, or come back after they were taken down."""

    name = RELEASE
    title = "Công bố kết quả thi"
    wishes = ("slip",)

    async def prepare(self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any]) -> Prepared:
        """Counts, corrections and distributions. Raises ExamNotFound, NothingToRelease, BatchesChanged."""
        told = msgspec.convert(payload, ReleasePayload)
        exam = (await find_exam(transaction, about)).as_decided()
        batches = await choose_batches(transaction, exam, told.batches, told.asked_at)
        preview = await preview_release(transaction, exam, batches, told.opens_at, told.asked_at)
        return Prepared(preview, authors_of(batches))

    async def take_effect(
        self,
        transaction: asyncpg.Connection,
        about: str,
        payload: dict[str, Any],
        takes_effect_at: datetime | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Just these batches, at the moment; a moment that has passed is now."""
        opens_at = max(takes_effect_at, now) if takes_effect_at else now
        told = msgspec.convert(payload, ReleasePayload)
        released = await releases.release(
            transaction, about, opens_at=opens_at, batches=told.batches, actor=actor, now=now
        )
        if "slip" in told.wishes and opens_at > now:
            unit = (await find_exam(transaction, about)).unit
            await ask_for_slip(transaction, about, released.generation, unit_code=unit.code, actor=actor)

    async def take_back(
        self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        """The batches wait again. Raises BatchesChanged when they are part of another release by now."""
        batches = msgspec.convert(payload, ReleasePayload).batches
        await releases.take_back_release(transaction, about, batches, actor=actor, now=now)

    def address(self, about: str) -> str:
        """The exam's page."""
        return f"/can-bo/ky-thi/{about}"


class ExamAnnouncement:
    """The public hears of an exam, or reads something else about one that it knows."""

    name = ANNOUNCEMENT
    title = "Thông tin kỳ thi"

    async def prepare(self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any]) -> Prepared:
        """What the exam's page will say. Raises ExamNotFound, NothingToAnnounce."""
        exam, facts = await find_exam(transaction, about), msgspec.convert(payload, Announced)
        differences = _differences(exam, facts)
        if exam.listed_at is not None and not differences:
            raise NothingToAnnounce(exam=about)
        title = "Thông tin kỳ thi" if exam.listed_at else "Đưa kỳ thi vào danh sách công khai"
        warnings = [] if exam.policy != "public" else [_PUBLIC]
        return Prepared(Preview(f"{title}: {exam.name}", _facts(exam), differences, warnings))

    async def take_effect(
        self,
        transaction: asyncpg.Connection,
        about: str,
        payload: dict[str, Any],
        takes_effect_at: datetime | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """At once. Raises NoMomentForThis."""
        if takes_effect_at is not None and takes_effect_at > now:
            raise NoMomentForThis
        facts = msgspec.convert(payload, Announced)
        await list_publicly(transaction, about, now, actor=actor)
        await describe_exam(
            transaction, about, now, actor=actor, **{fact: getattr(facts, fact) for fact in DESCRIBABLE}
        )

    async def take_back(
        self,
        transaction: asyncpg.Connection,  # noqa: ARG002 - the protocol's
        about: str,  # noqa: ARG002
        payload: dict[str, Any],  # noqa: ARG002
        actor: Actor,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> None:
        """There is no time for it: raises AlreadyInEffect."""
        raise AlreadyInEffect

    def address(self, about: str) -> str:
        """The exam's page."""
        return f"/can-bo/ky-thi/{about}"


_PUBLIC = "Khi công bố kết quả, ai biết một số báo danh đều xem được điểm của số báo danh đó."
_NOTHING = "–"
_TITLES = {
    "name": "Tên kỳ thi",
    "name_en": "Tên tiếng Anh",
    "announced_at": "Thời điểm dự kiến công bố",
    "regrade": "Phúc khảo",
}


def _facts(exam: Exam) -> list[tuple[str, str]]:
    return [
        ("Mã kỳ thi", exam.code),
        ("Đơn vị", exam.unit.name),
        ("Năm", str(exam.year)),
        ("Loại kỳ thi", exam_kind(exam.kind).name),
        ("Cách tra cứu", POLICIES[exam.policy]),
        ("Ví dụ số báo danh", exam.numbers.example),
    ]


def _differences(exam: Exam, facts: Announced) -> list[Difference]:
    known = exam.listed_at is not None
    found = []
    for fact in DESCRIBABLE:
        before, after = getattr(exam, fact), getattr(facts, fact)
        if known and before != after:
            found.append(Difference(_TITLES[fact], _words(before), _words(after)))
        elif not known and after:
            found.append(Difference(_TITLES[fact], "chưa công khai", _words(after)))
    return found


def _words(fact: Any) -> str:
    match fact:
        case datetime():
            return moment_in_words(fact)
        case Regrade():
            days = [f"{word} {day(each, 'vi')}" for word, each in (("từ", fact.from_), ("đến", fact.to)) if each]
            return "; ".join(part for part in (" ".join(days), fact.where, fact.fee) if part)
        case _:
            return fact or _NOTHING


EXAM_RELEASE, EXAM_ANNOUNCEMENT = ExamRelease(), ExamAnnouncement()
