"""Look the record up: by time, officer, unit, action, object and request, never beyond what one may see."""

import re
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from kit import sql
from kit.clock import VIETNAM
from kit.errors import FieldError, InvalidForm
from kit.sql import Database
from units.officers.officers import NotPermitted, Officer
from units.record.words import ACTIONS
from units.unit_tree import UnitTree

search = sql.load(__file__, "search")

PAGE = 50
_STRETCH = 1000
_REQUEST_ID = re.compile(r"[0-9a-f]{32}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST = 200
_PLACE = re.compile(r"(\d{1,18})-(\d{1,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reach(msgspec.Struct, frozen=True):
    """Whose entries an officer may see: of these units; `unitless`: also those that concern no unit."""

    units: list[str]
    unitless: bool


class Filter(msgspec.Struct, frozen=True):
    """What is looked for. Days are those of Viet Nam, both included."""

    officer_id: str | None = None
    unit_code: str | None = None
    action: str | None = None
    object_id: str | None = None
    request_id: str | None = None
    since: date | None = None
    until: date | None = None

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address: nothing that says who somebody is but an officer's number."""
        told = {name: getattr(self, field) for name, field in _IN_ADDRESS.items()}
        return {name: str(value) for name, value in told.items() if value is not None}

    @property
    def facts(self) -> dict[str, str]:
        """As the record keeps it."""
        told = {name: getattr(self, field) for name, field in _AS_FACTS.items()}
        return {name: str(value) for name, value in told.items() if value is not None}


_IN_ADDRESS = {
    "tu": "since", "den": "until", "can-bo": "officer_id", "don-vi": "unit_code", "viec": "action",
    "doi-tuong": "object_id", "yeu-cau": "request_id",
}  # fmt: skip
_AS_FACTS = {
    "since": "since", "until": "until", "officer": "officer_id", "unit": "unit_code", "action": "action",
    "object": "object_id", "request": "request_id",
}  # fmt: skip


class Entry(msgspec.Struct, frozen=True):
    """An entry as it is read; `number` is none while it is not in the chain yet."""

    id: int
    at: datetime
    officer_id: str | None
    through: str
    unit_code: str | None
    action: str
    object_kind: str
    object_id: str
    address: str | None
    request_id: str | None
    details: dict[str, Any]
    number: int | None

    @property
    def place(self) -> str:
        """Where the next page begins, as it stands in an address."""
        return f"{(self.at - _EPOCH) // timedelta(microseconds=1)}-{self.id}"


def reach_of(officer: Officer, tree: UnitTree, action: Any = "read_record") -> Reach:
    """Closed units included: their entries are their successors'. Raises NotPermitted when there is nothing to see."""
    codes = [unit.code for unit in tree if officer.may(action, unit.code, tree)]
    if not codes:
        raise NotPermitted
    root = next(iter(tree)).code
    return Reach(codes, unitless=root in codes)


async def list_entries(
    database: Database, reach: Reach, wanted: Filter, *, after: str | None = None, at_most: int = PAGE
) -> list[Entry]:
    """The newest that match, or those after (older than) a place."""
    before_at, before_id = _read_place(after)
    rows = await search.list_entries(
        database,
        **msgspec.structs.asdict(reach),
        **msgspec.structs.asdict(wanted) | {"since": _begin(wanted.since), "until": _end(wanted.until)},
        before_at=before_at,
        before_id=before_id,
        at_most=at_most,
    )
    return [Entry(**dict(row) | {"details": msgspec.json.decode(row["details"])}) for row in rows]


async def all_entries(database: Database, reach: Reach, wanted: Filter) -> AsyncIterator[list[Entry]]:
    """Everything that matches, the newest first, a stretch at a time; no connection is held between stretches."""
    after = None
    while entries := await list_entries(database, reach, wanted, after=after, at_most=_STRETCH):
        yield entries
        after = entries[-1].place


async def read_filter(database: Database, reach: Reach, typed: Mapping[str, str]) -> Filter:
    """What the form says. Raises InvalidForm: what is not in the record that one may see, is not looked for.

    So an address never holds anything that somebody typed but what the record holds anyway.
    """
    errors: list[FieldError] = []
    since, until = _read_day("tu", typed, errors), _read_day("den", typed, errors)
    if since and until and until < since:
        errors.append(FieldError("den", "period_backwards"))
    told = {name: typed.get(name, "").strip()[:_LONGEST] or None for name in (*_IN_ADDRESS, "thu")}
    officer_id = await _find_officer(database, reach, told, errors)
    if told["don-vi"] and told["don-vi"] not in reach.units:
        errors.append(FieldError("don-vi", "record_unit_unknown"))
    if told["viec"] and told["viec"] not in ACTIONS:
        errors.append(FieldError("viec", "record_action_unknown"))
    if told["doi-tuong"] and not await search.find_object(
        database, **msgspec.structs.asdict(reach), object_id=told["doi-tuong"]
    ):
        errors.append(FieldError("doi-tuong", "record_object_unknown"))
    if told["yeu-cau"] and not _REQUEST_ID.fullmatch(told["yeu-cau"]):
        errors.append(FieldError("yeu-cau", "request_id_malformed"))
    if errors:
        raise InvalidForm(errors)
    return Filter(officer_id, told["don-vi"], told["viec"], told["doi-tuong"], told["yeu-cau"], since, until)


async def count_waiting(database: Database) -> int:
    """How many entries are not in the chain yet."""
    return await search.count_waiting(database)


async def _find_officer(
    database: Database, reach: Reach, told: Mapping[str, str | None], errors: list[FieldError]
) -> str | None:
    if (officer_id := told["can-bo"]) and not told["thu"]:
        return officer_id if _UUID.fullmatch(officer_id) else None
    if not told["thu"]:
        return None
    found = await search.find_officer_of_entries(database, **msgspec.structs.asdict(reach), email=told["thu"].lower())
    if found is None:
        errors.append(FieldError("thu", "record_officer_unknown"))
    return found


def _read_day(name: str, typed: Mapping[str, str], errors: list[FieldError]) -> date | None:
    text = typed.get(name, "").strip()
    if not text:
        return None
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    errors.append(FieldError(name, "date_unreadable"))
    return None


def _begin(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=VIETNAM) if day else None


def _end(day: date | None) -> datetime | None:
    return _begin(day + timedelta(days=1)) if day and day < date.max else None


def _read_place(text: str | None) -> tuple[datetime | None, int | None]:
    found = _PLACE.fullmatch(text or "")
    if not found:
        return None, None
    try:
        return _EPOCH + timedelta(microseconds=int(found[1])), int(found[2])
    except OverflowError:
        return None, None
