"""Several nodes on the same servers: how one joins, what it shares and has of its own, what is not found on it."""

import asyncio
import contextlib
import os
import signal
import socket
import time
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest

from kit.clock import utc_now
from kit.errors import UsageError
from kit.keys import KeyRing
from lookup.releases import release
from server.app import create_app
from server.running.joining import refuse_living_name
from server.settings import load_settings
from tests import leaks
from tests.evening import given_an_evening
from tests.marked_exams import given_marked_exam
from tests.probes import probe, routes_of
from tests.server.running import Beside, Running, beside, free_port, is_alive, reachable_folder, running, until
from units.changes import record_node

CANDIDATES, PROBES = 300, 2000
RESULT = "/api/v1/exams/thpt/results/99000001"


@pytest.fixture(scope="module")
def first():
    """Where no service runs, a node is the first."""
    arguments = ("--no-demo", "--node", "mot", "--port", str(port := free_port()))
    told = {"NODE": "another", "PORT": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    with reachable_folder() as folder, running(folder / "state", *arguments, port=port, **told) as started:
        assert started.service.node == "mot"
        assert started.service.url == started.url
        yield started


@pytest.fixture(scope="module")
def second(first):
    with beside(first, "hai") as started:
        until(lambda: started.answers("/readyz"), started.told)
        yield started


@pytest.fixture(scope="module")
def released(first, second):
    """An exam that the first node's command made public; and one with lookup codes, which is given to the test."""
    file = first.state_dir.with_name("results.csv")
    file.write_text("Số báo danh;Toán;Ngữ văn\n99000001;8,25;7,5\n", encoding="utf-8")
    first.command("exam", "add", "thpt", "--name", "Kỳ thi", "--year", "2026", "--policy", "public")
    first.command("scores", "import", str(file), "--exam", "thpt")
    first.command("scores", "release", "thpt")
    return asyncio.run(given_an_exam_with_codes(first))


async def given_an_exam_with_codes(first):
    pin_key = KeyRing(first.state_dir / "keys").current("pin").value
    connection = await asyncpg.connect(first.service.database_url)
    exam = await given_marked_exam(connection, "codes", "pin", 3, pin_key=pin_key)
    await release(connection, exam.code, opens_at=utc_now())
    await connection.close()
    return exam


async def test_another_node_joins_the_servers_of_the_first(first, second):
    assert f"This is node hai, beside {first.url}." in second.said
    assert second.service.database_url == first.service.database_url
    assert second.service.redis_url == first.service.redis_url
    assert not second.pids("postgres")
    assert not second.pids("valkey")
    assert len(second.pids("web_process")) == 2
    # Each web process shows itself once it has loaded the exams.
    await asyncio.to_thread(until, lambda: asyncio.run(names(first)) == "hai/1 hai/2 mot/1 mot/2", first.told)
    assert not second.pids() & first.pids()


async def names(service):
    return await service.ask("select string_agg(name, ' ' order by name) from units.nodes")


def test_it_has_copies_of_all_keys_but_those_that_only_the_first_needs_and_newer_ones_come(first, second):
    own, given = second.state_dir / "keys", first.state_dir / "keys"
    (given / "release.1").touch(0o600)
    first.command("key", "rotate", "cache")
    until((own / "cache.2").exists, second.told)
    assert {path.name for path in own.iterdir()} == {"cache.1", "cache.2", "totp.1", "record.1", "mail.1"}
    for path in own.iterdir():
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o077 == 0
        assert path.read_bytes() == (given / path.name).read_bytes()
    (given / "release.1").unlink()


@pytest.mark.usefixtures("released")
def test_what_is_released_is_answered_by_both(first, second):
    until(lambda: second.answers(RESULT), second.told)
    answers = [httpx.get(node.url + RESULT).json() for node in (first, second)]
    assert answers[0] == answers[1]
    assert answers[0]["components"][0]["score"] == 8.25


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("name", ["mot", "hai"])
def test_the_name_of_a_running_node_is_taken(first, name):
    (line,) = Beside(first, name).refused()
    assert line == f"A node named {name} is running already: choose another name (--node, or NODE)."


def test_the_port_of_another_node_is_taken(first, second):
    (line,) = Beside(first, "ba", second.port).refused()
    assert line.startswith(f"Port {second.port} on 127.0.0.1 is taken")


def test_a_name_is_a_word(first):
    (line,) = Running(first.state_dir).refused("--node", "../mot")
    assert line.startswith("NODE: '../mot' is no name; write up to 63 letters")


def test_without_a_name_of_its_own_a_second_service_is_told_how_to_join(first):
    (line,) = Running(first.state_dir).refused()
    assert line.endswith("or join it: --node NAME --port PORT.")


async def test_a_node_on_another_machine_has_another_name_too(settings, connection):
    """Who is alive is told by the database; what a killed node left there falls silent."""
    await record_node(connection, "ba/1", 1)
    await refuse_living_name(replace_node(settings, "b"))
    showing = asyncio.create_task(show_itself(settings))
    with pytest.raises(UsageError, match="A node named ba is running already"):
        await refuse_living_name(replace_node(settings, "ba"))
    showing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await showing
    await refuse_living_name(replace_node(settings, "ba"))


def replace_node(settings, name):
    return msgspec.structs.replace(settings, node=name)


async def show_itself(settings):
    connection = await asyncpg.connect(settings.database_url)
    while True:
        await record_node(connection, "ba/1", 1)
        await asyncio.sleep(0.2)


@pytest.fixture(scope="module")
def evening(first, second):
    return asyncio.run(given_an_evening(first, second, CANDIDATES))


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="read from /proc")
async def test_before_the_moment_a_lookup_node_holds_neither_a_number_nor_a_name_nor_a_key(evening):
    wanted = leaks.needles(evening.exams, evening.keys)
    assert await evening.everything_found(wanted) == []
    assert evening.is_found_where_it_is(wanted)


async def test_before_the_moment_a_known_number_is_answered_like_an_unknown_one(evening):
    async with httpx.AsyncClient(base_url=evening.node.url) as visitor:
        for exam in evening.exams:
            known, unknown = [await asked(visitor, exam, place) for place in (77, 77 + CANDIDATES)]
            assert known == unknown


async def asked(visitor, exam, place):
    """Every answer to this candidate but for the date and what was typed."""
    address, result = {"X-Real-IP": f"10.9.{place % 250}.1"}, f"/api/v1/exams/{exam.code}/results"
    answers = [
        await visitor.get(f"{result}/{exam.number(place)}", headers=address),
        await visitor.post(result, json=exam.typed(place), headers=address),
        await visitor.post(f"/tra-cuu/diem-thi/{exam.code}", data=exam.typed(place), headers=address),
    ]
    return [(each.status_code, what_varies_not(each, exam, place)) for each in answers]


def what_varies_not(answer, exam, place):
    text = answer.text
    for typed in exam.typed(place).values():
        text = text.replace(typed, "")
    return text, [(name, value) for name, value in answer.headers.items() if name not in ("date", "content-length")]


async def test_before_the_moment_probes_of_every_address_and_method_show_nothing(evening, tmp_path):
    routes = routes_of(create_app(load_settings({"STATE_DIR": str(tmp_path), "REDIS_URL": "unix:///nobody.sock"})))
    report = await probe(evening.node.port, evening.exams, routes, PROBES)
    assert report.shown == []
    assert report.statuses.get(429, 0) < PROBES * 0.05, report.statuses
    assert not [status for status in report.statuses if status in (500, 502)], report.statuses
    assert await evening.everything_found(leaks.needles(evening.exams, evening.keys, numbers=False)) == []
    asked_for = leaks.needles(evening.exams, [])
    assert evening.logged(asked_for) == []
    assert await leaks.in_redis(evening.first.service.redis_url, asked_for) == []


async def test_lookup_codes_are_checked_without_the_key_that_they_follow_from(second, released):
    """By the file of the release; until it is open here, nobody hears anything."""
    async with httpx.AsyncClient(base_url=second.url) as visitor, asyncio.timeout(30):
        ask = f"/api/v1/exams/{released.code}/results"
        while (answer := await visitor.post(ask, json=released.typed(2))).status_code != 200:
            assert answer.status_code in (404, 503), answer.text
            await asyncio.sleep(0.2)
        assert released.generation_in_json(2, answer.content) == 1
        wrong = released.typed(2) | {"pin": released.typed(3)["pin"]}
        assert (await visitor.post(ask, json=wrong)).status_code == 404


@pytest.mark.usefixtures("released")
async def test_it_outlives_the_first_and_ctrl_c_leaves_nothing(first, second):
    opened = "select count(*) from lookup.bundle_openings where process like 'hai/%' and opened_at is not null"
    await asyncio.to_thread(until, lambda: asyncio.run(first.ask(opened)) == 2 * 2, second.told)
    processes = second.pids() | {second.service.pid}
    orphans = first.pids()
    os.kill(first.service.pid, signal.SIGKILL)
    first.process.wait()
    until(lambda: not [pid for pid in orphans if is_alive(pid)], first.told)
    assert second.answers(RESULT)
    assert {pid for pid in processes if is_alive(pid)} == processes
    began = time.monotonic()
    assert second.interrupt() == 0
    assert time.monotonic() - began < 20
    assert not [pid for pid in processes if is_alive(pid)]
    assert not (second.state_dir / "keys").exists()
    assert not (second.state_dir / "run" / "service.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", second.port))
