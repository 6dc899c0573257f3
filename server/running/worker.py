"""Everything that happens beside the requests: jobs and chores, in one process that outlives lost servers."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import structlog

from kit.clock import utc_now
from kit.keys import KeyRing
from kit.mail import post
from kit.pages import Pages
from kit.redis_servers import RedisServer
from kit.turns import alone
from server.logs import set_up_logs
from server.running import work_metrics
from server.running.chores import CHORES, JOBS, JOBS_WITH_KEYS, Chore, Workshop
from server.running.queue_reader import SILENCE, in_short, read_queue
from server.running.seal_work import make_release_key
from server.settings import Settings

_TEMPLATES = Path(__file__).parents[2] / "templates"
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 30
# A job may move a country's results.
_LONGEST_STATEMENT = 600
_MOST_CONNECTIONS = 16
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# Trouble of its own may last, and PostgreSQL is there meanwhile.
_LONGEST_ROUND_PAUSE = 300.0
# Longer than a job gets to come to its end, shorter than the supervisor's patience.
_LAST_SECONDS = 4.0
_AWAY = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)


def run(settings: Settings) -> None:
    """Work until SIGTERM, SIGINT or SIGHUP. What was not finished then goes back into the queue."""
    set_up_logs(settings.log_level)
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    working = asyncio.create_task(work(settings, stopping))
    await asyncio.wait({working, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.wait({working}, timeout=_LAST_SECONDS)
    if not working.done():
        # Cancelled, pgqueuer would take jobs for done with; cut off, they are taken up again.
        os._exit(0)
    working.result()


async def work(
    settings: Settings,
    stopping: asyncio.Event,
    *,
    clock: Callable[[], datetime] = utc_now,
    silence: timedelta = SILENCE,
) -> None:
    """Do jobs and chores until `stopping`. Needs settings and local files to begin; the servers may come later."""
    async with _workshop(settings, clock) as shop:
        chores = [asyncio.create_task(_come_round(shop, chore, stopping)) for chore in CHORES]
        try:
            await _steadily("queue", partial(_do_jobs, shop, stopping, silence), stopping)
        finally:
            for task in chores:
                task.cancel()
            await asyncio.gather(*chores, return_exceptions=True)


@contextlib.asynccontextmanager
async def _workshop(settings: Settings, clock: Callable[[], datetime]) -> AsyncGenerator[Workshop, None]:
    keys = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None)
    make_release_key(keys)
    redis = RedisServer(settings.redis_url)
    # Connects when first asked.
    pool = asyncpg.create_pool(
        settings.database_url,
        min_size=0,
        max_size=_MOST_CONNECTIONS,
        command_timeout=_LONGEST_STATEMENT,
        timeout=_CONNECT_SECONDS,
    )
    await pool
    letters = post.Post(Pages(_TEMPLATES), keys, home=settings.home, sender=settings.mail_from)
    try:
        yield Workshop(settings=settings, pool=pool, redis=redis, keys=keys, post=letters, clock=clock)
    finally:
        pool.terminate()
        await redis.close()


async def _do_jobs(shop: Workshop, stopping: asyncio.Event, silence: timedelta) -> None:
    handlers = {name: partial(JOBS[name], shop) for name in JOBS if _can_do(shop, name)}
    connection = await asyncpg.connect(
        shop.settings.database_url, timeout=_CONNECT_SECONDS, command_timeout=_ANSWER_SECONDS
    )
    try:
        await read_queue(connection, shop.pool, handlers, stopping, silence=silence)
    finally:
        connection.terminate()


def _can_do(shop: Workshop, job: str) -> bool:
    """What this worker lacks a server or a key for waits in the queue for another."""
    if job == post.JOB:
        return bool(shop.settings.smtp_url)
    return job not in JOBS_WITH_KEYS or shop.keys.holds(JOBS_WITH_KEYS[job])


async def _come_round(shop: Workshop, chore: Chore, stopping: asyncio.Event) -> None:
    longest = min(chore.every.total_seconds(), _LONGEST_ROUND_PAUSE) if chore.every else _LONGEST_PAUSE
    await _steadily(chore.name, partial(_round, shop, chore), stopping, longest=longest)


async def _round(shop: Workshop, chore: Chore) -> None:
    """One round of a chore, and the wait after it."""
    do = partial(_do_chore, shop, chore)
    if chore.everywhere:
        await do()
    else:
        # Where somebody else does it, this round is done; a loop's doer may be gone soon.
        await alone(shop.settings.database_url, chore.name, do)
    await asyncio.sleep(chore.every.total_seconds() if chore.every else _LONGEST_PAUSE)


async def _do_chore(shop: Workshop, chore: Chore) -> None:
    await chore.run(shop)
    work_metrics.note_done(chore.name)


async def _steadily(
    name: str, once: Callable[[], Awaitable[None]], stopping: asyncio.Event, *, longest: float = _LONGEST_PAUSE
) -> None:
    """Again and again, after growing pauses where it fails; each new kind of trouble is said once."""
    pause, told = _SHORTEST_PAUSE, ""
    while not stopping.is_set():
        began = time.monotonic()
        try:
            await once()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the others go on and it comes round again
            is_away = isinstance(problem, _AWAY)
            what = "PostgreSQL is away" if is_away else in_short(problem)
            if what != told:
                structlog.get_logger().warning("work.failed", work=name, problem=what)
            # What went on for a while was well.
            pause = _SHORTEST_PAUSE if time.monotonic() - began > longest else min(pause * 2, longest)
            told = what
            await _wait(stopping, min(pause, _LONGEST_PAUSE) if is_away else pause)
        else:
            if told:
                structlog.get_logger().info("work.goes_on", work=name)
            pause, told = _SHORTEST_PAUSE, ""


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()
