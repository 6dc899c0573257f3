"""Decisions about units as their forms are read: each field by itself, then the decision as a whole."""

from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from units.desk.unit_forms import Reading
from units.directory.search import Directory
from units.history.change_approval import Add, Close, Merge, Move, New, Rename, UnitChange
from units.officers.officers import Officer
from units.unit_tree import UnitTree
from units.units import Unit


class Desk(msgspec.Struct, frozen=True):
    """What the reading of a form rests on."""

    unit: Unit
    officer: Officer
    tree: UnitTree
    directory: Directory
    now: datetime

    @property
    def reach(self) -> set[str]:
        """Units that the officer may name: those whose manager she administers, and managers themselves."""
        return set(self.officer.units_where("change_units", self.tree))

    @property
    def own(self) -> set[str]:
        """Units whose name, place and end the officer may change."""
        return {
            unit.code
            for unit in self.tree
            if unit.closed_on is None and self.officer.may("change_units", unit.managed_by or unit.code, self.tree)
        }


def _read_new(reading: Reading, desk: Desk) -> Add | None:
    name = reading.line("name", required=True)
    new = New(
        code=reading.code("code"),
        kind=reading.kind("kind"),
        name=name,
        short_name=reading.line("short_name") or name,
        managed_by=desk.unit.code,
        name_en=reading.line("name_en"),
        province_code=desk.unit.province_code,
        commune_code=reading.commune("commune", desk.unit.province_code),
        address=reading.line("address"),
        decision=reading.decision(desk.now, required=False),
    )
    return None if reading.errors else Add(new)


def _read_name(reading: Reading, desk: Desk) -> Rename | None:
    name = reading.line("name", required=True)
    short_name, name_en = reading.line("short_name") or name, reading.line("name_en")
    decision = reading.decision(desk.now)
    return Rename(desk.unit.code, name, short_name, name_en, decision) if decision else None


def _read_move(reading: Reading, desk: Desk) -> Move | None:
    typed = reading.line("managed_by")
    manager = reading.unit("managed_by", typed, desk.directory, desk.reach) if typed else None
    commune = reading.commune("commune", desk.unit.province_code)
    address = reading.line("address")
    decision = reading.decision(desk.now)
    if decision is None:
        return None
    return Move(
        desk.unit.code,
        decision,
        manager,
        None if commune == desk.unit.commune_code else commune,
        None if address == desk.unit.address else address,
    )


def _read_merger(reading: Reading, desk: Desk) -> Merge | None:
    typed = reading.line("into", required=True)
    into = reading.unit("into", typed, desk.directory, desk.own) if typed else None
    lines = [" ".join(line.split()) for line in reading.text("others").splitlines() if line.strip()]
    others = [reading.unit("others", line, desk.directory, desk.own) for line in lines]
    decision = reading.decision(desk.now)
    if into is None or decision is None or None in others:
        return None
    return Merge([desk.unit.code, *(code for code in others if code)], into, decision)


def _read_end(reading: Reading, desk: Desk) -> Close | None:
    decision = reading.decision(desk.now)
    return Close(desk.unit.code, decision) if decision else None


READERS: Mapping[type, Callable[[Reading, Desk], UnitChange | None]] = {
    Add: _read_new, Rename: _read_name, Move: _read_move, Merge: _read_merger, Close: _read_end,
}  # fmt: skip
