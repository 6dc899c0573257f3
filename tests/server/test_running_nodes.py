"""Several nodes on the same servers: how another one joins, what it shares, and what is its own."""

import asyncio
import contextlib
import os
import signal
import socket
import time

import asyncpg
import httpx
import msgspec
import pytest

from kit.errors import UsageError
from server.running.joining import refuse_living_name
from tests.server.running import Beside, Running, beside, free_port, is_alive, reachable_folder, running, until
from units.changes import record_node

RESULT = "/api/v1/exams/thpt/results/99000001"


@pytest.fixture(scope="module")
def first():
    with reachable_folder() as folder, running(folder / "state", NODE="mot", TRUSTED_PROXIES="127.0.0.1") as started:
        yield started


@pytest.fixture(scope="module")
def second(first):
    with beside(first, "hai") as started:
        until(lambda: started.answers("/readyz"), started.told)
        yield started


@pytest.fixture(scope="module")
def released(first, second):
    """An exam that the first node's command made public."""
    file = first.state_dir.with_name("results.csv")
    file.write_text("Số báo danh;Toán;Ngữ văn\n99000001;8,25;7,5\n", encoding="utf-8")
    first.command("exam", "add", "thpt", "--name", "Kỳ thi", "--year", "2026", "--policy", "public")
    first.command("scores", "import", str(file), "--exam", "thpt")
    first.command("scores", "release", "thpt")


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
    assert {path.name for path in own.iterdir()} == {"pin.1", "cache.1", "cache.2", "totp.1", "record.1", "mail.1"}
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


def test_a_name_is_a_word_and_a_port_a_number(first):
    (line,) = Running(first.state_dir).refused("--node", "../mot")
    assert line.startswith("NODE: '../mot' is no name; write up to 63 letters")
    (line,) = Running(first.state_dir).refused("--node", "ba", "--port", "0")
    assert line.startswith("PORT: '0' is not possible")


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


@pytest.mark.usefixtures("released")
def test_it_outlives_the_first_and_ctrl_c_leaves_nothing(first, second):
    until(lambda: second.answers(RESULT), second.told)
    processes = second.pids() | {second.service.pid}
    os.kill(first.service.pid, signal.SIGKILL)
    first.process.wait()
    assert {pid for pid in processes if is_alive(pid)} == processes
    assert second.answers()
    began = time.monotonic()
    assert second.interrupt() == 0
    assert time.monotonic() - began < 20
    assert not [pid for pid in processes if is_alive(pid)]
    assert not (second.state_dir / "keys").exists()
    assert not (second.state_dir / "run" / "service.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", second.port))


def test_where_no_service_runs_a_node_is_the_first(place):
    with running(place / "state", "--no-demo", "--node", "mot", "--port", str(port := free_port())) as service:
        assert service.service.node == "mot"
        assert service.service.url == f"http://127.0.0.1:{port}"
        assert service.pids("postgres")
