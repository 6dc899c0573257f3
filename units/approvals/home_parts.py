"""What approvals bring to the officers' first page: to decide, sent back, on its way, and who stands in for whom."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

import msgspec

from kit import locale
from kit.sql import Database
from units.approvals.approval import Approval
from units.approvals.approval_pages import HERE
from units.approvals.deputies import Deputy, list_deputies
from units.approvals.deputy_pages import HERE as DEPUTIES
from units.approvals.kinds import Kinds
from units.approvals.lists import list_handed_in, list_returned_to, list_waiting_for
from units.officers.home_page import HomeItem, HomePart, HomeSection
from units.officers.officers import Officer, find_officers
from units.unit_tree import UnitTree

_MOST = 5
_LATELY = timedelta(days=90)


def home_parts(kinds: Kinds) -> list[HomePart]:
    """The parts in their order; `kinds` name what they show."""
    return [_with(kinds, part) for part in (_waiting, _returned, _on_the_way)] + [_deputies]


def _with(kinds: Kinds, part: Callable[..., Coroutine[Any, Any, HomeSection | None]]) -> HomePart:
    async def bound(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> HomeSection | None:
        return await part(kinds, database, officer, tree, now)

    return bound


async def _waiting(
    kinds: Kinds, database: Database, officer: Officer, tree: UnitTree, now: datetime
) -> HomeSection | None:
    found = await list_waiting_for(database, officer, tree, now)
    authors = await find_officers(database, sorted({each.handed_in_by for each in found[:_MOST] if each.handed_in_by}))
    items = [
        msgspec.structs.replace(
            _item(each, kinds, tree, each.takes_effect_at, "", "wait"),
            by=authors[each.handed_in_by].name if each.handed_in_by in authors else "Tổ kỹ thuật",
            since=each.handed_in_at,
        )
        for each in found[:_MOST]
    ]
    return HomeSection("Chờ thầy/cô phê duyệt", items, _more(f"{HERE}?muc=cho-toi", len(found)))


async def _returned(
    kinds: Kinds, database: Database, officer: Officer, tree: UnitTree, now: datetime
) -> HomeSection | None:
    found = await list_returned_to(database, officer.id, now - _LATELY)
    items = [_item(each, kinds, tree, each.decided_at, "Trả lại", "wrong") for each in found[:_MOST]]
    return HomeSection("Được trả lại để chỉnh sửa", items, _more(f"{HERE}?muc=toi-trinh", len(found)))


async def _on_the_way(
    kinds: Kinds, database: Database, officer: Officer, tree: UnitTree, now: datetime
) -> HomeSection | None:
    found = [each for each in await list_handed_in(database, officer.id, now) if each.can_be_withdrawn(now)]
    items = [
        _item(each, kinds, tree, each.takes_effect_at, "Chờ phê duyệt", "wait")
        if each.state == "waiting"
        else _item(each, kinds, tree, each.takes_effect_at, "Đã duyệt, chờ đến giờ", "good")
        for each in found[:_MOST]
    ]
    return HomeSection("Đã trình, đang chờ", items, _more(f"{HERE}?muc=toi-trinh", len(found)))


async def _deputies(database: Database, officer: Officer, tree: UnitTree, now: datetime) -> HomeSection | None:
    found = [each for each in await list_deputies(database, officer.id, now) if each.state(now) != "over"]
    people = await find_officers(database, [id_ for each in found for id_ in (each.absent_id, each.deputy_id)])
    items = [
        HomeItem(
            DEPUTIES,
            f"{people[each.deputy_id].name} quyết định thay thầy/cô"
            if each.absent_id == officer.id
            else f"Thầy/cô quyết định thay {people[each.absent_id].name}",
            f"{tree.current(each.unit_code).name}, {_period(each)}",
        )
        for each in found
    ]
    return HomeSection("Ủy quyền phê duyệt", items, aside=True)


def _item(approval: Approval, kinds: Kinds, tree: UnitTree, at: datetime | None, tag: str, tone: str) -> HomeItem:
    detail = f"{kinds[approval.kind].title} · {tree.current(approval.unit_code).name}"
    when = "Hiệu lực" if at and at == approval.takes_effect_at else ""
    return HomeItem(f"{HERE}/{approval.id}", approval.preview.title, detail, at, when, tag, tone)


def _more(address: str, many: int) -> tuple[str, str] | None:
    return (address, f"Tất cả {many} nội dung") if many > _MOST else None


def _period(deputy: Deputy) -> str:
    return f"từ {locale.day(deputy.first_day, 'vi')} đến hết {locale.day(deputy.last_day, 'vi')}"
