"""What editors find on their first page: drafts, files that wait for a word of theirs, results not handed in."""

from datetime import datetime
from typing import Any

from kit import locale, sql
from kit.sql import Database
from lookup.exam_approvals import ANNOUNCEMENT, RELEASE
from units.approvals.lists import find_waiting
from units.approvals.places import all_codes
from units.officers.home_page import HomeItem, HomeSection
from units.officers.officers import Officer
from units.unit_tree import UnitTree

preparation = sql.load(__file__, "preparation")

_LIST = "/can-bo/ky-thi"
_MOST = 5


async def exams_in_preparation(
    database: Database, officer: Officer, tree: UnitTree, _now: datetime
) -> HomeSection | None:
    """The exams of the units for which the officer prepares them, each with its next step; None for other roles."""
    codes = all_codes(tree, set(officer.units_where("prepare_exam", tree)))
    rows: list[Any] = await preparation.list_in_preparation(database, unit_codes=codes) if codes else []
    items: list[HomeItem] = []
    for row in rows:
        items += await _steps_of(database, row, tree)
        if len(items) > _MOST:
            break
    more = (_LIST, "Tất cả kỳ thi của đơn vị") if len(items) > _MOST else None
    return HomeSection("Kỳ thi đang chuẩn bị", items[:_MOST], more) if items else None


async def _steps_of(database: Database, row: Any, tree: UnitTree) -> list[HomeItem]:
    """The file and the results that wait for somebody; the draft itself when there is neither."""
    found = [_file(row, tree)] if row["file_id"] else []
    # What was handed in stands in a section of its own, and with whoever decides.
    if await find_waiting(database, RELEASE, row["code"]):
        return found
    if row["results"] is not None:
        return [*found, _results(row, tree)]
    if found or not row["is_draft"] or await find_waiting(database, ANNOUNCEMENT, row["code"]):
        return found
    return [HomeItem(_address(row), row["name"], _unit(row, tree), tag="Bản nháp")]


def _file(row: Any, tree: UnitTree) -> HomeItem:
    tag, tone = _state_of_file(row)
    detail = f"{row['file_name']} · {_unit(row, tree)}"
    address = f"{_address(row)}/tep/{row['file_id']}"
    return HomeItem(address, row["name"], detail, row["uploaded_at"], "Gửi lúc", tag, tone)


def _state_of_file(row: Any) -> tuple[str, str]:
    if row["state"] == "refused":
        return "Không đọc được tệp", "wrong"
    if row["state"] == "failed":
        return "Chưa xử lý được tệp", "wrong"
    if row["state"] != "checked":
        return "Đang xử lý tệp", "wait"
    if row["error_count"]:
        return f"Tệp có {locale.count(row['error_count'], 'vi')} lỗi", "wrong"
    return ("Chờ xác nhận nhập", "wait") if row["to_import"] else ("Tệp không có gì mới", "plain")


def _results(row: Any, tree: UnitTree) -> HomeItem:
    detail = f"{locale.count(row['results'], 'vi')} kết quả chưa công bố · {_unit(row, tree)}"
    return HomeItem(_address(row), row["name"], detail, row["imported_at"], "Nhập lúc", "Chưa trình công bố", "wait")


def _address(row: Any) -> str:
    return f"{_LIST}/{row['code']}"


def _unit(row: Any, tree: UnitTree) -> str:
    unit = tree.current(row["unit_code"])
    return unit.short_name or unit.name
