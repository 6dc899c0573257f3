"""At its second the key of a release goes out: into its row, by NOTIFY, through Redis, and onto this node's own disk.

Each way goes on its own, again and again until it has worked. A PostgreSQL or a Redis that is dead or frozen at that
moment delays nothing but itself.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec
import structlog
from prometheus_client import Gauge, Histogram

from kit import sql
from kit.clock import utc_now
from kit.redis_servers import RedisServer
from kit.sql import UNREACHABLE
from lookup.sealed.clocks import ComparedClock
from lookup.sealed.ear import Ear, listening
from lookup.sealed.key_message import CHANNEL, REDIS_CHANNEL, KeyMessage, seal_message, write_message
from lookup.sealed.release_folder import keep_key
from lookup.sealed.release_keys import KeyNotOurs
from units.record.entries import SERVICE, write

keys = sql.load(__file__, "keys")
log = structlog.get_logger()

# Known so long before: a PostgreSQL that dies hours before the moment is not needed for it.
_KNOWN_BEFORE = timedelta(days=1)
_UNWRAPPED_BEFORE = timedelta(minutes=1)
_SENT_LATELY = timedelta(minutes=1)
_POLL_SECONDS = 1.0
_ANSWER_SECONDS = 3
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 1.0
# Whoever was not listening hears the next one.
_AGAIN_SECONDS = 1.0

_LATE = Histogram(
    "baodanh_release_key_late_seconds",
    "From the moment of a release until its key was out, by way.",
    ["way"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 60),
)
_CLOCK = Gauge(
    "baodanh_key_sender_clock_seconds",
    "The sender's clock minus PostgreSQL's.",
    multiprocess_mode="livemostrecent",
)


class Opening(msgspec.Struct, frozen=True):
    """A release whose moment is known. `key_sent`: the key stands in its row."""

    id: int
    exam_code: str
    generation: int
    wrapped_key: bytes
    opens_at: datetime
    key_sent: bool


class KeySender:
    """Sends keys from one worker. `unwrap` takes a wrapped key, exam, generation and bundle id.

    Openings are read from PostgreSQL as long as it is there; what is known stays in memory, wrapped until a minute
    before the moment. `cache_key` seals what goes through Redis.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        database_url: str,
        redis: RedisServer,
        folder: Path,
        *,
        cache_key: bytes,
        unwrap: Callable[[bytes, str, int, int], bytes],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pool, self._database_url, self._redis, self._folder = pool, database_url, redis, folder
        self._cache_key, self._unwrap, self._clock = cache_key, unwrap, clock
        self._openings: dict[int, Opening] = {}
        self._known_at: dict[int, datetime] = {}
        self._keys: dict[int, bytes] = {}
        self._sending: dict[int, list[asyncio.Task[None]]] = {}
        self._row_written: dict[int, asyncio.Event] = {}
        self._line: asyncpg.Connection | None = None
        self._compared = ComparedClock()
        self._replan = asyncio.Event()
        # Of its own: keys wait for no other work of the process.
        self._disk = ThreadPoolExecutor(1, "release-key")

    async def run(self) -> None:
        """Until cancelled. PostgreSQL and Redis may come and go."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow())
                tasks.create_task(self._keep_time())
        finally:
            sending = [task for tasks in self._sending.values() for task in tasks]
            for task in sending:
                task.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            self._disk.shutdown(wait=False)

    # What is to be sent, and when.

    async def _follow(self) -> None:
        told = ""
        while True:
            try:
                async with listening(self._database_url) as ear, self._open_line(ear):
                    if told:
                        log.info("key_sender_hears_postgresql")
                    told = ""
                    while True:
                        async with asyncio.timeout(_ANSWER_SECONDS):
                            await self._look()
                        await ear.wait(_POLL_SECONDS)
            except UNREACHABLE as problem:
                if told != (told := type(problem).__name__):
                    log.warning("key_sender_hears_nothing", problem=told)
                await asyncio.sleep(_POLL_SECONDS / 2)
            except Exception:
                # Whatever it is, what is known already must go out at its moment.
                log.exception("key_sender_cannot_look")
                await asyncio.sleep(_POLL_SECONDS)

    @contextlib.asynccontextmanager
    async def _open_line(self, ear: Ear) -> AsyncGenerator[None, None]:
        """What NOTIFY goes out on: nobody waits for the disk there, since the row is what lasts."""
        settings = {"synchronous_commit": "off"}
        line = await asyncpg.connect(
            self._database_url, timeout=_ANSWER_SECONDS, command_timeout=_ANSWER_SECONDS, server_settings=settings
        )
        line.add_termination_listener(ear.wake)
        self._line = line
        try:
            yield
        finally:
            self._line = None
            line.terminate()

    async def _look(self) -> None:
        await self._compare_clocks()
        rows = await keys.list_openings(self._pool, within=_KNOWN_BEFORE, sent_within=_SENT_LATELY)
        self._openings = {row["id"]: Opening(**row) for row in rows}
        now = self._clock()
        self._known_at = {bundle_id: self._known_at.get(bundle_id, now) for bundle_id in self._openings}
        for opening in self._openings.values():
            if opening.key_sent and opening.id in self._row_written:
                self._row_written[opening.id].set()
        for bundle_id in self._sending.keys() - self._openings.keys():
            # Taken down, replaced, or sent long ago.
            self._row_written.pop(bundle_id, None)
            for task in self._sending.pop(bundle_id):
                task.cancel()
        for bundle_id in self._keys.keys() - self._openings.keys():
            del self._keys[bundle_id]
        if self._keys:
            # Its connection is there before it is needed.
            await self._redis.ask(lambda client: client.ping())
        self._replan.set()

    async def _compare_clocks(self) -> None:
        before = self._clock()
        theirs = await keys.read_clock(self._pool)
        _CLOCK.set(self._compared.note(before, theirs, self._clock()).total_seconds())

    def _moment_of(self, opening: Opening) -> datetime:
        """By our clock, and never before it by PostgreSQL's."""
        return opening.opens_at + self._compared.ahead_at_most

    async def _keep_time(self) -> None:
        while True:
            now, waits = self._clock(), [_POLL_SECONDS]
            for opening in self._openings.values():
                left = self._moment_of(opening) - now
                if left <= _UNWRAPPED_BEFORE:
                    self._know_key(opening)
                if left <= timedelta():
                    self._send(opening)
                else:
                    waits.append(left.total_seconds())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(waits)):
                    await self._replan.wait()
            self._replan.clear()

    def _know_key(self, opening: Opening) -> None:
        if opening.id in self._keys:
            return
        key = b""
        with contextlib.suppress(KeyNotOurs):
            key = self._unwrap(opening.wrapped_key, opening.exam_code, opening.generation, opening.id)
        if not key:
            # Said once; another node's worker may hold what opens it.
            log.error("release_key_not_ours", exam=opening.exam_code, generation=opening.generation, bundle=opening.id)
        self._keys[opening.id] = key

    # The ways on which it goes.

    def _send(self, opening: Opening) -> None:
        key = self._keys[opening.id]
        if opening.id in self._sending or not key:
            return
        message = KeyMessage(opening.id, key)
        written = self._row_written[opening.id] = asyncio.Event()
        ways = [
            self._through_redis(opening, message, written),
            self._by_notify(opening, message),
            self._onto_the_disk(opening, key),
            self._into_the_row(opening, key, written),
        ]
        self._sending[opening.id] = [asyncio.create_task(_on_its_own(way)) for way in ways]

    async def _through_redis(self, opening: Opening, message: KeyMessage, written: asyncio.Event) -> None:
        sealed = seal_message(message, self._cache_key)
        await _until_it_works(lambda: self._publish(sealed))
        self._tell(opening, "redis")
        # Whoever came back to Redis since, and cannot ask PostgreSQL either, hears it again.
        while not written.is_set():
            await asyncio.sleep(_AGAIN_SECONDS)
            await self._publish(sealed)

    async def _publish(self, sealed: bytes) -> bool:
        return await self._redis.ask(lambda client: client.publish(REDIS_CHANNEL, sealed)) is not None

    async def _by_notify(self, opening: Opening, message: KeyMessage) -> None:
        text = write_message(message)

        async def announce() -> bool:
            line = self._line
            return bool(line and await keys.announce_key(line, bundle_id=opening.id, channel=CHANNEL, message=text))

        await _until_it_works(announce)
        self._tell(opening, "notify")

    async def _onto_the_disk(self, opening: Opening, key: bytes) -> None:
        async def keep() -> bool:
            await asyncio.get_running_loop().run_in_executor(self._disk, keep_key, self._folder, opening.id, key)
            return True

        await _until_it_works(keep)
        self._tell(opening, "disk")

    async def _into_the_row(self, opening: Opening, key: bytes, written: asyncio.Event) -> None:
        async def note() -> bool:
            if written.is_set():
                # Another node's worker was first.
                return True
            async with asyncio.timeout(_ANSWER_SECONDS):
                return await self._write_row(opening, key)

        await _until_it_works(note)
        written.set()
        self._tell(opening, "row")

    async def _write_row(self, opening: Opening, key: bytes) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            sent = await keys.mark_key_sent(connection, bundle_id=opening.id, opening_key=key)
            if sent is None:
                return False
            late = round((sent["key_sent_at"] - sent["due_at"]).total_seconds() * 1000)
            facts = {"generation": sent["generation"], "bundle": opening.id, "late_ms": late}
            about, unit = ("exam", sent["exam_code"]), sent["unit_code"]
            await write(connection, SERVICE, "release.key_sent", about, unit=unit, **facts)  # type: ignore[arg-type]  # a proxy
        return True

    def _tell(self, opening: Opening, way: str) -> None:
        now = self._clock()
        # What was sealed after its moment is late from then on.
        moment, known_at = self._moment_of(opening), self._known_at.get(opening.id, now)
        late = max(timedelta(), now - max(moment, known_at)).total_seconds()
        _LATE.labels(way).observe(late)
        # A first start seals and sends every release of before: nobody waits for those, nor wants to read of them.
        tell = log.debug if moment < known_at else log.info
        tell(
            "release_key_sent",
            exam=opening.exam_code,
            generation=opening.generation,
            way=way,
            late_ms=round(late * 1000, 1),
        )


async def _on_its_own(way: Coroutine[None, None, None]) -> None:
    try:
        await way
    except Exception:
        log.exception("release_key_not_sent")


async def _until_it_works(once: Callable[[], Coroutine[None, None, bool]]) -> None:
    """Again and again, after growing pauses; whatever is in the way of this one stands in no other's."""
    pause = _SHORTEST_PAUSE
    while True:
        with contextlib.suppress(*UNREACHABLE):
            if await once():
                return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
