"""Every node has the files of releases before their moment: fetched in pieces, checked, and replaced when they rot."""

import asyncio
import contextlib
import fcntl
import os
import time
from collections.abc import AsyncGenerator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import structlog
from prometheus_client import Counter

from kit import sql
from kit.sql import UNREACHABLE, Database
from lookup.sealed.bundle_files import (
    DiskRefuses,
    Piece,
    Wanted,
    append_pieces,
    check_file,
    draft_path,
    finish,
    forget_others,
    pieces_here,
    require_room,
)
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.clocks import certain_difference
from lookup.sealed.ear import Ear, listening
from lookup.sealed.release_folder import bundle_path
from units.changes import NODE_IS_REMEMBERED_FOR

bundles = sql.load(__file__, "bundles")
log = structlog.get_logger()

# A generation that was replaced is shown for 60 seconds; nobody needs its file after an hour.
KEPT_FOR = timedelta(hours=1)
# A node that was off for a night finds what it missed.
PIECES_KEPT_FOR = timedelta(days=1)
_POLL_SECONDS = 2.0
# Bytes rot: each file is read whole this often.
_CHECK_SECONDS = 600.0
# What a web process has stumbled over is looked at sooner.
_DOUBT_SECONDS = 30.0
_ANSWER_SECONDS = 20.0
_TELL_SECONDS = 0.5
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0

_BROKEN = Counter("baodanh_bundle_broken_total", "Sealed files on this node that were not what was sealed.", ["reason"])
_FETCHED = Counter("baodanh_bundle_fetched_bytes_total", "Bytes of sealed files that this node has fetched.")


async def list_wanted(database: Database) -> list[Wanted]:
    """The files that every node must have now, those first that open first."""
    return [Wanted(**row) for row in await bundles.list_wanted_bundles(database, kept_for=KEPT_FOR)]


class Delivery:
    """Keeps the releases folder of one node as it must be, and says in PostgreSQL what lies there."""

    def __init__(
        self, pool: asyncpg.Pool, folder: Path, node: str, *, sends_keys: bool, clock: Callable[[], datetime]
    ) -> None:
        self._pool, self._folder, self._node = pool, folder, node
        self._sends_keys, self._clock = sends_keys, clock
        self._clock_difference_ms: int | None = None
        # By bundle: when it was found whole, when it may be tried again and after which pause.
        self._whole_at: dict[int, float] = {}
        self._again_at: dict[int, float] = {}
        self._pause: dict[int, float] = {}
        self._at_work: tuple[Wanted, asyncio.Task[None]] | None = None

    async def run(self, database_url: str) -> None:
        """Until cancelled, or until PostgreSQL is away: then it raises, and begins anew when it is called again."""
        async with _alone_in(self._folder), listening(database_url) as ear:
            try:
                while True:
                    async with asyncio.timeout(_ANSWER_SECONDS):
                        wanted = await self.look()
                        await self.doubt()
                    self._begin_work(wanted, ear)
                    await ear.wait(_POLL_SECONDS)
            finally:
                await self._end_work()
                with contextlib.suppress(*UNREACHABLE):
                    async with asyncio.timeout(1):
                        await self._take_leave()

    async def look(self) -> list[Wanted]:
        """Remove at once what must not be here any more, and say that this node's worker is there."""
        wanted = await list_wanted(self._pool)
        needed = [each.id for each in wanted]
        if self._at_work and self._at_work[0].id not in needed:
            await self._end_work()
        for bundle_id in await asyncio.to_thread(forget_others, self._folder, needed):
            log.info("release_forgotten", bundle=bundle_id)
        await bundles.forget_other_holdings(self._pool, node=self._node, bundle_ids=needed)
        for told in (self._whole_at, self._again_at, self._pause):
            for bundle_id in set(told) - set(needed):
                del told[bundle_id]
        await self._tell_worker()
        return wanted

    async def _take_leave(self) -> None:
        """A node that stops in good order is not waited for."""
        await bundles.forget_other_holdings(self._pool, node=self._node, bundle_ids=[])
        await bundles.forget_worker(self._pool, node=self._node)

    async def see_to(self, wanted: Wanted) -> None:
        """Make sure that one file is here and whole, fetching it if need be; problems are told, not raised."""
        try:
            if problem := await self._find_problem(wanted):
                await self._fetch(wanted, None if problem == "missing" else problem)
        except BundleBroken as broken:
            self._alarm(wanted, broken.reason)
            await self._put_off(wanted, "broken", broken.reason)
        except DiskRefuses as refused:
            self._tell_refusal(wanted, refused.reason)
            await self._put_off(wanted, "fetching", refused.reason)
        else:
            self._whole_at[wanted.id] = time.monotonic()
            self._pause.pop(wanted.id, None)
            await self._tell(wanted, "ready", wanted.size, None)

    async def _find_problem(self, wanted: Wanted) -> str:
        """In a word why the file must be fetched: `missing`, or what is wrong with it; "" when it is whole."""
        try:
            await asyncio.to_thread(check_file, bundle_path(self._folder, wanted.id), wanted)
        except FileNotFoundError:
            return "missing"
        except BundleBroken as broken:
            self._alarm(wanted, broken.reason)
            await self._tell(wanted, "broken", 0, broken.reason)
            return broken.reason
        return ""

    async def _fetch(self, wanted: Wanted, problem: str | None) -> None:
        pieces = [Piece(**row) for row in await bundles.list_pieces(self._pool, bundle_id=wanted.id)]
        if sum(piece.size for piece in pieces) != wanted.size:
            raise BundleBroken("pieces_missing")
        here = pieces_here(self._folder, wanted.id, pieces)
        require_room(self._folder, sum(piece.size for piece in pieces[here:]))
        told_at = 0.0

        async def read(number: int) -> bytes | None:
            nonlocal told_at
            if time.monotonic() - told_at > _TELL_SECONDS:
                await self._tell(wanted, "fetching", self._bytes_here(wanted), problem)
                told_at = time.monotonic()
            content = await bundles.find_piece(self._pool, bundle_id=wanted.id, number=number)
            _FETCHED.inc(len(content or b""))
            return content

        await append_pieces(draft_path(self._folder, wanted.id), pieces[here:], read)
        await asyncio.to_thread(finish, self._folder, wanted)
        log.info("release_ready", exam=wanted.exam_code, generation=wanted.generation, bundle=wanted.id)

    async def doubt(self) -> None:
        """Look at a file again soon in which a web process of this node has found something wrong."""
        for row in await bundles.list_doubts(self._pool, node=self._node):
            if time.monotonic() - self._whole_at.get(row["bundle_id"], 0) > _DOUBT_SECONDS:
                self._whole_at.pop(row["bundle_id"], None)

    def _begin_work(self, wanted: list[Wanted], ear: Ear) -> None:
        if self._at_work and not self._at_work[1].done():
            return
        if self._at_work:
            # What went wrong in a way that nobody foresaw is the chore's to tell; PostgreSQL may be away.
            self._at_work[1].result()
        due = next((each for each in wanted if self._is_due(each)), None)
        self._at_work = None
        if due:
            task = asyncio.create_task(self.see_to(due))
            task.add_done_callback(ear.wake)
            self._at_work = (due, task)

    def _is_due(self, wanted: Wanted) -> bool:
        now = time.monotonic()
        if now < self._again_at.get(wanted.id, 0):
            return False
        if now - self._whole_at.get(wanted.id, -_CHECK_SECONDS) >= _CHECK_SECONDS:
            return True
        try:
            return bundle_path(self._folder, wanted.id).stat().st_size != wanted.size
        except OSError:
            return True

    async def _end_work(self) -> None:
        if self._at_work:
            task = self._at_work[1]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._at_work = None

    async def _put_off(self, wanted: Wanted, state: str, problem: str) -> None:
        """It is tried again, after growing pauses."""
        pause = min(2 * self._pause.get(wanted.id, _SHORTEST_PAUSE / 2), _LONGEST_PAUSE)
        self._pause[wanted.id], self._again_at[wanted.id] = pause, time.monotonic() + pause
        self._whole_at.pop(wanted.id, None)
        await self._tell(wanted, state, self._bytes_here(wanted), problem)

    def _bytes_here(self, wanted: Wanted) -> int:
        try:
            return draft_path(self._folder, wanted.id).stat().st_size
        except OSError:
            return 0

    def _alarm(self, wanted: Wanted, reason: str) -> None:
        _BROKEN.labels(reason).inc()
        log.error(
            "release_broken", exam=wanted.exam_code, generation=wanted.generation, bundle=wanted.id, problem=reason
        )

    def _tell_refusal(self, wanted: Wanted, problem: str) -> None:
        log.error("release_not_fetched", exam=wanted.exam_code, generation=wanted.generation, problem=problem)

    async def _tell(self, wanted: Wanted, state: str, bytes_done: int, problem: str | None) -> None:
        await bundles.tell_holder(
            self._pool, node=self._node, bundle_id=wanted.id, state=state, bytes_done=bytes_done, problem=problem
        )

    async def _tell_worker(self) -> None:
        told = {"node": self._node, "sends_keys": self._sends_keys}
        before = self._clock()
        theirs = await bundles.tell_worker(self._pool, **told, clock_difference_ms=self._clock_difference_ms)
        self._clock_difference_ms = round(certain_difference(before, theirs, self._clock()).total_seconds() * 1000)
        await bundles.forget_silent_workers(self._pool, remembered_for=NODE_IS_REMEMBERED_FOR)
        await bundles.forget_holders_without_worker(self._pool)


@contextlib.asynccontextmanager
async def _alone_in(folder: Path) -> AsyncGenerator[None, None]:
    """Two workers of one node do not write into the same folder: the second waits until the first is gone."""
    handle = await asyncio.to_thread(_open_lock, folder)
    try:
        while not _locked(handle):  # noqa: ASYNC110 - a lock of another process has no event
            await asyncio.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)


def _open_lock(folder: Path) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(folder / ".delivery.lock", os.O_RDWR | os.O_CREAT, 0o600)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def tidy(database: Database) -> None:
    """Remove pieces that no node will ask for any more."""
    await bundles.remove_spare_pieces(database, kept_for=PIECES_KEPT_FOR)
