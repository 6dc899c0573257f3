"""From one command to a service that answers, and back to nothing left behind."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from server.running.claims import claim_port
from server.running.first_answer import own_url
from tests.server.running import PATIENCE, ROOT, Running, free_port, is_alive, reachable_folder, running, until

# Ten times what the second start may take, for a machine that does other things as well.
SECOND_START = 50.0
DEMO_RESULT = "/api/v1/exams/demo-thpt/results/99000001"


def by_make() -> tuple[str, ...]:
    """`make run` in this environment; making the environment has tests of its own."""
    return ("make", "-o", ".venv/.run-ready", f"BIN={Path(sys.executable).parent}", "run")


@pytest.fixture(scope="module")
def service():
    """One service for the tests that leave it as it was."""
    with reachable_folder() as folder, running(folder / "state") as started:
        yield started


def test_make_run_shows_the_demo_and_ctrl_c_leaves_nothing(place):
    service = Running(place / "state")
    try:
        first_result(service)
        second_start_is_quick(service)
        killing_make_ends_everything(service)
    finally:
        service.kill()


def first_result(service):
    service.start(command=by_make())
    assert f"{service.url}/tra-cuu/diem-thi/demo-thpt" in service.said
    assert "99000001" in service.said
    until(lambda: service.answers(DEMO_RESULT), service.told)
    processes = service.pids() | {service.service.pid}
    began = time.monotonic()
    service.interrupt()
    assert time.monotonic() - began < 20
    assert not [pid for pid in processes if is_alive(pid)]
    assert "Traceback" not in service.said
    assert "Error" not in service.said
    assert not (service.state_dir / "run" / "service.json").exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.port))


def second_start_is_quick(service):
    began = time.monotonic()
    service.start(command=by_make())
    assert time.monotonic() - began < SECOND_START
    until(lambda: service.answers(DEMO_RESULT), service.told)
    assert "Inventing" not in service.said


def killing_make_ends_everything(service):
    processes = service.pids() | {service.service.pid}
    service.process.kill()
    service.process.wait()
    until(lambda: not [pid for pid in processes if is_alive(pid)], service.told)


def test_a_second_service_on_the_same_folder_names_the_first(service):
    (line,) = Running(service.state_dir).refused()
    assert f"process {service.service.pid}, port {service.port}" in line
    assert service.answers()


def test_a_taken_port_is_one_sentence(service, place):
    (line,) = Running(place / "state", service.port).refused()
    assert line.startswith(f"Port {service.port} on 127.0.0.1 is taken")


async def test_two_services_do_not_meet(service, place):
    with running(place / "state") as other:
        assert other.answers()
        assert service.answers()
        assert other.service.database_url != service.service.database_url
        assert other.service.redis_url != service.service.redis_url
        assert not other.pids() & service.pids()
        connection_counts = "select count(*) from pg_stat_activity where datname = current_database()"
        assert await other.ask(connection_counts) > 0
        ends_in_order(other)
    assert service.answers()


def ends_in_order(service):
    processes, began = service.pids(), time.monotonic()
    # A browser keeps its connection open; that holds nothing up.
    with httpx.Client(base_url=service.url) as client:
        assert client.get("/healthz").is_success
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(PATIENCE) == 0
    assert time.monotonic() - began < 20
    assert not [pid for pid in processes if is_alive(pid)]


def test_what_the_service_leaves_for_commands_is_private(service):
    file = service.state_dir / "run" / "service.json"
    assert file.stat().st_mode & 0o077 == 0
    assert service.service.url == service.url


@pytest.mark.skipif(not Path("/proc/net").exists(), reason="read from /proc")
def test_nothing_but_the_port_listens_on_a_network(service):
    sockets = {str(link.readlink()) for pid in service.pids() | {service.service.pid} for link in open_files(pid)}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    listening = [row for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets]
    assert {int(row[1].rpartition(":")[2], 16) for row in listening} == {service.port}


def open_files(pid: int) -> list[Path]:
    return [link for link in Path(f"/proc/{pid}/fd").glob("*") if link.is_symlink()]


def test_commands_find_the_running_service(service):
    command = [sys.executable, "-m", "server", "unit", "list"]
    ended = subprocess.run(
        command, cwd=ROOT, env=service.environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, ended.stdout.split("\t")[0]) == (0, "so"), ended.stderr


def test_wrong_settings_are_told_before_anything_starts(place):
    lines = Running(place / "state", LOG_LEVEL="loud", LOOKUP_RATE="fast").refused()
    assert [line.split(":")[0] for line in lines] == ["LOOKUP_RATE", "LOG_LEVEL"]
    assert not (place / "state").exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(place):
    (place / "file").touch()
    (line,) = Running(place / "file" / "state").refused()
    assert "STATE_DIR" in line


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::", "localhost"])  # noqa: S104 - for a moment
def test_every_way_to_write_an_address_can_be_listened_on(host):
    with contextlib.closing(claim_port(host, free_port())) as listening:
        assert own_url(listening).startswith(("http://127.0.0.1:", "http://[::1]:"))
