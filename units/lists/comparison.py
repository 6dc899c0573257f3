"""Compare the rows of a file of units with what is on record: what is new, what is different, what cannot be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kit.vietnamese import search_key
from units import places
from units.history.decisions import Founding
from units.history.rules import check_decision
from units.lists.rows import RowReader, Told
from units.places import Commune
from units.unit_tree import UnitTree
from units.units import DESCRIBABLE, Unit, UnitRefused

_NAMED = 5
# Whom the law makes responsible for a kind: the department for whatever has an upper secondary level.
_BY_DEPARTMENT = {"commune", "upper-secondary", "specialised", "continuing-education"}
_BY_COMMUNE = {"kindergarten", "primary", "lower-secondary", "community-learning"}
_EMPTY = dict.fromkeys(("governing_body", "responsible_person", "address", "hotline", "email", "name_en"), "")


class New(msgspec.Struct):
    """A row about a unit that is not on record."""

    told: Told
    founding: Founding


class Known(msgspec.Struct):
    """A row about a unit on record, and what is different: names and place by decision, the rest as described."""

    told: Told
    names: dict[str, str]
    place: dict[str, str]
    described: dict[str, str]


class Comparison:
    """What is on record and in the file, by code and by name."""

    def __init__(self, units: Sequence[Unit], told: Sequence[Told], reader: RowReader, now: datetime) -> None:
        self._tree, self._told, self._reader, self._now = UnitTree(units), told, reader, now
        self._units = {unit.code: unit for unit in units}
        self._root = units[0]
        self._new = {each.code: each for each in told if each.code not in self._units}
        self._by_name: dict[str, set[str]] = defaultdict(set)
        named = [(unit.code, unit.name) for unit in units if unit.closed_on is None]
        named += [(each.code, each.facts.get("name", "")) for each in self._new.values()]
        for code, name in named:
            self._by_name[search_key(name)].add(code)

    def run(self) -> tuple[list[New], list[Known]]:
        """Every row, as new or as known; what cannot be is noted by the reader."""
        new, known = [], []
        for told in self._told:
            if unit := self._units.get(told.code):
                known += self._compare(told, unit)
            else:
                new.append(self._found(told))
        return new, known

    def _found(self, told: Told) -> New:
        facts: dict[str, Any] = {"kind": "", "name": "", "website": None} | _EMPTY | told.facts
        facts.setdefault("short_name", facts["name"])
        for fact in ("name", "kind"):
            if not told.cells.get(fact):
                self._fault(f"{fact}_missing", told, fact, unit=told.code)
        facts["managed_by"] = self._manager(told)
        if not told.cells.get("managed_by"):
            self._fault("manager_missing", told, "managed_by", unit=told.code)
        self._look_at_manager(told, facts["kind"], facts["managed_by"])
        place = self._place(told, self._root)
        nowhere = {"province_code": None, "commune_code": None}
        unit = msgspec.convert({"code": told.code} | facts | nowhere | place, Unit)
        if told.decision:
            try:
                check_decision(told.decision, told.code, self._now)
            except UnitRefused as refused:
                self._reader.note(refused, told, "decision_date")
        return New(told, Founding(unit, told.decision))

    def _compare(self, told: Told, unit: Unit) -> list[Known]:
        if unit.closed_on:
            successor = self._tree.current(unit.code).code if unit.succeeded_by else "-"
            self._fault("unit_closed", told, "code", unit=unit.code, successor=successor)
            return []
        kind = told.facts.get("kind", unit.kind)
        if kind != unit.kind:
            self._fault("kind_differs", told, "kind", unit=unit.code, kind=unit.kind)
        place = {fact: value for fact, value in self._place(told, unit).items() if value != getattr(unit, fact)}
        manager = self._manager(told)
        if manager and manager != unit.managed_by:
            place["managed_by"] = manager
            self._look_at_manager(told, unit.kind, manager)
        names = self._new_names(told, unit)
        described = {
            fact: value
            for fact, value in told.facts.items()
            if fact in DESCRIBABLE and fact not in names and value != getattr(unit, fact)
        }
        if not any(getattr(unit, fact) for fact in place.keys() & {"province_code", "commune_code"}):
            # Where it stands was not known: that is no move.
            described |= {fact: place.pop(fact) for fact in ("province_code", "commune_code") if fact in place}
        if not told.cells.keys() & {"decision_number", "decision_date"}:
            self._ask_for_decision(told, unit, names, place)
        elif place and "address" in described:
            # It moves house by the same decision.
            place["address"] = described.pop("address")
        return [Known(told, names, place, described)] if names or place or described else []

    def _new_names(self, told: Told, unit: Unit) -> dict[str, str]:
        if told.facts.get("name", unit.name) == unit.name:
            return {}
        return {fact: told.facts[fact] for fact in ("name", "short_name", "name_en") if fact in told.facts}

    def _ask_for_decision(self, told: Told, unit: Unit, names: dict[str, str], place: dict[str, str]) -> None:
        if names:
            self._fault("name_needs_decision", told, "name", unit=unit.code, before=unit.name)
        if "managed_by" in place:
            self._fault("manager_needs_decision", told, "managed_by", unit=unit.code, before=unit.managed_by or "-")
        if place.keys() - {"managed_by"}:
            before = unit.commune_code or unit.province_code or "-"
            self._fault("place_needs_decision", told, "commune", unit=unit.code, before=before)

    def _manager(self, told: Told) -> str | None:
        cell = told.cells.get("managed_by")
        if not cell:
            return None
        if unit := self._units.get(cell):
            if unit.closed_on:
                self._fault("manager_closed", told, "managed_by", cell)
            return unit.code
        if cell in self._new:
            return cell
        codes = sorted(self._by_name.get(search_key(cell), ()))
        if len(codes) == 1:
            return codes[0]
        code = "manager_ambiguous" if codes else "manager_unknown"
        self._fault(code, told, "managed_by", cell, codes=_listed(codes))
        return None

    def _look_at_manager(self, told: Told, kind: str, manager: str | None) -> None:
        if manager is None:
            return
        known = self._units.get(manager)
        manager_kind = known.kind if known else self._new[manager].facts.get("kind", "")
        if kind in _BY_DEPARTMENT and manager_kind != "department":
            self._fault("manager_unusual", told, "managed_by", told.cells["managed_by"], usual="usually_the_department")
        if kind in _BY_COMMUNE and manager_kind != "commune":
            self._fault("manager_unusual", told, "managed_by", told.cells["managed_by"], usual="usually_its_commune")

    def _place(self, told: Told, unit: Unit) -> dict[str, str]:
        """Province and commune where the row names one; `unit` tells the province where the row does not."""
        province = self._province(told)
        cell = told.cells.get("commune")
        if not cell:
            return {"province_code": province} if province else {}
        usual = province or unit.province_code or self._root.province_code
        found = self._communes(cell, province, usual)
        if len(found) == 1:
            return {"province_code": found[0].province_code, "commune_code": found[0].code}
        code = "commune_ambiguous" if found else "commune_unknown"
        self._fault(code, told, "commune", cell, codes=_listed(commune.code for commune in found))
        return {}

    def _province(self, told: Told) -> str | None:
        cell = told.cells.get("province")
        if not cell:
            return None
        wanted = cell.zfill(2) if cell.isdecimal() else places.bare_key(cell)
        for province in (*places.provinces(), *self._own_province()):
            if wanted in (province.code, places.bare_key(province.name)):
                return province.code
        self._fault("province_unknown", told, "province", cell)
        return None

    def _own_province(self) -> list[places.Province]:
        """The demo's stands in no list."""
        return [places.province(self._root.province_code)] if self._root.province_code else []

    def _communes(self, cell: str, province: str | None, usual: str | None) -> list[Commune]:
        if cell.isdecimal():
            # A workbook keeps 00070 as the number 70.
            try:
                found = places.commune(cell.zfill(5))
            except places.PlaceNotFound:
                return []
            return [found] if province in (None, found.province_code) else []
        return places.communes_called(cell, usual)

    def _fault(self, code: str, told: Told, role: str, cell: str = "", **facts: object) -> None:
        self._reader.fault(code, told.row, role, cell or told.cells.get(role, ""), facts=facts)


def _listed(codes: Iterable[str]) -> str:
    listed = list(codes)
    return ", ".join(listed[:_NAMED]) + (", …" if len(listed) > _NAMED else "")
