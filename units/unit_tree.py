"""Who manages whom, and who follows whom: the units as a tree."""

from collections.abc import Iterable, Iterator

from units.units import Unit, UnitNotFound


class UnitTree:
    """All units by code; a closed one leads to its successor. Rights run along `managed_by`, never along a place.

    What was found out once is remembered: the tree is never changed, a node makes a new one.
    """

    def __init__(self, units: Iterable[Unit]) -> None:
        self._units = {unit.code: unit for unit in units}
        self._current: dict[str, Unit] = {}
        self._lines: dict[str, tuple[str, ...]] = {}
        self._below: dict[str, list[Unit]] | None = None

    def __iter__(self) -> Iterator[Unit]:
        """Every unit, the root first, closed ones included."""
        return iter(self._units.values())

    def __len__(self) -> int:
        return len(self._units)

    def find(self, code: str) -> Unit:
        """The unit of exactly this code, closed or not. Raises UnitNotFound."""
        try:
            return self._units[code]
        except KeyError:
            raise UnitNotFound(unit=code) from None

    def current(self, code: str) -> Unit:
        """The unit that answers for this code today: itself, or the last of its successors. Raises UnitNotFound."""
        if known := self._current.get(code):
            return known
        unit = self.find(code)
        seen = {unit.code}
        while unit.succeeded_by and unit.succeeded_by not in seen:
            unit = self.find(unit.succeeded_by)
            seen.add(unit.code)
        self._current[code] = unit
        return unit

    def managers(self, code: str) -> list[Unit]:
        """Who manages the unit that answers for this code: the nearest first, the root last; empty for the root."""
        return [self._units[above] for above in self._line(self.current(code))[1:]]

    def is_at_or_below(self, code: str, other: str) -> bool:
        """Whether `code` is the unit `other`, or is managed by it, directly or through others.

        Each by its code, old or new. Raises UnitNotFound.
        """
        return self.current(other).code in self._line(self.current(code))

    def managed_by(self, code: str) -> list[Unit]:
        """The open units directly managed by this one, in the tree's order."""
        if self._below is None:
            self._below = {}
            for unit in self:
                if unit.closed_on is None and unit.managed_by:
                    self._below.setdefault(self.current(unit.managed_by).code, []).append(unit)
        return list(self._below.get(self.current(code).code, ()))

    def _line(self, unit: Unit) -> tuple[str, ...]:
        """The codes from a current unit up to the root."""
        if known := self._lines.get(unit.code):
            return known
        line = [unit.code]
        while unit.managed_by:
            unit = self.current(unit.managed_by)
            if unit.code in line:
                break
            line.append(unit.code)
        self._lines[line[0]] = tuple(line)
        return self._lines[line[0]]
