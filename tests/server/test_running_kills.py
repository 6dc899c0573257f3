"""Whichever process is killed: the others go on, it comes back, and no data are lost."""

import asyncio
import os
import signal
import socket
from pathlib import Path

import asyncpg
import httpx
import pytest

from kit.clock import utc_now
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from tests.server.running import ROOT, Running, children_of, is_alive, reachable_folder, running, until

COUNT = "select count(*) from units.units"
ADD = (
    "insert into units.units (code, kind, name, short_name, name_en, managed_by, governing_body, responsible_person,"
    " address, hotline, email) values ('{0}', 'primary', 'Trường', '', '', 'so', '', '', '', '', '') returning code"
)


@pytest.fixture(scope="module")
def service():
    with reachable_folder() as folder, running(folder / "state") as started:
        until(lambda: started.answers("/readyz"), started.told)
        yield started


@pytest.mark.parametrize("kind", ["web_process", "worker_process", "mail_catcher", "postgres", "valkey"])
async def test_a_killed_process_is_started_again_and_the_others_go_on(service, kind):
    until(lambda: service.pids("worker_process") and service.pids("mail_catcher"), service.told)
    before, others = service.pids(kind), service.pids() - service.pids(kind)
    await service.ask(ADD.format(f"before-{kind.replace('_', '-')}"))
    count = await service.ask(COUNT)
    victim = before.pop()
    os.kill(victim, signal.SIGKILL)
    assert service.answers()
    until(lambda: len(service.pids(kind) - {victim}) == len(before) + 1, service.told)
    until(lambda: service.answers("/readyz"), service.told)
    assert service.pids() >= others
    assert victim not in service.pids()
    assert await service.ask(COUNT) == count


async def test_a_killed_backend_takes_nothing_with_it(service):
    (server,) = service.pids("postgres")
    # Web processes come back to a restarted PostgreSQL within seconds.
    backend = until(
        lambda: next((pid for pid, told in children_of(server).items() if "baodanh" in told), None), service.told
    )
    os.kill(backend, signal.SIGKILL)
    until(lambda: service.answers("/readyz"), service.told)
    assert service.pids("postgres") == {server}


async def test_after_the_whole_service_was_killed_it_starts_at_once_with_its_data(place):
    service = Running(place / "state").start()
    try:
        await service.ask(ADD.format("kept"))
        orphans = service.pids()
        os.kill(service.service.pid, signal.SIGKILL)
        service.process.wait()
        service.start()
        assert not [pid for pid in orphans if is_alive(pid)]
        assert await service.ask("select count(*) from units.units where code = 'kept'") == 1
        killing_it_leaves_no_orphan(service)
    finally:
        service.kill()


def killing_it_leaves_no_orphan(service):
    orphans = service.pids()
    os.kill(service.service.pid, signal.SIGKILL)
    service.process.wait()
    until(lambda: not [pid for pid in orphans if is_alive(pid)], lambda: f"{orphans} live on")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", service.port))


async def test_after_service_and_database_were_killed_together_the_data_are_there(place):
    service = Running(place / "state").start()
    try:
        await service.ask(ADD.format("kept"))
        (database,) = service.pids("postgres")
        # Stopped first, so that it cannot start another one in between.
        os.kill(service.service.pid, signal.SIGSTOP)
        os.kill(database, signal.SIGKILL)
        os.kill(service.service.pid, signal.SIGKILL)
        service.process.wait()
        service.start()
        assert await service.ask("select count(*) from units.units where code = 'kept'") == 1
    finally:
        service.kill()


@pytest.mark.skipif(not Path("/proc").exists(), reason="elsewhere it is waited for")
async def test_a_long_query_does_not_keep_a_killed_database_away(service):
    connection = await asyncpg.connect(service.service.database_url)
    long = "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b"
    query = asyncio.create_task(connection.execute(long))
    await asyncio.sleep(0.2)
    (server,) = service.pids("postgres")
    os.kill(server, signal.SIGKILL)
    until(lambda: service.pids("postgres") - {server} and service.answers("/readyz"), service.told, seconds=20)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await query
    connection.terminate()


@pytest.fixture
def servers():
    """A PostgreSQL and a Valkey that others run."""
    with reachable_folder() as folder:
        both = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
        for server in both:
            server.start()
        yield both
        for server in both:
            server.stop()


async def test_processes_killed_while_postgresql_and_valkey_are_dead_come_up_again(servers, place, mailbox):
    postgres, valkey = servers
    environ = {
        "DATABASE_URL": postgres.runtime_url,
        "DATABASE_OWNER_URL": postgres.owner_url,
        "REDIS_URL": valkey.url,
        "SMTP_URL": mailbox.url,
    }
    with running(place / "state", **environ) as service:
        await after(lambda: service.answers("/readyz") and service.pids("worker_process"), service)
        await sent(service, mailbox, "before")
        for server in servers:
            server.stop()
        victims = service.pids("web_process") | service.pids("worker_process")
        assert len(victims) == 3
        for victim in victims:
            os.kill(victim, signal.SIGKILL)
        await after(lambda: len(service.pids("web_process") - victims) == 2, service)
        await after(lambda: service.pids("worker_process") - victims, service)
        await after(service.answers, service)
        # What this node knew last lies on its disk.
        assert (await asyncio.to_thread(httpx.get, f"{service.url}/tra-cuu/diem-thi")).status_code == 200
        young = service.pids()
        # Longer than anything that gave up at the start would have lived.
        await asyncio.sleep(3)
        assert service.pids() == young, service.said
        told = (await asyncio.to_thread(httpx.get, f"{service.url}/readyz")).json()
        assert told["ready"], "no exam is open that only PostgreSQL could answer"
        assert "postgresql" in told["degraded"]
        for server in servers:
            server.start()
        await sent(service, mailbox, "after")
        assert service.pids() == young, "nobody had to be started once more"


async def after(happened, service):
    """As `until`, while the mail server goes on in this very process."""
    await asyncio.to_thread(until, happened, service.told)


async def sent(service, mailbox, occasion):
    """Queue a letter as a web process does, and wait until the worker has sent it."""
    post = Post(Pages(ROOT / "templates"), KeyRing(service.state_dir / "keys"), home=service.url, sender="a@x.vn")
    mailbox.took.clear()
    connection = await asyncpg.connect(service.service.database_url)
    try:
        async with connection.transaction():
            await post.send(connection, "layout", to="lan@x.vn", key=f"test:{occasion}", now=utc_now())
    finally:
        await connection.close()
    await asyncio.wait_for(mailbox.took.wait(), 60)
