"""The directory of units: found by place, level, kind, and by any name they have or had, marks or not."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any

import msgspec

from kit import vietnamese
from units.unit_tree import UnitTree
from units.units import Unit

# Which kinds a family means by a level (cấp học), in the order in which a child meets them.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "administration": ("department", "commune", "historical-office"),
    "kindergarten": ("kindergarten",),
    "primary": ("primary",),
    "lower-secondary": ("lower-secondary",),
    "upper-secondary": ("upper-secondary", "specialised"),
    "continuing": ("continuing-education", "community-learning"),
}
KINDS: tuple[str, ...] = tuple(kind for kinds in LEVELS.values() for kind in kinds)
_RANK = {level: rank for rank, level in enumerate(LEVELS)}
_LEVEL_OF = {kind: level for level, kinds in LEVELS.items() for kind in kinds}

ON_A_PAGE = 50
_LONGEST_TEXT = 100
# Names stay when the tree changes: their keys are made once.
_REMEMBERED = 20_000
# Farther than any directory reaches.
_MOST_DIGITS = 6


@lru_cache(maxsize=_REMEMBERED)
def search_key(name: str) -> str:
    """As in `kit.vietnamese`."""
    return vietnamese.search_key(name)


@lru_cache(maxsize=_REMEMBERED)
def sort_key(name: str) -> tuple[object, ...]:
    """As in `kit.vietnamese`."""
    return vietnamese.sort_key(name)


class Wanted(msgspec.Struct, frozen=True):
    """What somebody looks for; an empty text leaves a condition out."""

    text: str = ""
    commune: str = ""
    level: str = ""
    kind: str = ""
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        """Whether any condition is set."""
        return bool(self.text or self.commune or self.level or self.kind)


class Entry(msgspec.Struct, frozen=True):
    """A unit as it is found: `earlier` are names it had, or units had that it took over, each with its search key."""

    unit: Unit
    key: str
    code_key: str
    earlier: tuple[tuple[str, str], ...]
    order: tuple[Any, ...]

    def earlier_names(self, words: Collection[str]) -> list[str]:
        """The former names to show to somebody who typed `words`: those that fit where today's does not."""
        if _has(self.key, words):
            return []
        return [name for name, key in self.earlier if _has(key, words)]


class Found(msgspec.Struct, frozen=True):
    """One line of a listing."""

    unit: Unit
    earlier_names: list[str]


class Choice(msgspec.Struct, frozen=True):
    """One value that a condition may take, and how many units it would show."""

    value: str
    name: str
    count: int


class Listing(msgspec.Struct, frozen=True):
    """One page of what was found. `groups`: by commune, or by level where a commune was chosen, each with its lines."""

    wanted: Wanted
    groups: list[tuple[str, list[Found]]]
    count: int
    total: int
    page: int
    pages: int
    communes: list[Choice]
    levels: list[Choice]
    kinds: list[Choice]


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """What an address asks for; what it does not know is left out rather than refused."""
    level, kind, page = (query.get(name, "") for name in ("cap", "loai", "trang"))
    return Wanted(
        text=" ".join(query.get("q", "")[:_LONGEST_TEXT].split()),
        commune=query.get("dia-ban", "")[:_LONGEST_TEXT],
        level=level if level in LEVELS else "",
        kind=kind if kind in KINDS else "",
        page=int(page) if page.isascii() and page.isdigit() and len(page) <= _MOST_DIGITS else 1,
    )


def level_of(unit: Unit) -> str:
    """The level that a unit belongs to."""
    return _LEVEL_OF[unit.kind]


class Directory:
    """Everybody in one tree. Made once for each tree, then searched from memory.

    `former_names` are pairs of unit code and name. `commune_name` tells what a commune code stands for.
    """

    def __init__(
        self,
        tree: UnitTree,
        former_names: Iterable[tuple[str, str]] = (),
        commune_name: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._commune_names = _commune_names(tree, commune_name)
        earlier = _earlier_names(tree, former_names)
        entries = [self._entry(unit, earlier.get(unit.code, [])) for unit in tree if not unit.succeeded_by]
        self._entries = sorted(entries, key=lambda entry: entry.order)

    def commune_name(self, code: str | None) -> str:
        """What the commune is called; empty for none."""
        return self._commune_names.get(code or "", "")

    def find(self, wanted: Wanted, *, among: Collection[str] | None = None) -> Listing:
        """The page that was asked for, or the last one there is. `among`: only units with these codes.

        A closed unit without a successor is found by its name only: nobody looks for it in a list.
        """
        there = [entry for entry in self._entries if among is None or entry.unit.code in among]
        open_ones = [entry for entry in there if entry.unit.closed_on is None]
        words = vietnamese.search_key(wanted.text).split()
        found = [entry for entry in (there if words else open_ones) if _fits(entry, wanted, words)]
        pages = max(1, -(-len(found) // ON_A_PAGE))
        page = min(max(wanted.page, 1), pages)
        shown = found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
        return Listing(
            wanted=wanted,
            groups=self._groups(shown, by_level=bool(wanted.commune), words=words),
            count=len(found),
            total=len(open_ones),
            page=page,
            pages=pages,
            communes=self._communes(open_ones),
            levels=_choices((level_of(entry.unit) for entry in open_ones), list(LEVELS)),
            kinds=_choices((entry.unit.kind for entry in open_ones), KINDS),
        )

    def _entry(self, unit: Unit, earlier: list[str]) -> Entry:
        key = search_key(f"{unit.name} {unit.short_name} {unit.name_en}")
        place = sort_key(self.commune_name(unit.commune_code)), unit.commune_code or ""
        order = (*place, _RANK[level_of(unit)], sort_key(unit.name))
        code_key = f"{unit.code} {unit.code.replace('-', ' ')}"
        return Entry(unit, key, code_key, tuple((name, search_key(name)) for name in earlier), order)

    def _groups(self, shown: list[Entry], *, by_level: bool, words: list[str]) -> list[tuple[str, list[Found]]]:
        def group_of(entry: Entry) -> str:
            return level_of(entry.unit) if by_level else self.commune_name(entry.unit.commune_code)

        return [
            (name, [Found(entry.unit, entry.earlier_names(words)) for entry in entries])
            for name, entries in groupby(shown, key=group_of)
        ]

    def _communes(self, entries: list[Entry]) -> list[Choice]:
        counts = Counter(entry.unit.commune_code for entry in entries if entry.unit.commune_code)
        choices = [Choice(code, self.commune_name(code), count) for code, count in counts.items()]
        return sorted(choices, key=lambda choice: (sort_key(choice.name), choice.value))


def _fits(entry: Entry, wanted: Wanted, words: list[str]) -> bool:
    unit = entry.unit
    return (
        (not wanted.commune or unit.commune_code == wanted.commune)
        and (not wanted.level or level_of(unit) == wanted.level)
        and (not wanted.kind or unit.kind == wanted.kind)
        and any(_has(key, words) for key in (entry.key, entry.code_key, *(key for _, key in entry.earlier)))
    )


def _has(key: str, words: Collection[str]) -> bool:
    """Whether each of the words begins one there: `hoa` finds no `khoa`."""
    return all(f" {word}" in f" {key}" for word in words)


def _choices(values: Iterable[str], order: Iterable[str]) -> list[Choice]:
    counts = Counter(values)
    return [Choice(value, value, counts[value]) for value in order if counts[value]]


def _earlier_names(tree: UnitTree, former_names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """By the code of who answers today: its own former names, and every name of those it took over."""
    known = {unit.code for unit in tree}
    names = [(code, name) for code, name in former_names if code in known]
    names += [(unit.code, name) for unit in tree if unit.succeeded_by for name in (unit.name, unit.short_name)]
    earlier: dict[str, list[str]] = {}
    for code, name in names:
        heir = tree.current(code)
        mine = earlier.setdefault(heir.code, [])
        if name and name not in (heir.name, heir.short_name, *mine):
            mine.append(name)
    return earlier


def _commune_names(tree: UnitTree, commune_name: Callable[[str], str | None]) -> dict[str, str]:
    """By code. Where the state's list does not know a commune, the unit that governs it does."""
    governing = {unit.commune_code: unit.short_name for unit in tree if unit.kind == "commune" and unit.commune_code}
    codes = {unit.commune_code for unit in tree if unit.commune_code}
    return {code: commune_name(code) or governing.get(code) or code for code in codes}
