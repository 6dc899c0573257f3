"""Who manages whom, and who follows whom: the units as a tree."""

from collections.abc import Iterable, Iterator

from units.units import Unit, UnitNotFound


class UnitTree:
    """All units by code; a closed one leads to its successor. Rights run along `managed_by`, never along a place."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {unit.code: unit for unit in units}

    def __iter__(self) -> Iterator[Unit]:
        """Every unit, the root first, closed ones included."""
        return iter(self._units.values())

    def find(self, code: str) -> Unit:
        """The unit of exactly this code, closed or not. Raises UnitNotFound."""
        try:
            return self._units[code]
        except KeyError:
            raise UnitNotFound(unit=code) from None

    def current(self, code: str) -> Unit:
        """The unit that answers for this code today: itself, or the last of its successors. Raises UnitNotFound."""
        unit = self.find(code)
        seen = {unit.code}
        while unit.succeeded_by and unit.succeeded_by not in seen:
            unit = self.find(unit.succeeded_by)
            seen.add(unit.code)
        return unit

    def managers(self, code: str) -> list[Unit]:
        """Who manages the unit that answers for this code: the nearest first, the root last; empty for the root."""
        chain, unit = [], self.current(code)
        while unit.managed_by:
            unit = self.current(unit.managed_by)
            if unit in chain:
                break
            chain.append(unit)
        return chain

    def is_at_or_below(self, code: str, other: str) -> bool:
        """Whether `code` is the unit `other`, or is managed by it, directly or through others."""
        return other in {self.current(code).code, *(unit.code for unit in self.managers(code))}

    def managed_by(self, code: str) -> list[Unit]:
        """The open units directly managed by this one, in the tree's order."""
        current = self.current(code).code
        return [
            unit
            for unit in self
            if unit.closed_on is None and unit.managed_by and self.current(unit.managed_by).code == current
        ]
