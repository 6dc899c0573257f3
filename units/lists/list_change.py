"""A file of units, handed in for approval: tried on the units as they are, every mistake told, then taken whole."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec

from kit.errors import DomainError
from units.approvals.kinds import Difference
from units.faces.page_approval import NOTHING
from units.lists.unit_import import UnitImportSummary, import_units
from units.record.entries import SERVICE, Actor
from units.units import Unit, list_units

# The units of a province, as CSV or workbook, several times over.
LARGEST_FILE = 2**20
# What an import changes, and what it is called.
_FACTS = {
    "name": "tên", "short_name": "tên viết tắt", "name_en": "tên tiếng Anh", "managed_by": "đơn vị quản lý trực tiếp",
    "commune_code": "địa bàn", "governing_body": "cơ quan chủ quản", "responsible_person": "người chịu trách nhiệm",
    "address": "địa chỉ", "hotline": "đường dây nóng", "email": "thư điện tử", "website": "trang thông tin điện tử",
}  # fmt: skip


class ListRefused(DomainError):
    """The file has mistakes, or they have come about since it was handed in."""

    code = "unit_list_refused"
    status = 422


class Trial(msgspec.Struct, frozen=True):
    """What a file would do. `before` and `after` hold only the units that would be different."""

    summary: UnitImportSummary
    before: dict[str, Unit]
    after: dict[str, Unit]

    @property
    def differences(self) -> list[Difference]:
        """Unit by unit, fact by fact."""
        return [line for code, unit in self.after.items() for line in _lines(self.before.get(code), unit)]


async def try_list(transaction: asyncpg.Connection, content: bytes, now: datetime) -> Trial:
    """What the file would do to the units as they are; nothing stays of it. Raises TableError."""
    play = transaction.transaction()
    await play.start()
    try:
        before = {unit.code: unit for unit in await list_units(transaction)}
        summary = await _bring_in(transaction, content, SERVICE, now)
        after = {unit.code: unit for unit in await list_units(transaction) if before.get(unit.code) != unit}
        return Trial(summary, {code: unit for code, unit in before.items() if code in after}, after)
    finally:
        await play.rollback()


async def carry_out_list(transaction: asyncpg.Connection, content: bytes, actor: Actor, now: datetime) -> None:
    """Take the file in, whole. Raises ListRefused, TableError."""
    summary = await _bring_in(transaction, content, actor, now)
    if not summary.stored:
        raise ListRefused(count=summary.error_count)


async def _bring_in(transaction: asyncpg.Connection, content: bytes, actor: Actor, now: datetime) -> UnitImportSummary:
    # Under a name of ours: what it is shows in what it holds.
    with tempfile.TemporaryDirectory(prefix="baodanh-") as folder:
        path = Path(folder) / "danh-sach"
        await asyncio.to_thread(path.write_bytes, content)
        return await import_units(transaction, path, actor=actor, now=now)


def _lines(before: Unit | None, after: Unit) -> list[Difference]:
    if before is None:
        return [Difference(f"{after.code}: đơn vị mới", NOTHING, after.name)]
    pairs = [(name, getattr(before, fact), getattr(after, fact)) for fact, name in _FACTS.items()]
    return [
        Difference(f"{before.name}: {name}", was or NOTHING, will or NOTHING)
        for name, was, will in pairs
        if (was or "") != (will or "")
    ]
