"""Jobs taken from the queue: done, tried again later, or given up and kept where somebody sees them."""

import asyncio
import dataclasses
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import AbstractEntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Context, Job
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import Channel

from kit.queue import TryAgain, queue
from server.running.work_metrics import JOBS_DONE

Handler = Callable[[bytes], Awaitable[None]]

# A worker that was killed is silent; so long after its last sign of life another takes its jobs up.
SILENCE = timedelta(seconds=20)
_LOOK = timedelta(seconds=5)
_BATCH = 4
_AT_ONCE = 8
_DELAYS = (10, 60, 300, 900, 3600)
MOST_FAILURES = 10
# A job in which the worker dies again and again is likely why.
MOST_KILLS = 5
# When the service stops, a job may take this long to come to its end.
_LAST_SECONDS = 2.0
# All of them named: unnamed ones it would take from variables such as CHANNEL, which may be anybody's.
_TABLES = DBSettings(
    prefix="",
    db_schema="kit",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
)


class GivenUp(Exception):
    """A job failed too often; it stays in the queue as `failed`, and whoever watches over the service is told."""


class _Stopped(Exception):
    """The worker was told to stop: the job goes back into the queue."""


async def read_queue(
    connection: asyncpg.Connection,
    pool: asyncpg.Pool,
    handlers: Mapping[str, Handler],
    stopping: asyncio.Event,
    *,
    silence: timedelta = SILENCE,
) -> None:
    """Do jobs until `stopping`, or raise when PostgreSQL is lost. `connection` is for the queue alone."""
    # It would write tracebacks with everything that handlers touched.
    logging.getLogger("pgqueuer").setLevel(logging.CRITICAL + 1)
    queries = Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(_TABLES),
        qbq=QueryQueueBuilder(_TABLES),
        qbs=QuerySchedulerBuilder(_TABLES),
    )
    manager = _Manager(queries, channel=_TABLES.channel)
    for name, handler in handlers.items():
        manager.register_executor(name, _Executor(_parameters(handler), name, handler, pool, stopping))
    connection.add_termination_listener(lambda _: manager.shutdown.set())
    following = asyncio.create_task(_follow(stopping, manager.shutdown))
    try:
        await manager.run(
            dequeue_timeout=_LOOK,
            batch_size=_BATCH,
            max_concurrent_tasks=_AT_ONCE,
            shutdown_on_listener_failure=True,
            heartbeat_timeout=silence,
        )
    finally:
        following.cancel()


async def _follow(stopping: asyncio.Event, shutdown: asyncio.Event) -> None:
    await stopping.wait()
    shutdown.set()


def _parameters(handler: Handler) -> EntrypointExecutorParameters:
    # The function is never called: our executor does the work. `hold`: what was given up stays in the queue.
    return EntrypointExecutorParameters(concurrency_limit=0, func=handler, on_failure="hold")  # type: ignore[arg-type]


class _Manager(QueueManager):
    async def log_failure(self, job: Job, executor: AbstractEntrypointExecutor, exc: Exception, jbuff: Any) -> None:
        """Only what we gave up ourselves has failed; where PostgreSQL could not be told, the job comes again."""
        if isinstance(exc, GivenUp):
            await super().log_failure(job, executor, exc, jbuff)


@dataclasses.dataclass
class _Executor(AbstractEntrypointExecutor):
    """Does one job; whatever it raises is one of pgqueuer's words, or GivenUp, and holds nobody's data."""

    name: str
    handler: Handler
    pool: asyncpg.Pool
    stopping: asyncio.Event

    async def execute(self, job: Job, context: Context) -> None:  # noqa: ARG002 - pgqueuer's own signature
        problem: Exception | None = None
        try:
            kills = await self._start(job)
            if kills is not None and kills < MOST_KILLS:
                await self._do(job.payload or b"")
        except Exception as raised:  # noqa: BLE001 - every failure has a word below
            problem = raised
        else:
            if kills is not None and kills >= MOST_KILLS:
                self._give_up(job, "killed")
            JOBS_DONE.labels(self.name, "done").inc()
        # Outside of the handler's own exception: what stands in it would be written down with ours.
        if problem is not None:
            self._say_when(job, problem)

    async def _start(self, job: Job) -> int | None:
        """How often a worker was killed in this job; none when it is gone from the queue."""
        starts = await queue.mark_started(self.pool, id=job.id)
        return None if starts is None else starts - 1 - job.attempts

    async def _do(self, payload: bytes) -> None:
        """The job itself, in a task of its own: pgqueuer would take a cancelled one for done with."""
        work = asyncio.ensure_future(self.handler(payload))
        stop = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait({work, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not work.done():
            await asyncio.wait({work}, timeout=_LAST_SECONDS)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
        if work.cancelled():
            raise _Stopped
        work.result()

    def _say_when(self, job: Job, problem: Exception) -> None:
        """Raise what brings the job back after a while, or GivenUp."""
        if isinstance(problem, _Stopped):
            raise RetryRequested(timedelta(0), "stopped")
        if isinstance(problem, TryAgain):
            self._say("job.waits", job, problem.reason, problem.delay)
            raise RetryRequested(problem.delay, problem.reason)
        what = in_short(problem)
        if job.attempts + 1 >= MOST_FAILURES:
            self._give_up(job, what)
        delay = timedelta(seconds=_DELAYS[min(job.attempts, len(_DELAYS) - 1)])
        self._say("job.failed", job, what, delay)
        raise RetryRequested(delay, what)

    def _say(self, event: str, job: Job, what: str, delay: timedelta) -> None:
        JOBS_DONE.labels(self.name, "again").inc()
        structlog.get_logger().warning(
            event, job=self.name, number=job.id, tries=job.attempts + 1, problem=what, again_in=delay.total_seconds()
        )

    def _give_up(self, job: Job, what: str) -> None:
        JOBS_DONE.labels(self.name, "given_up").inc()
        structlog.get_logger().error("job.given_up", job=self.name, number=job.id, problem=what)
        raise GivenUp(what)


def in_short(problem: BaseException) -> str:
    """What went wrong and where, without the message: it may hold what people typed."""
    frames = traceback.extract_tb(problem.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(problem).__name__}{place}"
