"""What a release would change for the public, as the second person reads it: counts, corrections, distributions."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from kit.clock import VIETNAM
from kit.locale import count, moment_in_words
from lookup.distributions import FEWEST_RESULTS, Distribution
from lookup.exam_batches import Batch, list_unreleased
from lookup.exam_kinds import exam_kind
from lookup.exams import Exam
from lookup.releases import BatchesChanged, NothingToRelease, count_scores, releases
from lookup.score_changes import PaperChanges, read_changes
from units.approvals.kinds import Difference, Preview
from units.officers.officers import find_officers

POLICIES = {
    "public": "chỉ cần số báo danh",
    "birth-date": "số báo danh và ngày sinh",
    "pin": "số báo danh và mã tra cứu",
}
_STATES = {"sealed": "chưa công bố", "open": "đang công bố", "withdrawn": "đã gỡ bỏ"}
# Outside of these hours a release is more likely a slip than a plan.
_EARLIEST_HOUR, _LATEST_HOUR = 6, 22


class Chart(msgspec.Struct, frozen=True):
    """The distribution of one paper: 20 columns now (None: not public) and then, with what a table says of it."""

    name: str
    count: int
    mean: str
    before: list[int] | None
    after: list[int]


class Change(msgspec.Struct, frozen=True):
    """What a release does: `results` are public then; the others compare with what the public saw last."""

    results: int
    new: int
    changed: int
    emptied: int
    without_birth_date: int
    papers: list[PaperChanges]


async def choose_batches(database: asyncpg.Connection, exam: Exam, ids: Sequence[int], now: datetime) -> list[Batch]:
    """The batches by their ids, if a release could take up just them. Raises BatchesChanged, NothingToRelease.

    None before them may stay behind, and none that has a moment already.
    """
    unreleased = await list_unreleased(database, exam.code, now)
    chosen = unreleased[: len(ids)]
    left = unreleased[len(ids) :]
    if sorted(ids) != [batch.id for batch in chosen] or any(batch.generation for batch in left):
        raise BatchesChanged(exam=exam.code)
    if not chosen and exam.state(now) != "withdrawn":
        raise NothingToRelease(exam=exam.code)
    return chosen


async def preview_release(
    transaction: asyncpg.Connection, exam: Exam, batches: list[Batch], opens_at: datetime | None, now: datetime
) -> Preview:
    """All that the approver needs to know; the same again as long as nothing has changed."""
    change = await _find_change(transaction, exam, batches, now)
    facts = [
        ("Kỳ thi", f"{exam.name} ({exam.code})"),
        ("Đơn vị", exam.unit.name),
        ("Cách tra cứu", POLICIES[exam.policy]),
        ("Thời điểm công bố", moment_in_words(opens_at) if opens_at else "ngay khi được phê duyệt"),
        ("Kết quả mới", _count(change.new)),
        ("Kết quả được sửa", _count(change.changed)),
        ("Kết quả giữ nguyên", _count(change.results - change.new - change.changed)),
    ]
    return Preview(
        title=f"Công bố kết quả: {exam.name}",
        facts=facts,
        differences=_differences(exam, change, opens_at, now),
        warnings=_warnings(exam, change, opens_at, now),
        extra={
            "files": await _files(transaction, batches),
            "papers": msgspec.to_builtins(change.papers, enc_hook=str),
            "charts": msgspec.to_builtins(await _charts(transaction, exam, batches, now)),
        },
    )


async def _find_change(transaction: asyncpg.Connection, exam: Exam, batches: list[Batch], now: datetime) -> Change:
    ids = [batch.id for batch in batches]
    # What the public saw last, also when it was taken down since.
    seen = max((release.generation for release in exam.releases if release.opens_at <= now), default=0)
    parameters = {"exam_code": exam.code, "ids": ids, "generation": seen}
    counted = await releases.count_release_changes(transaction, **parameters)
    return Change(
        results=await releases.count_results(transaction, exam_code=exam.code, ids=ids),
        new=counted["new"],
        changed=counted["changed"],
        emptied=counted["emptied"],
        without_birth_date=counted["without_birth_date"],
        papers=read_changes(exam, await releases.count_release_papers(transaction, **parameters)),
    )


def _differences(exam: Exam, change: Change, opens_at: datetime | None, now: datetime) -> list[Difference]:
    state = exam.state(now)
    then = f"công bố lúc {moment_in_words(opens_at)}" if opens_at else "công bố ngay"
    waits = exam.next_opening(now)
    before = _STATES[state] + (f", đã định công bố lúc {moment_in_words(waits)}" if waits else "")
    public = change.results - change.new if state == "open" else 0
    found = [
        Difference("Trạng thái", before, then),
        Difference("Số kết quả công chúng tra cứu được", _count(public), _count(change.results)),
    ]
    if exam.listed_at is None:
        found.append(Difference("Trang của kỳ thi", "chưa ai thấy", "công khai ngay khi được phê duyệt"))
    return found


def _warnings(exam: Exam, change: Change, opens_at: datetime | None, now: datetime) -> list[str]:
    found = []
    if exam.policy == "public":
        found.append(
            "Kỳ thi tra cứu chỉ bằng số báo danh: ai biết một số báo danh, hoặc thử lần lượt các số, đều xem được điểm."
            " Công bố kỳ thi này là công khai điểm của mọi số báo danh."
        )
    if exam.policy == "birth-date" and change.without_birth_date:
        found.append(f"{_count(change.without_birth_date)} kết quả không có ngày sinh nên sẽ không tra cứu được.")
    if change.emptied:
        found.append(f"{_count(change.emptied)} thí sinh đang có điểm sẽ không còn điểm nào.")
    if exam.state(now) == "withdrawn":
        found.append("Kỳ thi này đã bị gỡ bỏ. Phê duyệt là mở lại cho công chúng.")
    return found + _about_the_moment(opens_at, now)


def _about_the_moment(opens_at: datetime | None, now: datetime) -> list[str]:
    if opens_at is None:
        return []
    if opens_at <= now:
        return ["Thời điểm đã chọn không còn ở phía trước: kết quả sẽ được công bố ngay khi phê duyệt."]
    hour = opens_at.astimezone(VIETNAM).hour
    if not _EARLIEST_HOUR <= hour < _LATEST_HOUR:
        return [f"Thời điểm công bố là {moment_in_words(opens_at)}, ngoài giờ thường lệ."]
    return []


async def _files(transaction: asyncpg.Connection, batches: list[Batch]) -> list[dict[str, Any]]:
    known = await find_officers(transaction, sorted({author for batch in batches for author in batch.authors}))
    return [
        {
            "name": batch.file_name,
            "results": batch.result_count,
            "imported_at": moment_in_words(batch.imported_at),
            "by": ", ".join(known[author].name for author in batch.authors if author in known) or "dòng lệnh",
            "reason": batch.reason or "",
        }
        for batch in batches
    ]


async def _charts(transaction: asyncpg.Connection, exam: Exam, batches: list[Batch], now: datetime) -> list[Chart]:
    if not exam_kind(exam.kind).shows_distribution:
        return []
    counts = await count_scores(transaction, exam.code, [batch.id for batch in batches])
    visible = exam.visible_release(now)
    charts = []
    for subject in exam.subjects:
        scores = counts.get(str(subject.position), [])
        if sum(how_many for _, how_many in scores) < FEWEST_RESULTS:
            continue
        then = Distribution.from_counts(scores, subject)
        today = visible.distributions.get(subject.position) if visible else None
        charts.append(Chart(subject.name, then.count, decimal(then.mean), today and today.bins, then.bins))
    return charts


def decimal(value: Decimal) -> str:
    """A figure of a table, with two decimals."""
    return f"{value:.2f}".replace(".", ",")


def _count(value: int) -> str:
    return count(value, "vi")


def authors_of(batches: list[Batch]) -> list[str]:
    """Ids of the officers whose work the batches are."""
    return sorted({author for batch in batches for author in batch.authors})
