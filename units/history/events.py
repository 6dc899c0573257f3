"""What happened to a unit, by whose decision, and its former names: whoever knows an old name finds the heir."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

import asyncpg
import msgspec

from kit import sql
from kit.sql import Database
from kit.vietnamese import search_key

events = sql.load(__file__, "events")

What = Literal["added", "renamed", "moved", "merged", "closed"]

_MOST_FOUND = 50


class Decision(msgspec.Struct, frozen=True):
    """The paper by which a unit changes: its number (`12/QĐ-UBND`) and the day from which it holds."""

    number: str
    on: date


class UnitEvent(msgspec.Struct, frozen=True):
    """One thing that happened. `before` and `after` hold the facts that changed; `successor` who took the unit over.

    Without a decision the unit was there before it was put on record.
    """

    unit_code: str
    what: What
    decision: Decision | None
    before: dict[str, Any]
    after: dict[str, Any]
    successor: str | None
    made_at: datetime


class FormerName(msgspec.Struct, frozen=True):
    """What a unit was called before the day `until`."""

    name: str
    short_name: str
    name_en: str
    until: date


class FoundUnit(msgspec.Struct, frozen=True):
    """A unit whose name, former name or code fits; `leads_to` is the code of the one that answers for it today.

    `former_name` is the one that fitted, where it is not today's.
    """

    code: str
    name: str
    former_name: str | None
    closed_on: date | None
    leads_to: str
    leads_to_name: str


async def list_events(database: Database, code: str) -> list[UnitEvent]:
    """What happened to the unit, and to those it took over, in the order in which it took effect."""
    return [_read_event(row) for row in await events.list_events(database, code=code)]


async def list_former_names(database: Database, code: str) -> list[FormerName]:
    """What the unit was called before, the last name first."""
    return [FormerName(*row) for row in await events.list_former_names(database, code=code)]


async def find_units_by_name(database: Database, text: str, *, most: int = _MOST_FOUND) -> list[FoundUnit]:
    """Units in whose name or former name every word of the text stands, marks or not; or whose code it is.

    Today's names come first, then the shorter ones; at most `most`. Closed units are found too.
    """
    words = search_key(text).split()
    if not words:
        return []
    patterns = [f"%{_literal(word)}%" for word in words]
    rows = await events.list_units_by_name(database, patterns=patterns, code="-".join(words), most=most)
    return [FoundUnit(*row) for row in rows]


async def add_event(
    transaction: asyncpg.Connection,
    code: str,
    what: What,
    decision: Decision,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    now: datetime,
    successor: str | None = None,
) -> int:
    """Write down what a decision changed; returns the event's number."""
    return await events.add_event(
        transaction,
        unit_code=code,
        what=what,
        effective_on=decision.on,
        decision_number=decision.number,
        before=_to_json(before),
        after=_to_json(after),
        successor=successor,
        made_at=now,
    )


def _read_event(row: asyncpg.Record) -> UnitEvent:
    number = row["decision_number"]
    return UnitEvent(
        unit_code=row["unit_code"],
        what=row["what"],
        decision=Decision(number, row["effective_on"]) if number else None,
        before=msgspec.json.decode(row["before"]),
        after=msgspec.json.decode(row["after"]),
        successor=row["successor"],
        made_at=row["made_at"],
    )


def _to_json(facts: Mapping[str, Any]) -> str:
    return msgspec.json.encode(facts).decode()


def _literal(word: str) -> str:
    r"""A word in which nothing stands for something else in LIKE: `100%` is `100\%`."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
