"""What decisions do to units, prepared by one person and approved by another: founding, name, place, merger, end."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from kit import locale, sql
from units import places
from units.approvals.kinds import Difference, Prepared, Preview
from units.faces.page_approval import NOTHING
from units.history.decisions import Founding, add_unit, close_unit, merge_units, move_unit, rename_unit
from units.history.events import Decision
from units.lists.list_change import ListRefused, carry_out_list, try_list
from units.record.entries import SERVICE, Actor
from units.units import Unit, UnitNotFound

change_approval = sql.load(__file__, "change_approval")

# A list of a province is longer than anybody reads before approving it; the rest stands in the file.
_MOST_SHOWN = 200
# Whether a decision's day has come is asked when it is typed in and when it is approved, by the service's clock.
_ALL_DAYS_HAVE_COME = datetime(2999, 1, 1, tzinfo=UTC)


class New(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A unit that is to be founded, as its manager's administrator describes it."""

    code: str
    kind: str
    name: str
    short_name: str
    managed_by: str
    name_en: str = ""
    province_code: str | None = None
    commune_code: str | None = None
    governing_body: str = ""
    responsible_person: str = ""
    address: str = ""
    hotline: str = ""
    email: str = ""
    website: str | None = None
    decision: Decision | None = None

    @property
    def founding(self) -> Founding:
        """What the history takes."""
        facts = {fact: getattr(self, fact) for fact in self.__struct_fields__ if fact != "decision"}
        return Founding(Unit(**facts), self.decision)


class Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="add"):
    """Found one unit."""

    unit: New


class Import(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="import"):
    """Bring in a file of units."""

    content: bytes


class Rename(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="rename"):
    """Give a unit another name."""

    code: str
    name: str
    short_name: str
    name_en: str
    decision: Decision


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="move"):
    """Give a unit another manager, another place, or both; what is None stays."""

    code: str
    decision: Decision
    managed_by: str | None = None
    commune_code: str | None = None
    address: str | None = None


class Merge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="merge"):
    """Close units and let another one answer for them."""

    codes: list[str]
    into: str
    decision: Decision


class Close(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="what", tag="close"):
    """Close a unit that nobody succeeds."""

    code: str
    decision: Decision


UnitChange = Add | Import | Rename | Move | Merge | Close

TITLES: Mapping[type, str] = {
    Add: "Thành lập đơn vị", Import: "Nhập danh sách đơn vị", Rename: "Đổi tên đơn vị", Move: "Điều chuyển đơn vị",
    Merge: "Sáp nhập đơn vị", Close: "Giải thể đơn vị",
}  # fmt: skip


async def rehearse(transaction: asyncpg.Connection, change: UnitChange, now: datetime) -> None:
    """Raise what carrying the change out would raise now; nothing stays of it, nobody hears of it."""
    play = transaction.transaction()
    await play.start()
    try:
        await carry_out(transaction, change, SERVICE, now)
    finally:
        await play.rollback()


async def carry_out(transaction: asyncpg.Connection, change: UnitChange, actor: Actor, now: datetime) -> None:
    """Do to the units what was decided. Raises what `units.history.decisions` raises."""
    match change:
        case Add(unit):
            founding = unit.founding
            await add_unit(transaction, founding.unit, decision=founding.decision, actor=actor, now=now)
        case Import(content):
            await carry_out_list(transaction, content, actor, now)
        case Rename(code, name, short_name, name_en, decision):
            await rename_unit(
                transaction, code, name, short_name=short_name, name_en=name_en, decision=decision, actor=actor, now=now
            )
        case Move(code, decision, managed_by, commune_code, address):
            await move_unit(
                transaction, code, managed_by=managed_by, commune_code=commune_code, address=address,
                decision=decision, actor=actor, now=now,
            )  # fmt: skip
        case Merge(codes, into, decision):
            await merge_units(transaction, codes, into, decision=decision, actor=actor, now=now)
        case Close(code, decision):
            await close_unit(transaction, code, decision=decision, actor=actor, now=now)


class UnitChanges:
    """The kind `unit-change`; `about` is the unit's code, or `MANAGER:CODE` and `MANAGER:list` for what is new."""

    name = "unit-change"
    title = "Thay đổi về tổ chức đơn vị"

    async def prepare(self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any]) -> Prepared:  # noqa: ARG002 - the payload names its units
        """What would be different, after a rehearsal on the units as they are. Raises what carrying it out would."""
        change: UnitChange = msgspec.convert(payload, UnitChange)
        if not isinstance(change, Import):
            await rehearse(transaction, change, _ALL_DAYS_HAVE_COME)
        return Prepared(await _preview(transaction, change))

    async def take_effect(
        self,
        transaction: asyncpg.Connection,
        about: str,  # noqa: ARG002
        payload: dict[str, Any],
        takes_effect_at: datetime | None,  # noqa: ARG002 - a decision takes effect when it is recorded
        actor: Actor,
        now: datetime,
    ) -> None:
        """Carry the decision out, whole or not at all."""
        await carry_out(transaction, msgspec.convert(payload, UnitChange), actor, now)

    async def take_back(
        self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        """Nothing to undo: what was decided has happened, and is changed by another decision."""

    def address(self, about: str) -> str:
        """The page of the unit, or of who manages what is new."""
        return f"/can-bo/don-vi/{about.partition(':')[0]}"


def _decision_of(change: UnitChange) -> Decision | None:
    if isinstance(change, Import):
        return None
    return change.unit.decision if isinstance(change, Add) else change.decision


async def _preview(transaction: asyncpg.Connection, change: UnitChange) -> Preview:
    facts = [("Việc", TITLES[type(change)])]
    if decision := _decision_of(change):
        facts.append(("Quyết định", f"Số {decision.number}, có hiệu lực từ ngày {locale.day(decision.on, 'vi')}"))
    match change:
        case Add(unit):
            lines = await _new_lines(transaction, unit)
            return Preview(f"Thành lập {unit.name}", facts, lines, extra={"kind": unit.kind})
        case Import(content):
            return await _import_preview(transaction, content, facts)
        case Rename(code, name, short_name, name_en):
            row = await _row(transaction, code)
            lines = [
                Difference("Tên đơn vị", row["name"], name),
                Difference("Tên viết tắt", row["short_name"], short_name),
                Difference("Tên tiếng Anh", row["name_en"] or NOTHING, name_en or NOTHING),
            ]
            lines = [line for line in lines if line.before != line.after]
            return Preview(f"Đổi tên {row['name']}", [("Đơn vị", row["name"]), *facts], lines)
        case Move():
            return await _move_preview(transaction, change, facts)
        case Merge():
            return await _merge_preview(transaction, change, facts)
        case Close(code):
            row = await _row(transaction, code)
            line = Difference("Tình trạng", "Đang hoạt động", "Ngừng hoạt động")
            warnings = ["Trang của đơn vị vẫn được giữ để tra cứu, nhưng không còn trong danh sách đơn vị."]
            return Preview(f"Giải thể {row['name']}", [("Đơn vị", row["name"]), *facts], [line], warnings)


async def _new_lines(transaction: asyncpg.Connection, unit: New) -> list[Difference]:
    manager = await _row(transaction, unit.managed_by)
    told = [
        ("Mã đơn vị", unit.code),
        ("Tên đơn vị", unit.name),
        ("Tên viết tắt", unit.short_name),
        ("Tên tiếng Anh", unit.name_en),
        ("Đơn vị quản lý trực tiếp", manager["name"]),
        ("Địa bàn", _commune(unit.commune_code)),
        ("Địa chỉ", unit.address),
    ]
    return [Difference(what, NOTHING, text) for what, text in told if text]


async def _import_preview(transaction: asyncpg.Connection, content: bytes, facts: list[tuple[str, str]]) -> Preview:
    trial = await try_list(transaction, content, _ALL_DAYS_HAVE_COME)
    if trial.summary.error_count:
        raise ListRefused(count=trial.summary.error_count)
    lines, found = trial.differences, trial.summary
    facts = [*facts, ("Đơn vị mới", str(found.added)), ("Đơn vị thay đổi", str(found.changed))]
    left = len(lines) - _MOST_SHOWN
    warnings = [f"Bảng có {_MOST_SHOWN} dòng đầu; còn {left} dòng nữa theo tệp đã gửi."] if left > 0 else []
    return Preview(f"Danh sách {found.added + found.changed} đơn vị", facts, lines[:_MOST_SHOWN], warnings)


async def _move_preview(transaction: asyncpg.Connection, change: Move, facts: list[tuple[str, str]]) -> Preview:
    row = await _row(transaction, change.code)
    lines = []
    if change.managed_by and change.managed_by != row["managed_by"]:
        names = [(await _row(transaction, code))["name"] for code in (row["managed_by"], change.managed_by)]
        lines.append(Difference("Đơn vị quản lý trực tiếp", *names))
    if change.commune_code and change.commune_code != row["commune_code"]:
        lines.append(
            Difference("Địa bàn", _commune(row["commune_code"]) or NOTHING, _commune(change.commune_code) or NOTHING)
        )
    if change.address is not None and change.address != row["address"]:
        lines.append(Difference("Địa chỉ", row["address"] or NOTHING, change.address or NOTHING))
    return Preview(f"Điều chuyển {row['name']}", [("Đơn vị", row["name"]), *facts], lines)


async def _merge_preview(transaction: asyncpg.Connection, change: Merge, facts: list[tuple[str, str]]) -> Preview:
    into = await _row(transaction, change.into)
    lines, officers, below = [], 0, 0
    for code in change.codes:
        row = await _row(transaction, code)
        lines.append(Difference(row["name"], "Đang hoạt động", f"Sáp nhập vào {into['name']}"))
        officers, below = officers + row["officers"], below + row["below"]
    facts = [
        ("Đơn vị tiếp nhận", into["name"]),
        *facts,
        ("Số đơn vị sáp nhập", str(len(lines))),
        ("Cán bộ chuyển theo", str(officers)),
        ("Đơn vị trực thuộc chuyển theo", str(below)),
    ]
    warnings = ["Kỳ thi, cán bộ và đơn vị trực thuộc chuyển sang đơn vị tiếp nhận. Địa chỉ cũ dẫn đến trang mới."]
    return Preview(f"Sáp nhập vào {into['name']}", facts, lines, warnings)


async def _row(transaction: asyncpg.Connection, code: str) -> asyncpg.Record:
    row = await change_approval.find_unit(transaction, unit_code=code)
    if row is None:
        raise UnitNotFound(unit=code)
    return row


def _commune(code: str | None) -> str:
    try:
        return places.commune(code).name if code else ""
    except places.PlaceNotFound:
        return code or ""
