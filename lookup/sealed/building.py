"""Make the sealed file of a release: in processes of their own, while the worker goes on with its other work."""

import asyncio
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import asyncpg
import msgspec
import structlog

from kit import clock, sql
from kit.keys import KeyRing
from kit.sql import Database
from lookup.exams import Exam, find_exam
from lookup.pins import pin_hash_key
from lookup.sealed.build_orders import Bind, Bound, Sealed, SealRows
from lookup.sealed.builders import BuildFailed, bind, seal_rows
from lookup.sealed.bundle_writer import Facts
from lookup.sealed.packing import FACTS, Batch, Edition, Packing, SharedFacts, encode_facts
from lookup.sealed.release_keys import ReleaseKeys, public_key
from units.changes import Change, announce
from units.record.entries import SERVICE, write

log = structlog.get_logger()
building = sql.load(__file__, "building")

PIECE = 1024 * 1024
# Written in one transaction.
_PIECES_AT_ONCE = 8
_WORTH_TWO_PROCESSES = 20_000


class ReleaseGone(Exception):
    """The release was replaced, taken back or taken down meanwhile: nobody needs its file."""


class Tools(msgspec.Struct, frozen=True):
    """What the making needs. `folder` is private; nothing in it outlives a build."""

    pool: asyncpg.Pool
    database_url: str
    folder: Path
    keys: KeyRing


class _Build(msgspec.Struct, frozen=True):
    """One file in the making."""

    id: int
    exam: Exam
    generation: int
    opens_at: datetime
    result_count: int
    distributions: str
    begun_at: datetime
    generation_key: bytes
    folder: Path


async def seal_release(tools: Tools, exam_code: str, generation: int, *, begun_after: datetime | None = None) -> bool:
    """Make and store the file of a release; False where there is nothing to do any more. One at a time for an exam.

    Nothing to do: the release is gone, or has a file, which was begun after `begun_after` if that is given. Raises
    BuildFailed, and whatever PostgreSQL raises; then what was made is gone, and why stands beside the release.
    """
    release = await building.find_release(tools.pool, exam_code=exam_code, generation=generation)
    if release is None:
        return False
    if release["sealed_at"] and (begun_after is None or release["sealed_at"] > begun_after):
        return False
    for left in await building.remove_abandoned(tools.pool, exam_code=exam_code):
        shutil.rmtree(tools.folder / str(left["id"]), ignore_errors=True)
    try:
        build = await _begin(tools, exam_code, generation, release)
    except (ReleaseGone, asyncpg.ForeignKeyViolationError):
        return False
    try:
        return await _make(tools, build)
    finally:
        shutil.rmtree(build.folder, ignore_errors=True)


async def count_failures(database: Database, exam_code: str, generation: int) -> int:
    """How often the making of this release's file has failed so far."""
    release = await building.find_release(database, exam_code=exam_code, generation=generation)
    return release["failures"] if release else 0


async def list_unsealed(database: Database) -> list[tuple[str, int]]:
    """Exams and generations that should have a file and have none."""
    return [tuple(row) for row in await building.list_unsealed_releases(database)]


async def list_sealed_with_pins(database: Database) -> list[tuple[str, int]]:
    """Exams and generations whose files hold lookup codes as hashes, by the keys of the moment they were made."""
    return [tuple(row) for row in await building.list_sealed_pin_releases(database)]


def sweep(folder: Path, before: float) -> None:
    """Remove what builders of this machine have left that were killed; `before`: a Unix time."""
    for left in folder.glob("*/"):
        if left.stat().st_mtime < before:
            shutil.rmtree(left, ignore_errors=True)


async def _begin(tools: Tools, exam_code: str, generation: int, release: asyncpg.Record) -> _Build:
    exam = await find_exam(tools.pool, exam_code)
    row = await building.add_bundle(
        tools.pool, exam_code=exam_code, generation=generation, result_count=release["result_count"]
    )
    return _Build(
        id=row["id"],
        exam=exam,
        generation=generation,
        opens_at=release["opens_at"],
        result_count=release["result_count"],
        distributions=release["distributions"],
        begun_at=row["begun_at"],
        generation_key=ReleaseKeys(tools.keys).new_generation_key(),
        folder=_make_folder(tools.folder, row["id"]),
    )


def _make_folder(parent: Path, bundle_id: int) -> Path:
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = parent / str(bundle_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


async def _make(tools: Tools, build: _Build) -> bool:
    try:
        sealed, facts = await _seal(tools, build)
        bound = await bind(_bind_order(tools, build, sealed, facts))
        await _keep_pieces(tools.pool, build)
        await _conclude(tools, build, bound)
    except (ReleaseGone, asyncpg.ForeignKeyViolationError):
        await building.remove_bundle(tools.pool, bundle_id=build.id)
        log.info("release_gone_while_sealing", exam=build.exam.code, generation=build.generation)
        return False
    except Exception as problem:  # noqa: BLE001 - its message may hold what stands in the data
        failed = problem if isinstance(problem, BuildFailed) else BuildFailed(type(problem).__name__)
        await building.remove_pieces(tools.pool, bundle_id=build.id)
        await building.mark_failed(tools.pool, bundle_id=build.id, problem=failed.problem)
        raise failed from None
    log.info("release_sealed", exam=build.exam.code, generation=build.generation, size=bound.size)
    return True


async def _seal(tools: Tools, build: _Build) -> tuple[Sealed, SharedFacts]:
    """All results, sealed and loose in the folder; and what their records refer to."""
    packing, facts = await _share_facts(tools, build)
    orders = [_seal_order(tools, build, packing, *ends) for ends in await _halves(tools, build)]

    async def tell(results: int) -> None:
        if not await building.mark_progress(tools.pool, bundle_id=build.id, results_done=results):
            raise ReleaseGone

    sealed = await seal_rows(orders, tell)
    if sealed.results != build.result_count:
        raise BuildFailed("count_differs")
    return sealed, facts


async def _halves(tools: Tools, build: _Build) -> list[tuple[str | None, str | None]]:
    """From which candidate number on and before which each process works."""
    if build.result_count < _WORTH_TWO_PROCESSES:
        return [(None, None)]
    middle = await building.find_middle(tools.pool, exam_code=build.exam.code)
    return [(None, middle), (middle, None)]


async def _share_facts(tools: Tools, build: _Build) -> tuple[Packing, SharedFacts]:
    exam = build.exam
    batches: dict[int, Batch] = {}
    editions: dict[Edition, int] = {}
    for row in await building.list_batches(tools.pool, exam_code=exam.code, generation=build.generation):
        edition = Edition(row["released_at"], row["reason"])
        batches[row["id"]] = Batch(row["generation"], editions.setdefault(edition, len(editions)))
    marks = [row["mark"] for row in await building.list_marks(tools.pool, exam_code=exam.code, batches=list(batches))]
    packing = Packing(
        papers=[(subject.position, subject.decimals) for subject in exam.subjects],
        total_decimals=exam.total_rule.decimals if exam.total_rule else None,
        marks=marks,
        batches=batches,
    )
    distributions = msgspec.json.decode(build.distributions, type=dict[int, list[tuple]], strict=False)
    shared = {"editions": list(editions), "marks": marks, "distributions": distributions}
    return packing, msgspec.convert(
        shared | {"pin_keys": [pin_hash_key(key) for key in _pin_keys(tools, exam)]}, SharedFacts
    )


def _pin_keys(tools: Tools, exam: Exam) -> list[bytes]:
    return [key.value for key in tools.keys.all("pin")] if exam.policy == "pin" else []


def _seal_order(tools: Tools, build: _Build, packing: Packing, first: str | None, beyond: str | None) -> SealRows:
    return SealRows(
        database_url=tools.database_url,
        exam=build.exam.code,
        policy=build.exam.policy,
        with_names=build.exam.show_name,
        first=first,
        beyond=beyond,
        packing=packing,
        bound_to=_facts(build, 0).bound_to,
        generation_key=build.generation_key,
        pin_keys=_pin_keys(tools, build.exam),
        folder=str(build.folder),
        name="second" if first else "first",
    )


def _bind_order(tools: Tools, build: _Build, sealed: Sealed, facts: SharedFacts) -> Bind:
    return Bind(
        path=str(_path(build)),
        folder=str(build.folder),
        facts=_facts(build, sealed.results),
        records=sealed.records,
        parts={FACTS: encode_facts(facts)},
        generation_key=build.generation_key,
        signing_key=ReleaseKeys(tools.keys).signer().private_bytes_raw(),
    )


def _facts(build: _Build, results: int) -> Facts:
    return Facts(
        exam=build.exam.code,
        generation=build.generation,
        policy=build.exam.policy,
        opens_at=build.opens_at,
        made_at=build.begun_at,
        results=results,
    )


def _path(build: _Build) -> Path:
    return build.folder / "whole"


async def _keep_pieces(pool: asyncpg.Pool, build: _Build) -> None:
    """The file in pieces, a few in each transaction: nobody waits for a long one."""
    number = 0
    with _path(build).open("rb") as file:
        while pieces := await asyncio.to_thread(_read_pieces, file):
            rows = [(build.id, number + place, piece) for place, piece in enumerate(pieces)]
            async with pool.acquire() as connection:
                await connection.copy_records_to_table(
                    "bundle_pieces", schema_name="lookup", columns=("bundle_id", "number", "content"), records=rows
                )
            number += len(rows)


def _read_pieces(file: BinaryIO) -> Sequence[bytes]:
    return [piece for _ in range(_PIECES_AT_ONCE) if (piece := file.read(PIECE))]


async def _conclude(tools: Tools, build: _Build, bound: Bound) -> None:
    """In one transaction it is there, for every node and on the record. Raises ReleaseGone."""
    keys, code, generation = ReleaseKeys(tools.keys), build.exam.code, build.generation
    async with tools.pool.acquire() as held, held.transaction():
        connection: asyncpg.Connection = held  # type: ignore[assignment]  # a proxy of one
        exam = await building.lock_exam(connection, exam_code=code)
        if exam is None or exam["withdrawn_generation"] >= generation:
            raise ReleaseGone
        now = await clock.now(connection)
        stored = await building.mark_stored(
            connection,
            bundle_id=build.id,
            now=now,
            result_count=build.result_count,
            size=bound.size,
            sha256=bound.sha256,
            signed_by=public_key(keys.signer()),
            wrapped_key=keys.wrap(build.generation_key, code, generation, build.id),
        )
        if not stored:
            raise ReleaseGone
        await building.mark_sealed(connection, exam_code=code, generation=generation, now=now)
        await building.remove_failures(connection, exam_code=code, generation=generation)
        facts = {"generation": generation, "bundle": build.id, "results": build.result_count, "size": bound.size}
        await write(connection, SERVICE, "release.sealed", ("exam", code), unit=exam["unit_code"], **facts)
        await announce(connection, Change("exam", code, "sealed"), now)
