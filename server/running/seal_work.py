"""Sealing as work: what is released becomes a sealed file beside the requests, and none is forgotten."""

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from kit.clock import utc_now
from kit.keys import KeyRing
from kit.queue import TryAgain, is_left
from kit.turns import alone
from lookup.sealed import building
from lookup.sealed.builders import BuildFailed
from lookup.sealed.release_keys import RELEASE, ReleaseKeys
from lookup.sealed.seal_job import JOB, SealJob, decode_job, encode_job, leave_seal_job
from server.running.workshop import Workshop

_DELAYS = (10, 30, 60, 300, 900)
_ANOTHER_IS_AT_IT = timedelta(seconds=2)
# No build takes so long.
_LEFT_BEHIND = timedelta(hours=1)


def make_release_key(keys: KeyRing) -> None:
    """The key that wraps those of releases, at the start and not with the first release: then it can be backed up.

    A node that was given its keys without this one leaves sealing to others.
    """
    if keys.holds(RELEASE):
        ReleaseKeys(keys).make()


async def seal_release(shop: Workshop, payload: bytes) -> None:
    """The job that a release leaves behind. Only one worker seals for an exam at a time."""
    job = decode_job(payload)
    if not await alone(shop.settings.database_url, f"seal {job.exam}", partial(_seal, _tools(shop), job)):
        raise TryAgain(_ANOTHER_IS_AT_IT, "another worker seals for this exam")


async def _seal(tools: building.Tools, job: SealJob) -> None:
    try:
        await building.seal_release(tools, job.exam, job.generation, begun_after=job.begun_after)
    except BuildFailed as failed:
        failures = await building.count_failures(tools.pool, job.exam, job.generation)
        delay = timedelta(seconds=_DELAYS[min(max(failures, 1), len(_DELAYS)) - 1])
        structlog.get_logger().error(
            "release_cannot_be_sealed",
            exam=job.exam,
            generation=job.generation,
            problem=failed.problem,
            again_in=delay.total_seconds(),
        )
        raise TryAgain(delay, failed.problem) from None


async def find_unsealed(shop: Workshop) -> None:
    """Releases without a file and without a job: from before there were files, or their job was lost."""
    async with shop.pool.acquire() as connection, connection.transaction():
        for exam, generation in await building.list_unsealed(connection):  # type: ignore[arg-type]  # a proxy
            job = SealJob(exam, generation)
            if not await is_left(connection, JOB, encode_job(job)):  # type: ignore[arg-type]
                await leave_seal_job(connection, job)  # type: ignore[arg-type]


async def sweep_folder(shop: Workshop) -> None:
    """What a killed worker of this machine has left on its disk."""
    before = (utc_now() - _LEFT_BEHIND).timestamp()
    await asyncio.to_thread(building.sweep, _tools(shop).folder, before)


def _tools(shop: Workshop) -> building.Tools:
    settings = shop.settings
    return building.Tools(
        pool=shop.pool, database_url=settings.database_url, folder=settings.state_dir / "sealing", keys=shop.keys
    )
