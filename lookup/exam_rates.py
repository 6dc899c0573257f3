"""How fast the results of one exam may be looked up, where its unit wants it otherwise than the service has it."""

from collections.abc import Mapping
from datetime import datetime

import asyncpg
from limits import RateLimitItem, parse_many

from lookup.exams import RATES, ExamNotFound, exams
from units.changes import Change, announce
from units.record.entries import COMMAND, Actor, write

_LONGEST_SECONDS = 24 * 3600
_MOST = 999_999_999
_MOST_PERIODS = 99_999


def read_rate(text: str) -> str:
    """A rate as it is kept, of one such as `600/minute` or `10 per 15 minutes`. Raises ValueError."""
    try:
        rates = parse_many(text)
    except ValueError:
        rates = []
    if len(rates) != 1 or not _is_possible(rates[0]):
        raise ValueError(f"{text!r} is no rate")
    rate = rates[0]
    return f"{rate.amount}/{rate.multiples if rate.multiples > 1 else ''}{rate.GRANULARITY.name}"


async def set_rates(
    connection: asyncpg.Connection,
    code: str,
    rates: Mapping[str, str | None],
    now: datetime,
    *,
    actor: Actor = COMMAND,
) -> None:
    """Set those of `RATES` that are given, as `read_rate` writes them; None: as the service has it.

    Every node follows at once. Raises ExamNotFound.
    """
    async with connection.transaction():
        row = await exams.lock_exam(connection, code=code)
        if row is None:
            raise ExamNotFound(exam=code)
        before = {name: row[name] for name in RATES}
        after = before | dict(rates)
        changes = {name: [before[name], after[name]] for name in RATES if before[name] != after[name]}
        if not changes:
            return
        await exams.set_rates(connection, code=code, **after)
        await write(connection, actor, "exam.limited", ("exam", code), unit=row["unit_code"], changes=changes)
        await announce(connection, Change("exam", code, "described"), now)


def _is_possible(rate: RateLimitItem) -> bool:
    return (
        1 <= rate.amount <= _MOST
        and 1 <= rate.multiples <= _MOST_PERIODS
        and rate.GRANULARITY.name in ("second", "minute", "hour", "day")
        and 1 <= rate.get_expiry() <= _LONGEST_SECONDS
    )
