"""Commands that change what is public wait for every node, and name those that do not follow."""

import asyncio
import re
from datetime import timedelta

import pytest

from kit.keys import KeyRing
from lookup.releases import Released, withdraw
from server.commands import score_nodes
from server.commands.score_nodes import print_status, wait_until_gone, wait_until_open
from tests.exams import given_exam
from tests.lookup.sealed.delivered import given_stored

EXAM = "thpt-2026"


@pytest.fixture
async def stored(connection, tmp_path):
    await given_exam(connection, EXAM)
    return await given_stored(
        connection, KeyRing(tmp_path / "keys"), tmp_path / "made", EXAM, records=5, opens_in=timedelta(seconds=-1)
    )


@pytest.fixture
def tells(pool, stored):
    """What nodes say of themselves."""

    class Tells:
        async def worker(self, node="a", *, sends_keys=True, ago=0):
            await pool.execute(
                "insert into lookup.node_workers (node, sends_keys, told_at)"
                " values ($1, $2, clock_timestamp() - make_interval(secs => $3))", node, sends_keys, ago)  # fmt: skip

        async def process(self, name="a/1", *, ago=0, applied=10_000):
            await pool.execute(
                "insert into units.nodes (name, applied_change, seen_at)"
                " values ($1, $2, clock_timestamp() - make_interval(secs => $3))", name, applied, ago)  # fmt: skip

        async def holds(self, node="a", state="ready", problem=None):
            await pool.execute(
                "insert into lookup.bundle_holders (node, bundle_id, state, bytes_done, problem, told_at)"
                " values ($1, $2, $3, 10, $4, clock_timestamp())", node, stored.id, state, problem)  # fmt: skip

        async def opened(self, process="a/1", problem=None):
            await pool.execute(
                "insert into lookup.bundle_openings (process, bundle_id, opened_at, problem, told_at) values"
                " ($1, $2, case when $3::text is null then clock_timestamp() end, $3, clock_timestamp())",
                process, stored.id, problem)  # fmt: skip

    return Tells()


@pytest.fixture
def released(stored):
    return Released(EXAM, stored.generation, stored.opens_at, 5, 5, 1)


@pytest.fixture
def patience(monkeypatch):
    for name in ("_WAIT_SECONDS", "_OPEN_SECONDS"):
        monkeypatch.setattr(score_nodes, name, 0.4)


async def test_a_release_is_done_when_every_process_has_opened_it(connection, tells, released, capsys):
    await tells.worker()
    await tells.process("a/1")
    await tells.process("a/2")
    await tells.holds()
    waiting = asyncio.create_task(wait_until_open(connection, released))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await tells.opened("a/1")
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await tells.opened("a/2")
    assert await asyncio.wait_for(waiting, 5) == 0
    assert "All 2 running web processes have opened it" in capsys.readouterr().out


async def test_who_has_not_opened_it_is_named_with_the_reason(connection, tells, released, patience, capsys):
    await tells.worker()
    await tells.worker("b")
    for process in ("a/1", "a/2", "b/1", "c/1"):
        await tells.process(process, ago=60 if process == "c/1" else 0)
    await tells.holds()
    await tells.opened("a/1")
    await tells.opened("a/2", "checksum_wrong")
    assert await wait_until_open(connection, released) == 1
    said = capsys.readouterr().err
    assert "a/1 " not in said
    assert "a/2 has not opened it yet (checksum_wrong)" in said
    assert "b/1 has not opened it yet (the file is not on its disk)" in said
    assert "c/1" in said
    assert re.search(r"c/1 .* 6\d s ago", said)


@pytest.mark.parametrize(
    ("workers", "sentence"),
    [([], "No worker process is running"), ([("a", False)], "No running worker holds the key `release`")],
)
async def test_without_a_worker_that_seals_it_says_so_and_returns(
    connection, tells, released, capsys, workers, sentence
):
    for node, sends_keys in workers:
        await tells.worker(node, sends_keys=sends_keys)
    await tells.process()
    assert await wait_until_open(connection, released) == 0
    said = capsys.readouterr().out
    assert f"{sentence}: nothing is sealed, and results are answered from PostgreSQL." in said


async def test_a_sealing_that_failed_or_stands_still_is_not_waited_for(connection, tells, released, patience, capsys):
    await tells.worker()
    later = Released(EXAM, 2, released.opens_at, 5, 5, 1)
    assert await wait_until_open(connection, later) == 1
    assert "No worker goes on sealing it" in capsys.readouterr().err
    await connection.execute(
        "insert into lookup.releases (exam_code, generation, opens_at, released_at, result_count, distributions)"
        " values ($1, 2, now(), now(), 5, '{}')", EXAM)  # fmt: skip
    await connection.execute(
        "insert into lookup.bundles (exam_code, generation, state, begun_at, result_count, problem)"
        " values ($1, 2, 'failed', now(), 5, 'disk_full')", EXAM)  # fmt: skip
    assert await wait_until_open(connection, later) == 1
    assert "could not be sealed (disk_full)" in capsys.readouterr().err


async def test_a_withdrawal_is_done_when_file_and_key_are_gone_everywhere(connection, stored, tells, patience, capsys):
    await tells.worker()
    await tells.worker("b", ago=60)
    await tells.process()
    for node in ("a", "b"):
        await tells.holds(node)
    change = await withdraw(connection, EXAM)
    assert await wait_until_gone(connection, EXAM, change) == 1
    said = capsys.readouterr()
    assert "All 1 running web processes have taken it down" in said.out
    assert "a has not said yet that its sealed file and key are gone" in said.err
    assert "b has not said yet" in said.err
    await connection.execute("delete from lookup.bundle_holders")
    assert await wait_until_gone(connection, EXAM, change) == 0


async def test_the_status_is_a_line_for_each_node_and_process_code_first(connection, tells, capsys):
    await tells.worker("a")
    await tells.worker("b", ago=60)
    for process in ("a/1", "a/2", "b/1"):
        await tells.process(process)
    await tells.holds("a")
    await tells.holds("b", "broken", "checksum_wrong")
    await tells.opened("a/1")
    await tells.opened("a/2", "file_missing")
    await print_status(connection, EXAM)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(line.startswith(f"{EXAM} generation 1 ") for line in lines)
    assert [line.split()[3:6] for line in lines[1:]] == [
        ["node", "a", "ready"], ["node", "b", "broken"], ["process", "a/1", "opened"],
        ["process", "a/2", "not_opened"], ["process", "b/1", "not_opened"],
    ]  # fmt: skip
    assert "problem=checksum_wrong worker=silent" in lines[2]
    assert "problem=file_missing" in lines[4]
