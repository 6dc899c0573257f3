"""Sealed files reach every node whole, whatever happens on the way, and go when nobody may have them any more."""

import asyncio
import os
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from kit.clock import utc_now
from kit.keys import KeyRing
from lookup.releases import withdraw
from lookup.sealed import bundle_files, delivery
from lookup.sealed.bundle_files import draft_path
from lookup.sealed.delivery import Delivery, list_wanted, tidy
from lookup.sealed.release_folder import bundle_path, keep_key, kept_bundles, read_key
from tests.exams import given_exam
from tests.lookup.sealed.delivered import at_work, given_stored, until

EXAM = "thpt-2026"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "releases"


@pytest.fixture
def store(connection, tmp_path):
    keys = KeyRing(tmp_path / "keys")

    async def store(**facts):
        return await given_stored(connection, keys, tmp_path / "made", EXAM, **facts)

    return store


@pytest.fixture
async def exam(connection):
    return await given_exam(connection, EXAM)


@pytest.fixture
def node(pool, folder, database):
    """The work of one node, by its name."""

    def node(name="node-a", at=folder):
        return Delivery(pool, at, name, sends_keys=False, clock=utc_now).run(database.url)

    return node


@pytest.fixture
def states(connection):
    async def states(name="node-a"):
        rows = await connection.fetch(
            "select bundle_id, state, problem from lookup.bundle_holders where node = $1", name
        )
        return {row["bundle_id"]: (row["state"], row["problem"]) for row in rows}

    return states


def is_ready(states, stored, name="node-a"):
    async def look():
        return (await states(name)).get(stored.id) == ("ready", None)

    return look


async def test_a_sealed_file_lies_whole_on_every_node_before_its_moment(exam, store, node, states, folder, tmp_path):
    before = await store()
    async with at_work(node()), at_work(node("node-b", tmp_path / "b")):
        await until(is_ready(states, before))
        # One that is stored while they listen comes at once, not with the next look.
        after = await store(generation=2)
        await until(is_ready(states, after), 1)
        await until(is_ready(states, after, "node-b"))
        for stored in (before, after):
            for each in (folder, tmp_path / "b"):
                assert bundle_path(each, stored.id).read_bytes() == stored.content
                assert read_key(each, stored.id) is None
    assert await states() == {}, "a node that stops in good order is not waited for"


async def test_what_was_there_before_a_kill_is_not_fetched_again(exam, store, node, states, folder, connection):
    stored = await store(piece=10_000)
    folder.mkdir()
    draft_path(folder, stored.id).write_bytes(stored.content[:25_000])
    fetched = _counted("baodanh_bundle_fetched_bytes_total")
    async with at_work(node()):
        await until(is_ready(states, stored))
    assert bundle_path(folder, stored.id).read_bytes() == stored.content
    assert _counted("baodanh_bundle_fetched_bytes_total") - fetched == len(stored.content) - 20_000


async def test_a_draft_that_is_not_what_was_sealed_is_begun_anew(exam, store, node, states, folder):
    stored = await store(piece=10_000)
    folder.mkdir()
    draft_path(folder, stored.id).write_bytes(b"x" * 20_000)
    async with at_work(node()):
        await until(is_ready(states, stored))
    assert bundle_path(folder, stored.id).read_bytes() == stored.content


@pytest.mark.parametrize("damage", ["a byte", "cut off", "another file", "nothing left"])
async def test_a_file_that_rots_is_told_and_replaced(exam, store, node, states, folder, monkeypatch, damage, capsys):
    monkeypatch.setattr(delivery, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(delivery, "_CHECK_SECONDS", 0.1)
    stored = await store()
    broken = _counted("baodanh_bundle_broken_total", all_labels=True)
    async with at_work(node()):
        await until(is_ready(states, stored))
        _damage(bundle_path(folder, stored.id), damage, stored.content)
        if damage != "nothing left":
            await until(lambda: _counted("baodanh_bundle_broken_total", all_labels=True) > broken)
        await until(lambda: bundle_path(folder, stored.id).exists())
        await until(lambda: bundle_path(folder, stored.id).read_bytes() == stored.content)
        await until(is_ready(states, stored))
    assert ("release_broken" in capsys.readouterr().out) == (damage != "nothing left")


def _damage(path, damage, content):
    """As a disk would: the name leads to something else from one moment to the next."""
    other = path.with_suffix(".x")
    match damage:
        case "a byte":
            middle = len(content) // 2
            other.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        case "cut off":
            other.write_bytes(content[:-1])
        case "another file":
            other.write_bytes(os.urandom(len(content)))
        case _:
            path.unlink()
            return
    other.replace(path)


async def test_pieces_that_are_damaged_or_missing_never_become_a_file(
    exam, store, node, states, folder, connection, database
):
    import asyncpg

    stored, short = await store(), await store(generation=2)
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(
        "update lookup.bundle_pieces set content = content || 'x' where bundle_id = $1 and number = 0", stored.id
    )
    await owner.execute(
        "update lookup.bundle_pieces set content = overlay(content placing 'x' from 9)"
        " where bundle_id = $1 and number = 1",
        short.id,
    )
    await owner.close()
    async with at_work(node()):

        async def are_told():
            told = await states()
            return (told.get(stored.id), told.get(short.id)) == (
                ("broken", "pieces_missing"),
                ("broken", "checksum_wrong"),
            )

        await until(are_told)
        assert list(kept_bundles(folder)) == []


async def test_a_full_disk_is_said_and_tried_again(exam, store, node, states, folder, monkeypatch):
    monkeypatch.setattr(delivery, "_SHORTEST_PAUSE", 0.05)
    monkeypatch.setattr(delivery, "_POLL_SECONDS", 0.05)
    stored = await store()
    folder.mkdir()
    # Every write to it fails as on a full disk.
    draft_path(folder, stored.id).symlink_to("/dev/full")
    async with at_work(node()):
        await until(lambda: _is(states, stored, ("fetching", "disk_full")))
        draft_path(folder, stored.id).unlink()
        await until(is_ready(states, stored))


async def test_the_last_megabytes_of_a_disk_are_left_to_others(exam, store, node, states, monkeypatch):
    monkeypatch.setattr(bundle_files, "ROOM_LEFT", 2**60)
    stored = await store()
    async with at_work(node()):
        await until(lambda: _is(states, stored, ("fetching", "disk_full")))


async def _is(states, stored, state):
    return (await states()).get(stored.id) == state


async def test_what_is_taken_down_goes_at_once_key_and_file(exam, store, node, states, folder, connection):
    stored = await store(opens_in=timedelta(seconds=-1))
    async with at_work(node()):
        await until(is_ready(states, stored))
        keep_key(folder, stored.id, stored.key)
        await withdraw(connection, EXAM, reason="Sai dữ liệu")
        await until(lambda: not list(folder.glob("*.key")) and not list(folder.glob("*.bundle")), 1)

        async def is_told():
            return await states() == {}

        await until(is_told, 1)
        # A web process that was just about to keep it.
        keep_key(folder, stored.id, stored.key)
        await until(lambda: not list(folder.glob("*.key")), 4)


async def test_a_replaced_file_stays_for_an_hour_and_a_replaced_release_for_no_time(
    exam, store, node, folder, connection, pool
):
    first = await store(opens_in=timedelta(hours=-3))
    second = await store(generation=2, opens_in=timedelta(minutes=-30))
    third = await store(generation=3)
    assert [each.id for each in await list_wanted(pool)] == [first.id, second.id, third.id]
    await connection.execute("delete from lookup.releases where generation = 3")
    sealed_anew = await store(generation=2, opens_in=timedelta(minutes=-90))
    assert [each.id for each in await list_wanted(pool)] == [second.id, sealed_anew.id]


async def test_pieces_that_nobody_will_ask_for_are_removed(exam, store, connection, pool):
    old = await store(opens_in=timedelta(days=-3))
    stands = await store(generation=2, opens_in=timedelta(days=-2))
    await tidy(pool)
    assert await _with_pieces(connection) == {stands.id}
    await withdraw(connection, EXAM)
    await tidy(pool)
    assert await _with_pieces(connection) == set()
    assert await connection.fetchval("select count(*) from lookup.bundles") == 2, "that there were files stays known"
    assert old.id != stands.id


async def _with_pieces(connection):
    return {row["bundle_id"] for row in await connection.fetch("select distinct bundle_id from lookup.bundle_pieces")}


async def test_a_node_that_is_gone_is_forgotten_with_all_it_had(exam, store, node, states, connection):
    stored = await store()
    await connection.execute(
        "insert into lookup.node_workers (node, told_at) values ('gone', clock_timestamp() - interval '11 minutes')"
    )
    await connection.execute(
        "insert into lookup.bundle_holders (node, bundle_id, state, told_at) values ('gone', $1, 'ready', now())",
        stored.id,
    )
    async with at_work(node()):
        await until(is_ready(states, stored))

        async def is_forgotten():
            return await states("gone") == {}

        await until(is_forgotten)
        assert [row["node"] for row in await connection.fetch("select node from lookup.node_workers")] == ["node-a"]


async def test_two_workers_of_one_node_take_turns(exam, store, node, states, connection):
    async with at_work(node()) as first:
        await until(is_ready(states, await store()))
        async with at_work(node()) as second:
            await asyncio.sleep(0.3)
            assert not second.done()
            assert not first.done()


async def test_while_postgresql_is_away_it_is_tried_again(exam, store, pool, folder, database):
    stored = await store()
    work = Delivery(pool, folder, "node-a", sends_keys=False, clock=utc_now)
    with pytest.raises((FileNotFoundError, ConnectionError)):
        await work.run("postgresql://baodanh@/baodanh?host=/nowhere")
    async with at_work(work.run(database.url)):
        await until(lambda: bundle_path(folder, stored.id).exists())


def _counted(name, *, all_labels=False):
    if not all_labels:
        return REGISTRY.get_sample_value(name) or 0
    return sum(sample.value for metric in REGISTRY.collect() for sample in metric.samples if sample.name == name)
