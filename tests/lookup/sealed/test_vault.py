"""What a web process holds, when it opens, and what it does when anything is wrong with a sealed release."""

import asyncio
import os
import threading
import time
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from lookup.exams import CORRECTION_GRACE, Exam, find_exam
from lookup.releases import release, withdraw
from lookup.scores import Question
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.openings import Openings
from lookup.sealed.release_folder import bundle_path, keep_key, read_key
from lookup.sealed.vault import LATE, Opening, Vault
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.lookup.sealed.given import given_open_bundle, given_sealed_bundle
from tests.people import AN, MINH, MORNING

BEFORE, LATER = MORNING - timedelta(seconds=1), MORNING + LATE
CORRECTED = MORNING + timedelta(hours=3)
ASKED = Question(MINH.number)


async def given_release(connection, *, opens_at=MORNING, now=BEFORE, **how) -> Exam:
    exam = await given_exam(connection, **how)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=opens_at, now=now)
    return exam


async def given_correction(connection, exam: Exam) -> None:
    await given_results(connection, exam, [Paper(MINH.number, {"toan": MINH.scores["vat_li"]})], reason="Phúc khảo")
    await release(connection, exam.code, opens_at=CORRECTED, now=CORRECTED - timedelta(seconds=1))


@pytest.fixture
def vault(settings):
    return Vault(settings.releases_folder, clock=lambda: MORNING)


@pytest.fixture
def follows(connection, vault):
    """The vault hears what PostgreSQL knows; returns the exam as it is shown then."""

    async def follow(exam: Exam, now: datetime) -> Exam:
        told = await find_exam(connection, exam.code)
        vault.follow([told], now)
        return vault.as_shown_here(told)

    return follow


def shown(exam: Exam, now: datetime) -> int | None:
    visible = exam.visible_release(now)
    return visible.generation if visible else None


def alarms(logs) -> list[str]:
    return [entry["reason"] for entry in logs if entry["event"] == "release_alarm"]


async def test_a_release_opens_at_its_moment_and_not_before_though_the_key_is_there(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    sealed = await follows(exam, BEFORE)
    assert vault.find_open(sealed.releases[0]) is None
    assert shown(sealed, MORNING) is None
    vault.look(MORNING - timedelta(microseconds=1))
    assert vault.find_open(sealed.releases[0]) is None
    vault.look(MORNING)
    opened = vault.find_open(sealed.releases[0])
    assert opened.find(ASKED).number == MINH.number
    assert opened.find(Question("99999999")) is None
    assert vault.as_shown_here(sealed).visible_release(MORNING).is_open_here


async def test_it_opens_within_milliseconds_of_its_moment_by_itself(connection, settings):
    vault = Vault(settings.releases_folder)
    opens_at = datetime.now(UTC) + timedelta(seconds=1.2)
    exam = await given_release(connection, opens_at=opens_at, now=datetime.now(UTC))
    await given_open_bundle(connection, settings, exam.code)
    told = await find_exam(connection, exam.code)
    vault.follow([told], datetime.now(UTC))
    assert not vault.openings()
    opened = []
    vault.when_changed(lambda: opened.append(datetime.now(UTC)))
    async with asyncio.timeout(5):
        while not opened:  # noqa: ASYNC110 - the vault opens by its own timer
            await asyncio.sleep(0.001)
    assert timedelta() <= opened[0] - opens_at < timedelta(milliseconds=250)
    assert vault.openings()[told.releases[0].bundle.id].opened_at >= opens_at
    vault.close()


async def test_a_key_that_comes_before_the_moment_or_before_the_file_is_kept_and_used_then(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    hidden = path.rename(path.with_suffix(".hidden"))
    vault.take_key(sealed.bundle_id, sealed.key, BEFORE, "redis")
    await follows(exam, BEFORE)
    hidden.rename(path)
    vault.look(BEFORE)
    assert not vault.awaited()
    assert not vault.openings()
    assert shown(await follows(exam, MORNING), MORNING) == 1


async def test_a_late_key_opens_late_and_is_cried_out_once(connection, settings, vault, follows):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await follows(exam, BEFORE)
    with capture_logs() as logs:
        vault.look(MORNING)
        assert not alarms(logs), "a key is on its way for some milliseconds"
        for second in range(1, 5):
            vault.look(MORNING + timedelta(seconds=second))
        assert alarms(logs) == ["key_missing"]
    assert shown(await follows(exam, LATER), LATER) is None
    vault.take_key(sealed.bundle_id, sealed.key, LATER, "row")
    assert shown(await follows(exam, LATER), LATER) == 1


async def test_a_wrong_key_is_ignored_and_cried_out_once_and_the_right_one_still_opens(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await follows(exam, MORNING)
    with capture_logs() as logs:
        for _ in range(3):
            vault.take_key(sealed.bundle_id, bytes(32), MORNING, "redis")
    assert alarms(logs) == ["wrong_key"]
    assert bytes(32).hex() not in str(logs)
    assert shown(await follows(exam, MORNING), MORNING) is None
    vault.take_key(sealed.bundle_id, sealed.key, MORNING, "redis")
    assert shown(await follows(exam, MORNING), MORNING) == 1


async def test_a_flood_of_wrong_keys_fills_no_log_and_the_right_one_still_opens(connection, settings, vault, follows):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await follows(exam, BEFORE)
    with capture_logs() as logs:
        for number in range(200):
            vault.take_key(sealed.bundle_id, number.to_bytes(32), BEFORE, "postgresql-notify")
    assert len(alarms(logs)) < 100
    vault.take_key(sealed.bundle_id, sealed.key, MORNING, "redis")
    assert shown(await follows(exam, MORNING), MORNING) == 1


async def test_the_key_of_what_is_open_is_kept_and_a_process_started_again_needs_nobody(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    told = await follows(exam, BEFORE)
    vault.take_key(sealed.bundle_id, sealed.key, BEFORE, "row")
    await vault.keep_keys()
    assert read_key(settings.releases_folder, sealed.bundle_id) is None, "before its moment it stays in memory"
    vault.look(MORNING)
    await vault.keep_keys()
    assert read_key(settings.releases_folder, sealed.bundle_id) == sealed.key
    again = Vault(settings.releases_folder)
    again.follow([told], LATER)
    assert again.find_open(told.releases[0]).find(ASKED).number == MINH.number


def cut_off(path):
    content = path.read_bytes()
    replace(path, content[: len(content) // 2])


def change_a_bit_of_the_header(path):
    replace(path, flipped(path.read_bytes(), 40))


def change_a_bit_of_the_facts(path):
    replace(path, flipped(path.read_bytes(), -20))


def empty(path):
    replace(path, b"")


def replace(path, content):
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(path)


def flipped(content, place):
    changed = bytearray(content)
    changed[place] ^= 1
    return bytes(changed)


DAMAGES = {
    cut_off: "cut_off",
    change_a_bit_of_the_header: "signature_wrong",
    change_a_bit_of_the_facts: "checksum_wrong",
    empty: "cut_off",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
async def test_a_damaged_file_is_as_before_the_moment_and_a_good_one_in_its_place_opens(
    connection, settings, vault, follows, damage
):
    exam = await given_release(connection)
    sealed = await given_open_bundle(connection, settings, exam.code)
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    good = path.read_bytes()
    damage(path)
    with capture_logs() as logs:
        assert shown(await follows(exam, MORNING), MORNING) is None
        vault.look(LATER)
    assert alarms(logs) == [DAMAGES[damage]]
    assert vault.broken() == [exam.code]
    assert vault.openings() == {sealed.bundle_id: Opening(None, DAMAGES[damage])}
    replace(path, good)
    assert shown(await follows(exam, LATER), LATER) == 1
    assert vault.broken() == []


async def test_a_missing_file_is_cried_out_from_the_moment_on_and_opens_when_it_comes(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    sealed = await given_open_bundle(connection, settings, exam.code)
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    hidden = path.rename(path.with_suffix(".hidden"))
    with capture_logs() as logs:
        await follows(exam, BEFORE)
        assert not alarms(logs), "it may still be on its way"
        assert shown(await follows(exam, LATER), LATER) is None
    assert alarms(logs) == ["file_missing"]
    hidden.rename(path)
    vault.look(LATER)
    assert shown(await follows(exam, LATER), LATER) == 1


async def test_a_node_that_joins_has_a_minute_to_fetch_what_is_open_elsewhere(connection, settings, vault, follows):
    exam = await given_release(connection)
    sealed = await given_open_bundle(connection, settings, exam.code)
    bundle_path(settings.releases_folder, sealed.bundle_id).unlink()
    with capture_logs() as logs:
        await follows(exam, LATER)
        vault.look(LATER + timedelta(seconds=59))
        assert not alarms(logs)
        vault.look(LATER + timedelta(seconds=62))
    assert alarms(logs) == ["file_missing"]


async def test_another_exams_file_under_this_id_is_refused(connection, settings, vault, follows):
    exam = await given_release(connection)
    other = await given_release(connection, code="other")
    mine = await given_open_bundle(connection, settings, exam.code)
    others = await given_open_bundle(connection, settings, other.code)
    path = bundle_path(settings.releases_folder, mine.bundle_id)
    replace(path, bundle_path(settings.releases_folder, others.bundle_id).read_bytes())
    keep_key(settings.releases_folder, mine.bundle_id, others.key)
    with capture_logs() as logs:
        assert shown(await follows(exam, MORNING), MORNING) is None
    assert alarms(logs) == ["another_release"]


async def test_a_file_written_by_somebody_else_is_refused(connection, settings, vault, follows):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    told = await find_exam(connection, exam.code)
    facts = msgspec.structs.replace(told.releases[0].bundle, signed_by=bytes(32))
    told = msgspec.structs.replace(told, releases=(msgspec.structs.replace(told.releases[0], bundle=facts),))
    with capture_logs() as logs:
        vault.follow([told], MORNING)
    assert alarms(logs) == ["signature_wrong"]


async def test_what_turns_out_broken_while_it_is_open_is_closed_for_everybody(connection, settings, vault, follows):
    exam = await given_release(connection)
    sealed = await given_open_bundle(connection, settings, exam.code)
    told = await follows(exam, MORNING)
    opened, changes = vault.find_open(told.releases[0]), []
    vault.when_changed(lambda: changes.append(1))
    # Written over in place, as only a fault can do it.
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\0" * 512)
    os.utime(path, ns=(time.time_ns(), time.time_ns()))
    with capture_logs() as logs, pytest.raises(BundleBroken):
        opened.find(ASKED)
    assert len(alarms(logs)) == 1
    assert changes
    assert vault.find_open(told.releases[0]) is None
    assert shown(await follows(exam, MORNING), MORNING) is None


@pytest.mark.parametrize("state", ["awaits its key", "waits for its moment", "open", "broken", "not here"])
async def test_a_withdrawal_closes_at_once_in_every_state_and_removes_the_key(
    connection, settings, vault, follows, state
):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    path = bundle_path(settings.releases_folder, sealed.bundle_id)
    now = BEFORE if state == "waits for its moment" else MORNING
    if state == "broken":
        empty(path)
    if state == "not here":
        path.unlink()
    if state != "awaits its key":
        keep_key(settings.releases_folder, sealed.bundle_id, sealed.key)
    before = await follows(exam, now)
    assert (shown(before, now) == 1) == (state == "open")
    await withdraw(connection, exam.code)
    after = await follows(exam, now)
    assert (shown(after, LATER), after.state(LATER), vault.openings()) == (None, "withdrawn", {})
    assert read_key(settings.releases_folder, sealed.bundle_id) is None
    # A key that is still on its way opens nothing, and is not kept.
    vault.take_key(sealed.bundle_id, sealed.key, LATER, "redis")
    vault.look(LATER)
    await vault.keep_keys()
    assert shown(await follows(exam, LATER), LATER) is None
    assert read_key(settings.releases_folder, sealed.bundle_id) is None


async def test_a_key_that_is_being_kept_while_the_exam_is_taken_down_is_removed(
    connection, settings, vault, follows, monkeypatch
):
    exam = await given_release(connection)
    sealed = await given_sealed_bundle(connection, settings, exam.code)
    await follows(exam, MORNING)
    told = await find_exam(connection, exam.code)
    vault.take_key(sealed.bundle_id, sealed.key, MORNING, "redis")
    is_down = threading.Event()

    def keep_on_a_slow_disk(*what):
        is_down.wait(5)
        keep_key(*what)

    monkeypatch.setattr("lookup.sealed.vault.keep_key", keep_on_a_slow_disk)
    keeping = asyncio.create_task(vault.keep_keys())
    await asyncio.sleep(0)
    vault.follow([msgspec.structs.replace(told, withdrawn_generation=1)], MORNING)
    is_down.set()
    await keeping
    assert read_key(settings.releases_folder, sealed.bundle_id) is None


async def test_a_correction_replaces_what_is_open_and_the_older_file_is_let_go(connection, settings, vault, follows):
    exam = await given_release(connection)
    first = await given_open_bundle(connection, settings, exam.code)
    await follows(exam, MORNING)
    await given_correction(connection, exam)
    second = await given_open_bundle(connection, settings, exam.code)
    both = await follows(exam, CORRECTED - timedelta(seconds=1))
    assert shown(both, CORRECTED - timedelta(seconds=1)) == 1
    vault.look(CORRECTED)
    after = await follows(exam, CORRECTED)
    assert shown(after, CORRECTED) == 2
    assert vault.find_open(after.releases[1]).find(ASKED).version == 2
    assert set(vault.openings()) == {second.bundle_id}
    assert first.bundle_id not in vault.openings()


async def test_while_a_correction_does_not_open_the_older_is_shown_for_a_minute_and_then_nothing(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    await given_correction(connection, exam)
    second = await given_sealed_bundle(connection, settings, exam.code)
    for seconds, generation in ((0, 1), (59.9, 1), (60, None), (3600, None)):
        now = CORRECTED + timedelta(seconds=seconds)
        exam_now = await follows(exam, now)
        assert (shown(exam_now, now), exam_now.awaits_correction(now)) == (generation, generation is None)
        assert exam_now.state(now) == "open"
    vault.take_key(second.bundle_id, second.key, now, "folder")
    assert shown(await follows(exam, now), now) == 2


async def test_a_replaced_release_that_had_not_opened_is_let_go(connection, settings, vault, follows):
    exam = await given_release(connection)
    first = await given_sealed_bundle(connection, settings, exam.code)
    await follows(exam, BEFORE)
    assert first.bundle_id in vault.awaited()
    await release(connection, exam.code, opens_at=CORRECTED, now=BEFORE)
    await follows(exam, BEFORE)
    assert not vault.awaited()
    vault.take_key(first.bundle_id, first.key, MORNING, "redis")
    assert shown(await follows(exam, LATER), LATER) is None


async def test_a_release_that_was_sealed_anew_is_answered_from_its_older_file_until_the_newer_is_open(
    connection, settings, vault, follows
):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    older = vault.find_open((await follows(exam, MORNING)).releases[0])
    newer = await given_sealed_bundle(connection, settings, exam.code)
    with capture_logs() as logs:
        told = await follows(exam, LATER + CORRECTION_GRACE)
    assert not alarms(logs)
    assert vault.find_open(told.releases[0]) is older
    vault.take_key(newer.bundle_id, newer.key, LATER, "row")
    assert vault.find_open(told.releases[0]).bundle.path.stem == str(newer.bundle_id)
    assert set(vault.openings()) == {newer.bundle_id}


async def test_how_scores_are_spread_is_told_from_the_file_once_it_is_open(connection, settings, vault, follows):
    exam = await given_exam(connection)
    papers = [Paper(f"9900{place:04}", {"toan": MINH.scores["toan"]}) for place in range(120)]
    await given_results(connection, exam, papers)
    await release(connection, exam.code, opens_at=MORNING, now=BEFORE)
    await given_open_bundle(connection, settings, exam.code)
    told = await find_exam(connection, exam.code)
    from_rows = told.releases[0].distributions
    silent = msgspec.structs.replace(told, releases=(msgspec.structs.replace(told.releases[0], distributions={}),))
    vault.follow([silent], BEFORE)
    assert vault.as_shown_here(silent).releases[0].distributions == {}
    vault.look(MORNING)
    assert vault.as_shown_here(silent).releases[0].distributions == from_rows
    assert from_rows


async def test_who_fails_to_hear_of_a_change_keeps_no_release_from_opening(connection, settings, vault, follows):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    vault.when_changed(lambda: 1 / 0)
    with capture_logs():
        assert shown(await follows(exam, MORNING), MORNING) == 1


async def test_a_process_says_what_it_answers_from_and_takes_it_back(
    connection: asyncpg.Connection, settings, vault, follows
):
    exam = await given_release(connection)
    sealed = await given_open_bundle(connection, settings, exam.code)
    await connection.execute(
        "insert into lookup.bundle_openings values ('node-1/1', $1, null, 'an earlier life', clock_timestamp())",
        sealed.bundle_id,
    )
    rows = "select process, bundle_id, opened_at, problem from lookup.bundle_openings"
    openings = Openings("node-1/1")
    await openings.tell(connection, vault.openings())
    assert await connection.fetch(rows) == []
    await follows(exam, MORNING)
    await openings.tell(connection, vault.openings())
    assert [tuple(row) for row in await connection.fetch(rows)] == [("node-1/1", sealed.bundle_id, MORNING, None)]
    # Of a release that was replaced meanwhile nothing can be told, and nothing fails.
    await openings.tell(connection, {sealed.bundle_id + 99: Opening(MORNING, None)})
    assert await connection.fetch(rows) == []
