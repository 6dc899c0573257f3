"""What no decision can do to a unit: each rule has a name, by which the error says what was broken."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg

from kit import sql
from kit.clock import VIETNAM
from units.history.events import Decision
from units.units import UnitCodeTaken, UnitNotFound, UnitRefused

rules = sql.load(__file__, "rules")

LONGEST_NUMBER = 100

# A unit's row: its facts, and `began_on`, the day from which it exists where a decision says so.
Row = asyncpg.Record


def refuse(broken: object, rule: str, code: str) -> None:
    """Raise UnitRefused where the rule is broken."""
    if broken:
        raise UnitRefused(rule=rule, unit=code)


async def lock_tree(transaction: asyncpg.Connection) -> None:
    """Nobody else changes the tree until the transaction ends: two right changes could close a circle together."""
    await rules.lock_tree(transaction)


async def lock_for_change(transaction: asyncpg.Connection, code: str, decision: Decision, now: datetime) -> Row:
    """A unit that the decision can change, open and old enough. Raises UnitNotFound, UnitRefused."""
    await lock_tree(transaction)
    unit = (await _find_rows(transaction, [code])).get(code)
    if unit is None:
        raise UnitNotFound(unit=code)
    refuse(unit["closed_on"], "a_closed_unit_stays_as_it_was", code)
    check_decision(decision, code, now)
    began_on = unit["began_on"]
    refuse(began_on and decision.on < began_on, "a_decision_is_not_older_than_its_unit", code)
    return unit


def check_decision(decision: Decision, code: str, now: datetime) -> None:
    """A decision has a number, and its day has come. Raises UnitRefused."""
    number = decision.number.strip()
    refuse(not number, "a_change_needs_a_decision", code)
    refuse(len(number) > LONGEST_NUMBER, "a_decision_number_is_short", code)
    refuse(decision.on > now.astimezone(VIETNAM).date(), "a_decision_is_not_in_the_future", code)


async def check_foundings(
    transaction: asyncpg.Connection,
    managers: Mapping[str, str | None],
    decisions: Mapping[str, Decision | None],
    now: datetime,
) -> None:
    """New units have codes of their own, open managers and decisions of the past.

    Raises UnitCodeTaken, UnitNotFound (a manager), UnitRefused.
    """
    for code in await _find_rows(transaction, list(managers)):
        raise UnitCodeTaken(unit=code)
    old = [manager for manager in managers.values() if manager and manager not in managers]
    known = await _find_rows(transaction, old)
    for code, manager in managers.items():
        if manager and manager not in managers:
            _check_manager(known.get(manager), manager, code)
        refuse(_is_below_itself(code, managers), "a_unit_is_not_below_itself", code)
        if decision := decisions[code]:
            check_decision(decision, code, now)


async def check_new_manager(transaction: asyncpg.Connection, unit: Row, managed_by: str) -> None:
    """Whoever takes a unit over is open and not below it. Raises UnitNotFound, UnitRefused."""
    code = unit["code"]
    refuse(unit["managed_by"] is None, "the_root_stays", code)
    _check_manager((await _find_rows(transaction, [managed_by])).get(managed_by), managed_by, code)
    refuse(code in await _line(transaction, managed_by), "a_unit_is_not_below_itself", code)


def check_merger(sources: Sequence[Row], into: str) -> None:
    """Units that end are others than the one that goes on, and none is the root. Raises UnitRefused.

    A unit that stands above its successor is found out when what it manages moves there.
    """
    refuse(not sources, "a_merger_has_two_sides", into)
    for source in sources:
        refuse(source["managed_by"] is None, "the_root_stays", source["code"])
        refuse(source["code"] == into, "a_merger_has_two_sides", into)


async def check_closing(transaction: asyncpg.Connection, unit: Row) -> None:
    """The root stays, and a unit that still manages others. Raises UnitRefused."""
    code = unit["code"]
    refuse(unit["managed_by"] is None, "the_root_stays", code)
    refuse(await list_open_below(transaction, [code]), "a_unit_with_units_below_stays", code)


async def list_open_below(transaction: asyncpg.Connection, codes: Sequence[str]) -> list[str]:
    """Codes of the open units that these manage directly, without these themselves."""
    return [row["code"] for row in await rules.list_open_below(transaction, codes=list(codes))]


def _check_manager(manager: Row | None, named: str, code: str) -> None:
    if manager is None:
        raise UnitNotFound(unit=named)
    refuse(manager["closed_on"], "a_closed_unit_manages_nobody", code)


def _is_below_itself(code: str, managers: Mapping[str, str | None]) -> bool:
    """Whether new units manage one another in a circle that this one is part of, or hangs below."""
    seen, above = {code}, managers[code]
    while above is not None and above in managers:
        if above in seen:
            return True
        seen.add(above)
        above = managers[above]
    return False


async def _find_rows(transaction: asyncpg.Connection, codes: Sequence[str]) -> dict[str, Row]:
    return {row["code"]: row for row in await rules.list_units_by_code(transaction, codes=list(codes))}


async def _line(transaction: asyncpg.Connection, code: str) -> set[str]:
    return {row["code"] for row in await rules.list_line(transaction, code=code)}
