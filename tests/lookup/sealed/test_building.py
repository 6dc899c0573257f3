"""A release is sealed beside everything else, by somebody who may be killed; what comes of it is whole or not there."""

import asyncio
import json
import os
import signal
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from kit.errors import UsageError
from kit.keys import KeyRing
from kit.queue import TryAgain
from lookup.exams import find_exam
from lookup.releases import release, withdraw
from lookup.scores import Question
from lookup.sealed import building
from lookup.sealed.builders import BuildFailed
from lookup.sealed.building import PIECE, seal_release, sweep
from lookup.sealed.release_keys import KeyNotOurs, ReleaseKeys, public_key
from lookup.sealed.seal_job import JOB, SealJob, encode_job
from server.app import create_app
from server.commands.key import _rotate_pin
from server.running import seal_work
from server.running.chores import CHORES, JOBS, JOBS_WITH_KEYS
from server.running.workshop import Workshop
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.lookup.sealed.built import Built
from tests.people import AN, MINH, MORNING

DAY = timedelta(days=1)


@pytest.fixture
def built(pool, database, tmp_path):
    return Built.make(pool, database, tmp_path)


@pytest.fixture
def built_here(pool, database, tmp_path, monkeypatch):
    return Built.in_this_process(pool, database, tmp_path, monkeypatch)


@pytest.fixture
async def exam(connection):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    return exam


def shop(built, settings):
    return Workshop(settings=settings, pool=built.tools.pool, redis=None, keys=built.keys, post=None, clock=None)


async def jobs(connection):
    rows = await connection.fetch("select payload from kit.pgqueuer where entrypoint = $1 order by id", JOB)
    return [json.loads(row["payload"]) for row in rows]


# From a release to a file


async def test_a_release_leaves_its_sealing_in_its_own_transaction(connection, exam):
    assert await jobs(connection) == [{"exam": exam.code, "generation": 1}]


async def test_a_release_is_sealed_in_processes_of_its_own_and_told_to_every_node(connection, built, exam):
    opened = await built.open(exam.code, 1)
    assert opened.find(Question(MINH.number)).number == MINH.number
    assert opened.find(Question("99999999")) is None
    row = await built.stored(exam.code)
    assert (row["results_done"], row["result_count"]) == (2, 2)
    assert len(await built.content(row["id"])) == row["size"]
    assert row["signed_by"] == public_key(ReleaseKeys(built.keys).signer())
    assert row["opening_key"] is None
    told = await connection.fetchrow("select what, code from units.changes order by number desc limit 1")
    assert tuple(told) == ("sealed", exam.code)
    entry = await connection.fetchrow(
        "select details::text, unit_code from units.record_entries order by id desc limit 1"
    )
    assert json.loads(entry["details"]) == {
        "generation": 1, "bundle": row["id"], "results": 2, "size": row["size"],
    }  # fmt: skip
    assert not list(built.tools.folder.iterdir()), "nothing is left on the disk"


async def test_the_catalogue_knows_when_a_release_was_sealed_first(connection, built_here, exam):
    await built_here.open(exam.code, 1)
    first = await connection.fetchval("select sealed_at from lookup.releases")
    await seal_release(
        built_here.tools, exam.code, 1, begun_after=await connection.fetchval("select clock_timestamp()")
    )
    assert await connection.fetchval("select count(*) from lookup.bundles where state = 'stored'") == 2
    assert await connection.fetchval("select sealed_at from lookup.releases") == first
    assert (await find_exam(connection, exam.code)).releases[0].bundle


async def test_what_is_sealed_already_is_not_sealed_again(built_here, exam):
    assert await seal_release(built_here.tools, exam.code, 1)
    assert not await seal_release(built_here.tools, exam.code, 1)
    assert not await seal_release(built_here.tools, exam.code, 2)


async def test_a_file_goes_into_postgresql_in_pieces(connection, built_here, monkeypatch):
    monkeypatch.setattr(building, "PIECE", 1000)
    exam = await given_exam(connection)
    await given_results(connection, exam, [Paper(f"99{n:06d}", {"toan": Decimal(8)}) for n in range(300)])
    await release(connection, exam.code, opens_at=MORNING)
    opened = await built_here.open(exam.code, 1)
    assert opened.find(Question("99000299"))
    sizes = await connection.fetch("select octet_length(content) from lookup.bundle_pieces order by number")
    assert {size[0] for size in sizes[:-1]} == {1000}
    assert PIECE == 2**20


# Interrupted


async def test_a_builder_that_is_killed_leaves_nothing_and_the_next_one_does_it(connection, built, exam):
    left = await connection.fetchval(
        "insert into lookup.bundles (exam_code, generation, state, begun_at, result_count)"
        " values ($1, 1, 'building', clock_timestamp(), 2) returning id", exam.code,
    )  # fmt: skip
    (built.tools.folder / str(left)).mkdir(parents=True)
    assert await built.open(exam.code, 1)
    assert [row["state"] for row in await connection.fetch("select state from lookup.bundles")] == ["stored"]
    assert not list(built.tools.folder.iterdir())


async def test_a_build_process_that_is_killed_fails_the_build_and_is_said(connection, built, exam):
    sealing = asyncio.create_task(seal_release(built.tools, exam.code, 1))
    os.kill(await a_build_process(), signal.SIGKILL)
    with pytest.raises(BuildFailed, match="process_died"):
        await sealing
    row = await connection.fetchrow("select state, problem from lookup.bundles")
    assert tuple(row) == ("failed", "process_died")
    assert not list(built.tools.folder.iterdir())
    assert await built.open(exam.code, 1)
    assert [row["state"] for row in await connection.fetch("select state from lookup.bundles")] == ["stored"]


async def a_build_process():
    """Its number, as soon as it has begun; it takes a third of a second to come to its order."""
    async with asyncio.timeout(20):
        while not (found := build_processes()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found[0]


def build_processes():
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return [int(pid) for pid in children if b"build_process" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_a_worker_that_stops_ends_its_build_processes(built, exam):
    sealing = asyncio.create_task(seal_release(built.tools, exam.code, 1))
    await a_build_process()
    sealing.cancel()
    await asyncio.wait({sealing})
    assert not build_processes()
    assert not list(built.tools.folder.iterdir())


@pytest.mark.parametrize("gone", ["replaced", "withdrawn"])
async def test_a_release_that_is_gone_meanwhile_is_not_sealed(connection, built_here, monkeypatch, gone):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING + DAY, now=MORNING)
    keep = building._keep_pieces

    async def meanwhile(pool, build):
        await keep(pool, build)
        if gone == "replaced":
            await release(connection, exam.code, opens_at=MORNING + 2 * DAY, now=MORNING)
        else:
            await withdraw(connection, exam.code)

    monkeypatch.setattr(building, "_keep_pieces", meanwhile)
    assert not await seal_release(built_here.tools, exam.code, 1)
    assert await connection.fetchval("select count(*) from lookup.bundles") == 0
    assert await connection.fetchval("select count(*) from lookup.bundle_pieces") == 0
    assert not list(built_here.tools.folder.iterdir())


async def test_a_file_that_lacks_somebody_is_not_stored(connection, built_here, exam):
    await connection.execute("update lookup.releases set result_count = 3")
    with pytest.raises(BuildFailed, match="count_differs"):
        await seal_release(built_here.tools, exam.code, 1)
    assert await connection.fetchval("select problem from lookup.bundles where state = 'failed'") == "count_differs"


async def test_what_failed_comes_again_after_a_growing_while_and_is_an_error_in_the_log(
    connection, built_here, settings, exam
):
    await connection.execute("update lookup.releases set result_count = 3")
    delays = []
    for _ in range(3):
        with capture_logs() as logs, pytest.raises(TryAgain) as again:
            await seal_work.seal_release(shop(built_here, settings), encode_job(SealJob(exam.code, 1)))
        delays.append(again.value.delay.total_seconds())
        assert [(each["log_level"], each["problem"]) for each in logs] == [("error", "count_differs")]
    assert delays == [10, 30, 60]


async def test_trouble_never_repeats_what_stands_in_the_data(connection, built, exam):
    await connection.execute(
        "update lookup.results set scores = array['NaN'::numeric] where candidate_number = $1", MINH.number
    )
    with capture_logs() as logs, pytest.raises(BuildFailed) as failed:
        await seal_release(built.tools, exam.code, 1)
    assert "at packing.py" in failed.value.problem
    assert MINH.number not in f"{logs} {failed.value.problem}"


def test_what_killed_builders_left_on_the_disk_goes_after_a_while(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "8").mkdir()
    os.utime(tmp_path / "7", (1, 1))
    sweep(tmp_path, before=2)
    assert [path.name for path in tmp_path.iterdir()] == ["8"]


# Nothing is forgotten


async def test_releases_without_file_and_job_are_found_once(connection, built_here, settings, exam):
    await connection.execute("delete from kit.pgqueuer")
    for _ in range(2):
        await seal_work.find_unsealed(shop(built_here, settings))
    assert await jobs(connection) == [{"exam": exam.code, "generation": 1}]
    await connection.execute("delete from kit.pgqueuer")
    await built_here.open(exam.code, 1)
    await seal_work.find_unsealed(shop(built_here, settings))
    assert await jobs(connection) == []
    assert {"find-unsealed", "sweep-sealing"} <= {chore.name for chore in CHORES}
    assert JOBS[JOB] is seal_work.seal_release


async def test_a_newer_key_of_lookup_codes_has_open_releases_sealed_anew(connection, built_here, settings):
    exam = await given_exam(connection, policy="pin")
    await given_exam(connection, "public")
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING)
    before = await built_here.open(exam.code, 1)
    await connection.execute("delete from kit.pgqueuer")
    assert (await _rotate_pin(settings)).id == 2
    [job] = await jobs(connection)
    assert (job["exam"], job["generation"]) == (exam.code, 1)
    await seal_work.seal_release(shop(built_here, settings), json.dumps(job).encode())
    assert (await built_here.stored(exam.code))["id"] > int(before.bundle.path.stem)


# The key


def test_a_wrapped_key_opens_for_its_own_bundle_only_and_with_every_key_of_the_ring(tmp_path):
    keys = KeyRing(tmp_path)
    release_keys = ReleaseKeys(keys)
    generation_key = release_keys.new_generation_key()
    wrapped = release_keys.wrap(generation_key, "thpt", 1, 7)
    assert generation_key not in wrapped
    keys.rotate("release")
    assert release_keys.unwrap(wrapped, "thpt", 1, 7) == generation_key
    for other in (("thpt", 1, 8), ("thpt", 2, 7), ("lop", 1, 7)):
        with pytest.raises(KeyNotOurs):
            release_keys.unwrap(wrapped, *other)
    with pytest.raises(KeyNotOurs):
        ReleaseKeys(KeyRing(tmp_path / "others")).unwrap(wrapped, "thpt", 1, 7)
    newer = release_keys.wrap(generation_key, "thpt", 1, 7)
    (tmp_path / "release.2").unlink()
    with pytest.raises(KeyNotOurs):
        release_keys.unwrap(newer, "thpt", 1, 7)


def test_the_signer_is_the_same_as_long_as_the_key_is(tmp_path):
    keys = KeyRing(tmp_path)
    first = public_key(ReleaseKeys(keys).signer())
    assert public_key(ReleaseKeys(keys).signer()) == first
    keys.rotate("release")
    assert public_key(ReleaseKeys(keys).signer()) != first


def test_a_web_process_neither_makes_nor_reads_the_key_of_releases(settings, monkeypatch):
    asked = []
    read = KeyRing.all
    monkeypatch.setattr(KeyRing, "all", lambda ring, name: asked.append(name) or read(ring, name))
    create_app(settings)
    assert "pin" in asked
    assert "release" not in asked
    assert not list(settings.keys_folder.glob("release.*"))


def test_a_worker_makes_the_key_at_its_start_unless_its_keys_were_given_to_it(tmp_path):
    seal_work.make_release_key(KeyRing(tmp_path))
    assert (tmp_path / "release.1").exists()
    given = tmp_path / "given"
    given.mkdir()
    seal_work.make_release_key(KeyRing(given, may_create=False))
    assert JOBS_WITH_KEYS[JOB] == "release"
    with pytest.raises(UsageError):
        ReleaseKeys(KeyRing(given, may_create=False)).signer()
