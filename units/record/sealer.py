"""Chain the record afterwards: entries are written freely, and one sealer numbers what has settled."""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any, cast

import asyncpg
import msgspec
import structlog
from prometheus_client import Gauge

from kit import sql
from kit.sql import UNREACHABLE, Database
from units.record.encoding import NO_ROOT

sealing = sql.load(__file__, "sealing")
log = structlog.get_logger()

# Whoever holds this lock seals, for as long as it runs: every node uses the same number, and nothing else does.
LOCK = 7_202_614
# Half of what the record may be behind.
_EVERY_SECONDS = 0.4
_AT_MOST = 20_000
_LARGEST_XID = 2**64 - 1
# Looking for what waits costs more than sealing it.
_LOOK_SECONDS = 5.0
# What could have been chained for this long should have been.
LATE = timedelta(seconds=5)
_TELL_SECONDS = 60.0
# A sealer whose machine vanished must not keep the lock for hours; and a plan made for an empty table must not stay.
_SESSION = """
set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
set enable_seqscan = off; set enable_bitmapscan = off; set lock_timeout = '5s'; set jit = off; set work_mem = '32MB';
"""

_HEAD = Gauge("baodanh_record_head", "The last number in the record's chain.", multiprocess_mode="mostrecent")
_WAITING = Gauge(
    "baodanh_record_waiting_seconds",
    "For how long the oldest entry that is not chained yet has been waiting; 0 when none is.",
    multiprocess_mode="mostrecent",
)


class Head(msgspec.Struct, frozen=True):
    """Where the chain ends: its last batch, that batch's last number, root and moment."""

    batch: int
    number: int
    root: bytes
    sealed_at: datetime


class Holder(msgspec.Struct, frozen=True):
    """A transaction that keeps the chain from going on: a process of PostgreSQL, or a prepared transaction."""

    pid: int | None
    prepared_as: str | None
    since: datetime | None
    database: str | None


async def find_head(database: Database) -> Head | None:
    """Where the chain ends; None before the first batch."""
    last = await sealing.find_last_batch(database)
    return Head(last["number"], last["last_number"], last["root"], last["sealed_at"]) if last else None


async def find_holder(database: Database) -> Holder | None:
    """Whose transaction is the oldest that has written something and not ended."""
    found = await sealing.find_holder(database)
    return Holder(found["pid"], found["prepared_as"], found["since"], found["database"]) if found else None


class Sealed(msgspec.Struct, frozen=True):
    """What a batch did; `is_full`: there may be more."""

    head: Head
    is_full: bool


async def seal_batch(connection: asyncpg.Connection, at_most: int = _AT_MOST) -> Sealed | None:
    """Chain what has settled and is not chained, or so much of it; None when there is nothing.

    A transaction that is older than every running one has committed or is gone: its entries are all there, and no
    more will come. So numbers have no gaps, whatever is rolled back.
    """
    async with connection.transaction():
        last = await sealing.find_last_batch(connection)
        horizon = await sealing.find_horizon(connection)
        settled = await _add_to_chain(connection, last, horizon, at_most)
        if not settled["entry_count"]:
            return None
        is_full = settled["entry_count"] == at_most
        number = last["number"] + 1 if last else 1
        batch = await sealing.add_batch(
            connection,
            number=number,
            first_number=last["last_number"] + 1 if last else 1,
            entry_count=settled["entry_count"],
            leaves=settled["leaves"],
            previous_root=last["root"] if last else NO_ROOT,
            settled_below=settled["last_xid"] if is_full else horizon["xmin"],
            cluster=horizon["cluster"],
            sealed_at=horizon["now"],
        )
    return Sealed(Head(number, batch["last_number"], batch["root"], horizon["now"]), is_full)


async def _add_to_chain(connection: asyncpg.Connection, last: Any, horizon: Any, at_most: int) -> Any:
    if last and (last["cluster"] != horizon["cluster"] or last["settled_below"] > horizon["xmin"]):
        # Restored into another cluster, where transactions are numbered anew: what is not chained may have any number,
        # and only those that this cluster has begun can still be running.
        log.warning("record_goes_on_in_another_cluster", batch=last["number"] + 1)
        bounds = {"from_xid": 0, "below_xid": _LARGEST_XID, "at_most": 2**62}
        running = {"running_from": horizon["xmin"], "running_below": horizon["xmax"]}
    else:
        bounds = {"from_xid": last["settled_below"] if last else 0, "below_xid": horizon["xmin"], "at_most": at_most}
        running = {"running_from": _LARGEST_XID, "running_below": _LARGEST_XID}
    return await sealing.add_to_chain(connection, last_number=last["last_number"] if last else 0, **bounds, **running)


async def seal_until_cancelled(pool: asyncpg.Pool) -> None:
    """Seal as long as this process is the one that does, else wait for the place; survives any loss of PostgreSQL."""
    told = ""
    while True:
        try:
            async with pool.acquire() as connection:
                await _take_turns(cast("asyncpg.Connection", connection))
        except UNREACHABLE as problem:
            if (name := type(problem).__name__) != told:
                log.warning("record_cannot_be_sealed", problem=name)
            told = name
            await asyncio.sleep(_EVERY_SECONDS)


async def _take_turns(connection: asyncpg.Connection) -> None:
    await connection.execute(_SESSION)
    # A statement that waits for the lock would keep PostgreSQL from clearing up for as long as it waits.
    while not await sealing.lock_sealing(connection, key=LOCK):  # noqa: ASYNC110
        await asyncio.sleep(_EVERY_SECONDS)
    log.info("record_is_sealed_here")
    watch = _Watch()
    while True:
        sealed = await seal_batch(connection)
        if sealed:
            _HEAD.set(sealed.head.number)
        await watch.look(connection)
        if not sealed or not sealed.is_full:
            await asyncio.sleep(_EVERY_SECONDS)


class _Watch:
    """Looks now and then whether something waits for too long, and says who holds it back."""

    def __init__(self) -> None:
        self._looked = self._told = -_TELL_SECONDS

    async def look(self, connection: asyncpg.Connection) -> None:
        """Set the metric; say something at most once a minute."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS:
            return
        self._looked = now
        waited = await _waited(connection)
        _WAITING.set(waited.total_seconds())
        if waited > LATE and now - self._told >= _TELL_SECONDS:
            self._told = now
            holder = await find_holder(connection)
            facts = msgspec.to_builtins(holder) if holder else {}
            log.warning("record_is_held_back", seconds=round(waited.total_seconds()), **facts)


async def _waited(connection: asyncpg.Connection) -> timedelta:
    last = await sealing.find_last_batch(connection)
    waiting = await sealing.find_waiting(connection, from_xid=last["settled_below"] if last else 0)
    if not waiting["how_many"]:
        return timedelta()
    return (await sealing.find_horizon(connection))["now"] - waiting["since"]
