"""Guessing gets nobody in, and keeps nobody out: failures lock a pair of account and neighbourhood, never an account.

The rows stand in PostgreSQL, for accounts that do not exist as well. An attempt is counted before it is looked at, so
that many at the same instant count too; a right one is forgiven.
"""

import asyncio
import contextlib
import hmac
from collections import Counter
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from kit import sql
from kit.errors import TooManyRequests
from kit.keys import KeyRing
from kit.sql import Database

attempts = sql.load(__file__, "throttle")

Factor = Literal["password", "code"]

# Level-3 controls: the fifth failure locks account and address together.
MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)
# An account that is tried from everywhere answers strangers more and more slowly, and forgets it within a day.
_UNSLOWED, _FIRST_DELAY, _LONGEST_DELAY = 10, 0.5, 20.0
_FORGOTTEN_AFTER = timedelta(days=1)
# So many wait for one account in one process, and so many in all; whoever is one too many comes back.
_MOST_WAITING, _MOST_WAITING_IN_ALL = 4, 200


class TooManySignIns(TooManyRequests):
    """Too many attempts for this account from this neighbourhood, or for this account at once."""

    code = "too_many_sign_ins"


class Attempt(msgspec.Struct, frozen=True):
    """One attempt as it was counted. `locks`: if it fails, the pair is locked.

    `overall` counts those of the account from everywhere, this one included; `delay` is in seconds.
    """

    account: bytes
    factor: Factor
    prefix: str
    locks: bool
    overall: int
    delay: float


def account_key(keys: KeyRing, email: str) -> bytes:
    """The account as the rows know it: an address that was typed is a personal fact, right or wrong."""
    return hmac.digest(keys.current("record").value, b"account\0" + email.encode(), "sha256")


async def count_attempt(database: Database, account: bytes, factor: Factor, prefix: str, now: datetime) -> Attempt:
    """Count the attempt and say how it may go on. Raises TooManySignIns while the pair is locked."""
    counted = await attempts.count_attempt(
        database,
        account=account,
        factor=factor,
        prefix=prefix,
        now=now,
        most=MOST_FAILURES,
        window_began=now - LOCKED_FOR,
        locked_until=now + LOCKED_FOR,
    )
    if counted is None:
        locked_until = await attempts.find_lock(database, account=account, factor=factor, prefix=prefix)
        raise TooManySignIns(_seconds(locked_until, now))
    overall = await attempts.count_overall(
        database, account=account, factor=factor, now=now, window_began=now - _FORGOTTEN_AFTER
    )
    return Attempt(account, factor, prefix, counted >= MOST_FAILURES, overall, delay_after(overall - 1))


async def count_everywhere(database: Database, account: bytes, factor: Factor, now: datetime) -> int:
    """How many failures of the account count at the moment, from wherever they came."""
    counted = await attempts.find_overall(database, account=account, factor=factor, window_began=now - _FORGOTTEN_AFTER)
    return counted or 0


async def forgive(database: Database, attempt: Attempt) -> None:
    """It was right: the pair begins anew, and the account as a whole has one failure less."""
    await attempts.end_attempts(database, account=attempt.account, factor=attempt.factor, prefix=attempt.prefix)
    await attempts.uncount_overall(database, account=attempt.account, factor=attempt.factor)


async def take_back(database: Database, attempt: Attempt) -> None:
    """It was turned away before anybody looked at it: it counts for nothing."""
    await attempts.uncount_attempt(
        database, account=attempt.account, factor=attempt.factor, prefix=attempt.prefix, most=MOST_FAILURES
    )
    await attempts.uncount_overall(database, account=attempt.account, factor=attempt.factor)


async def forget(database: Database, before: datetime) -> None:
    """Drop what counts no longer; done once in a while."""
    await attempts.end_old_attempts(database, before=before - _FORGOTTEN_AFTER)


def delay_after(failures: int) -> float:
    """How many seconds the next attempt waits after so many failures of the account, from wherever they came."""
    if failures < _UNSLOWED:
        return 0.0
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(failures - _UNSLOWED, 10))


class Slowness:
    """Where attempts for an account under attack wait, in one process."""

    def __init__(self, *, at_once: int = _MOST_WAITING, in_all: int = _MOST_WAITING_IN_ALL) -> None:
        self._waiting: Counter[bytes] = Counter()
        self._at_once, self._in_all = at_once, in_all

    async def wait(self, attempt: Attempt, *, is_known_device: bool) -> None:
        """Wait as long as the attempt has to. Raises TooManySignIns where too many wait already.

        A browser that the officer has signed in with before does not wait: strangers cannot slow her down.
        """
        if is_known_device or not attempt.delay:
            return
        async with self._place(attempt):
            await asyncio.sleep(attempt.delay)

    @contextlib.asynccontextmanager
    async def _place(self, attempt: Attempt) -> AsyncGenerator[None, None]:
        if self._waiting[attempt.account] >= self._at_once or self._waiting.total() >= self._in_all:
            raise TooManySignIns(max(1, round(attempt.delay)))
        self._waiting[attempt.account] += 1
        try:
            yield
        finally:
            self._waiting[attempt.account] -= 1
            # Only those that wait are remembered.
            self._waiting += Counter()


def _seconds(locked_until: datetime | None, now: datetime) -> int:
    return max(1, round((locked_until - now).total_seconds())) if locked_until else 1
