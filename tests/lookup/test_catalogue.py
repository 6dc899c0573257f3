"""What a node keeps in memory follows what changes, reads no more than that, and outlasts its servers."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
import structlog
from structlog.testing import capture_logs

from kit.clock import utc_now
from lookup.catalogue import Catalogue
from lookup.catalogue_snapshot import Snapshot, SnapshotFile
from lookup.exam_setup import describe_exam
from lookup.releases import release, withdraw
from lookup.sealed.own_clock import OwnClock
from lookup.sealed.vault import Vault
from tests.exams import Paper, given_exam, given_results
from tests.lookup.sealed.given import given_open_bundle
from tests.officers import given_unit
from tests.people import MINH, MORNING
from units.changes import list_nodes

DEAD = "postgresql://nobody@127.0.0.1:1/nothing"
_NAME = "catalogue"


@pytest.fixture(autouse=True)
def _every_log_line():
    """A service that ran before in this process has set a level."""
    structlog.reset_defaults()


@pytest.fixture
async def dead_pool():
    pool = asyncpg.create_pool(DEAD, min_size=0, timeout=0.5)
    await pool
    yield pool
    pool.terminate()


@pytest.fixture
def snapshot(settings) -> SnapshotFile:
    return SnapshotFile(settings.releases_folder, settings.database_url)


async def given_release(connection, *, opens_at=MORNING, code="thpt-2026"):
    exam = await given_exam(connection, code)
    papers = [Paper(f"9900{place:04}", {"toan": MINH.scores["toan"]}) for place in range(120)]
    await given_results(connection, exam, papers)
    await release(connection, exam.code, opens_at=opens_at, now=min(opens_at, datetime.now(UTC)) - timedelta(seconds=1))
    return exam


async def test_units_are_read_anew_only_when_a_unit_changed(connection: asyncpg.Connection, pool):
    exam = await given_exam(connection)
    catalogue = Catalogue(pool, "node-1")
    await catalogue.refresh()
    units = catalogue.units
    await describe_exam(connection, exam.code, MORNING, name="Thi thử")
    await catalogue.refresh()
    assert catalogue.find(exam.code).name == "Thi thử"
    assert catalogue.units is units
    await given_unit(connection, "thpt-moi")
    await catalogue.refresh()
    assert catalogue.units.find("thpt-moi").name == "Trường thpt-moi"


async def test_a_process_that_starts_without_postgresql_knows_what_this_node_knew_last(
    connection, pool, dead_pool, settings, snapshot
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    before = Catalogue(pool, "node-1/1", Vault(settings.releases_folder), snapshot=snapshot)
    await before.refresh()
    after = Catalogue(dead_pool, "node-1/1", Vault(settings.releases_folder), snapshot=snapshot)
    assert not after.is_loaded
    assert after.load_snapshot()
    assert (after.is_loaded, after.hears_postgresql) == (True, False)
    assert after.exams() == before.exams()
    assert after.find(exam.code).visible_release(MORNING).is_open_here
    assert list(after.units) == list(before.units)
    assert after.root_unit == before.root_unit


async def test_postgresql_comes_back_and_the_process_goes_on_from_its_snapshot(connection, pool, settings, snapshot):
    exam = await given_release(connection)
    await Catalogue(pool, "node-1/1", snapshot=snapshot).refresh()
    await describe_exam(connection, exam.code, MORNING, name="Thi thử")
    catalogue = Catalogue(pool, "node-1/1", snapshot=snapshot)
    catalogue.load_snapshot()
    assert catalogue.find(exam.code).name == exam.name
    await catalogue.refresh()
    assert catalogue.hears_postgresql
    assert catalogue.find(exam.code).name == "Thi thử"


async def test_a_release_whose_moment_comes_while_postgresql_is_dead_opens_too(
    connection, pool, dead_pool, settings, snapshot, clock
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    clock.now = MORNING - timedelta(hours=1)
    await Catalogue(pool, "node-1/1", snapshot=snapshot).refresh()
    vault = Vault(settings.releases_folder, clock)
    catalogue = Catalogue(dead_pool, "node-1/1", vault, snapshot=snapshot, clock=clock)
    catalogue.load_snapshot()
    assert catalogue.find(exam.code).visible_release(MORNING) is None
    clock.now = MORNING
    vault.look(clock.now)
    assert catalogue.find(exam.code).visible_release(MORNING).is_open_here
    vault.close()


async def test_a_withdrawal_is_in_the_snapshot_and_its_key_is_gone(connection, pool, dead_pool, settings, snapshot):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    catalogue = Catalogue(pool, "node-1/1", Vault(settings.releases_folder), snapshot=snapshot)
    await catalogue.refresh()
    await withdraw(connection, exam.code)
    await catalogue.refresh()
    again = Catalogue(dead_pool, "node-1/1", Vault(settings.releases_folder), snapshot=snapshot)
    again.load_snapshot()
    assert again.find(exam.code).state(MORNING) == "withdrawn"
    assert not list(settings.releases_folder.glob("*.key"))


async def test_no_distribution_of_what_has_not_opened_lies_on_disk(connection, pool, settings, snapshot):
    soon = datetime.now(UTC) + timedelta(hours=1)
    sealed = await given_release(connection, opens_at=soon)
    opened = await given_release(connection, code="opened")
    catalogue = Catalogue(pool, "node-1/1", snapshot=snapshot)
    await catalogue.refresh()
    kept = {exam.code: exam for exam in snapshot.read().exams}
    assert kept[opened.code].releases[0].distributions
    assert kept[sealed.code].releases[0].distributions == {}
    # And it would not, had PostgreSQL told it too early.
    early = msgspec.structs.replace(
        kept[sealed.code].releases[0], distributions=kept[opened.code].releases[0].distributions
    )
    exams = [msgspec.structs.replace(kept[sealed.code], releases=(early,))]
    snapshot.write(Snapshot(datetime.now(UTC), exams, list(catalogue.units)))
    assert snapshot.read().exams[0].releases[0].distributions == {}


async def test_a_damaged_or_foreign_snapshot_is_ignored_with_a_word(connection, pool, settings, snapshot):
    await given_release(connection)
    await Catalogue(pool, "node-1/1", snapshot=snapshot).refresh()
    path = settings.releases_folder / _NAME
    good = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    foreign = SnapshotFile(settings.releases_folder, "postgresql://elsewhere/baodanh")
    bad = {b"": "damaged", b"x" * 200: "damaged", good[:-1]: "damaged", good[:20] + b"\1" + good[21:]: "foreign"}
    for content, word in bad.items():
        path.write_bytes(content)
        with capture_logs() as logs:
            assert not Catalogue(pool, "node-1/1", snapshot=snapshot).load_snapshot()
        assert [(entry["event"], entry["problem"]) for entry in logs] == [("catalogue_snapshot_ignored", word)]
    path.write_bytes(good)
    assert foreign.read() is None
    assert snapshot.read()
    path.unlink()
    assert not Catalogue(pool, "node-1/1", snapshot=snapshot).load_snapshot()


def test_another_user_or_another_folder_of_sockets_is_still_the_same_database(tmp_path):
    now = datetime.now(UTC)
    SnapshotFile(tmp_path, "postgresql://baodanh@/baodanh?host=/tmp/a").write(Snapshot(now, [], []))
    assert SnapshotFile(tmp_path, "postgresql://baodanh@/baodanh?host=/tmp/b").read()
    assert not SnapshotFile(tmp_path, "postgresql://baodanh@/other?host=/tmp/b").read()
    SnapshotFile(tmp_path, "postgresql://me:secret@a:1,b:2/baodanh").write(Snapshot(now, [], []))
    assert SnapshotFile(tmp_path, "postgresql://you:other@a:1,b:2/baodanh").read()
    assert not SnapshotFile(tmp_path, "postgresql://me:secret@c/baodanh").read()


def test_of_two_processes_the_one_that_heard_more_is_kept(tmp_path):
    file, now = SnapshotFile(tmp_path, DEAD), datetime.now(UTC)
    newer, older = Snapshot(now, [], []), Snapshot(now - timedelta(seconds=1), [], [])
    file.write(newer)
    file.write(older)
    assert file.read() == newer
    # A database that was set back to an older state counts anew.
    restored = Snapshot(now - timedelta(hours=1), [], [])
    file.write(restored)
    assert file.read() == restored


async def test_a_folder_that_cannot_be_written_costs_the_snapshot_and_nothing_else(connection, pool, tmp_path):
    await given_release(connection)
    (tmp_path / "file").touch()
    catalogue = Catalogue(pool, "node-1/1", snapshot=SnapshotFile(tmp_path / "file", DEAD))
    with capture_logs() as logs:
        await catalogue.refresh()
    assert "catalogue_snapshot_not_kept" in {entry["event"] for entry in logs}
    assert catalogue.hears_postgresql


async def test_how_scores_are_spread_is_told_soon_after_an_unsealed_release_has_opened(connection, pool):
    opens_at = datetime.now(UTC) + timedelta(seconds=0.7)
    exam = await given_release(connection, opens_at=opens_at)
    catalogue = Catalogue(pool, "node-1/1")
    watch = asyncio.create_task(catalogue.watch())
    try:
        async with asyncio.timeout(5):
            while not catalogue.is_loaded:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert catalogue.find(exam.code).releases[0].distributions == {}
            while not catalogue.find(exam.code).releases[0].distributions:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert timedelta() <= datetime.now(UTC) - opens_at < timedelta(seconds=0.6)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


@pytest.mark.parametrize(
    ("ahead_ms", "differs"), [(0, False), (150, False), (-150, False), (1000, True), (-1000, True)]
)
async def test_a_clock_that_is_off_says_so_and_is_seen_by_officers(connection, pool, ahead_ms, differs):
    ahead = timedelta(milliseconds=ahead_ms)
    catalogue = Catalogue(pool, "node-1/1")
    catalogue.own_clock.clock = lambda: utc_now() + ahead
    with capture_logs() as logs:
        for _ in range(3):
            await catalogue.refresh()
    assert catalogue.own_clock.differs == differs
    assert [entry["event"] for entry in logs] == ["clock_differs"] * differs
    (node,) = await list_nodes(connection)
    assert abs(node.clock_difference_ms) == pytest.approx(abs(ahead_ms), abs=100)
    assert node.clock_difference_ms * ahead_ms >= 0


async def test_a_slow_answer_is_not_taken_for_a_wrong_clock():
    clock, now = OwnClock(), MORNING

    async def ask():
        nonlocal now
        asked, now = now, now + timedelta(seconds=3)
        return None, asked + timedelta(seconds=2.5)

    clock.clock = lambda: now
    await clock.compare(ask)
    assert (clock.differs, clock.difference_ms) == (False, 0)
