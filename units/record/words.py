"""Entries of the record in the words of those who read it: who did what to what, field by field."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from kit.locale import day, moment_in_words
from units.unit_tree import UnitTree
from units.units import UnitNotFound

_WORDS = tomllib.loads((Path(__file__).parent / "data" / "words.toml").read_text(encoding="utf-8"))
ACTIONS: Mapping[str, str] = _WORDS["actions"]
_OBJECTS, _THROUGH, _FACTS, _VALUES = (_WORDS[part] for part in ("objects", "through", "facts", "values"))
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d.*)?")
_NOTHING = "(trống)"
_PAIR = 2
# Which facts are codes of units, and which things are named by one.
_UNITS = frozenset({"decided_in", "from_unit", "into", "managed_by", "unit"})
_OF_UNITS = frozenset({"unit-page", "unit-change"})


class Line(msgspec.Struct, frozen=True):
    """One fact of an entry; a change has what was before and after."""

    name: str
    text: str
    before: str | None = None


class Told(msgspec.Struct, frozen=True):
    """An entry in words. `who` is a name, or how it came without one; `what` is what was done; `about` to what."""

    who: str
    what: str
    about: str
    unit: str
    through: str
    facts: list[Line]
    changes: list[Line]


def is_id(text: str) -> bool:
    """Whether it looks like the number of an officer or an approval."""
    return bool(_ID.fullmatch(text))


def people_in(entries: Iterable[Any]) -> list[str]:
    """Numbers of all who may be officers in these entries: doers, objects, and whoever the details name."""
    found: set[str] = set()
    for entry in entries:
        found |= {entry.officer_id or "", entry.object_id, *_texts(entry.details)}
    return sorted(each for each in found if is_id(each))


def tell(entry: Any, names: Mapping[str, str], tree: UnitTree) -> Told:
    """The entry in words; `names` are officers' names by number."""
    say = partial(_say, names=names)
    details = dict(entry.details)
    changes = details.pop("changes", {})
    return Told(
        who=names.get(entry.officer_id or "", "") or ("Cán bộ" if entry.officer_id else _nobody(entry)),
        what=ACTIONS.get(entry.action, entry.action),
        about=_about(entry, names, tree),
        unit=unit_name(entry.unit_code, tree),
        through=_THROUGH.get(entry.through, entry.through),
        facts=[_fact(name, value, say, tree) for name, value in details.items() if name != "thing"],
        changes=[_change(name, value, say) for name, value in changes.items()] if isinstance(changes, dict) else [],
    )


def unit_name(code: str | None, tree: UnitTree) -> str:
    """A unit by name, closed ones included; the code where the tree does not know it."""
    if code is None:
        return ""
    try:
        return tree.find(code).name
    except UnitNotFound:
        return code


def _nobody(entry: Any) -> str:
    return {"command": "Dòng lệnh", "service": "Hệ thống"}.get(entry.through, "Người chưa đăng nhập")


def _about(entry: Any, names: Mapping[str, str], tree: UnitTree) -> str:
    kind, details = _OBJECTS.get(entry.object_kind, entry.object_kind), entry.details
    match entry.object_kind:
        case "unit":
            return unit_name(entry.object_id, tree)
        case "officer":
            return names.get(entry.object_id, kind)
        # Numbers that nobody has seen elsewhere say nothing: whom or what it is about does.
        case "deputy":
            return names.get(str(details.get("deputy")), kind)
        case "approval" if isinstance(details.get("thing"), list):
            return _thing(*map(str, details["thing"]), tree=tree)
        case "sign_in" | "record":
            return kind if entry.object_kind == "sign_in" else ""
    return f"{kind} {entry.object_id}"


def _thing(thing: str, about: str, *, tree: UnitTree) -> str:
    return f"{_VALUES.get(thing, thing)}, {unit_name(about, tree) if thing in _OF_UNITS else about}"


def _fact(name: str, value: Any, say: Any, tree: UnitTree) -> Line:
    is_unit = name in _UNITS and isinstance(value, str)
    return Line(_FACTS.get(name, name), unit_name(value, tree) if is_unit else say(value))


def _change(name: str, value: Any, say: Any) -> Line:
    label = _FACTS.get(name, name)
    if isinstance(value, list) and len(value) == _PAIR:
        return Line(label, say(value[1]), say(value[0]))
    return Line(label, say(value))


def _say(value: Any, names: Mapping[str, str]) -> str:
    say = partial(_say, names=names)
    if value is None or value in ("", [], {}):
        return _NOTHING
    if isinstance(value, bool):
        return "có" if value else "không"
    if isinstance(value, list):
        return ", ".join(say(each) for each in value)
    if isinstance(value, dict):
        return "; ".join(f"{_FACTS.get(name, name)}: {say(each)}" for name, each in value.items())
    text = str(value)
    return names.get(text) or ACTIONS.get(text) or _VALUES.get(text) or _moment(text)


def _moment(text: str) -> str:
    """Days and moments as official papers write them; anything else as it is."""
    if not _MOMENT.fullmatch(text):
        return text
    try:
        if "T" not in text:
            return day(date.fromisoformat(text), "vi")
        return moment_in_words(datetime.fromisoformat(text))
    except ValueError:
        return text


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
