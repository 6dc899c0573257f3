"""The worker: jobs are done once they are committed, failures come again later, and nothing holds up the others."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import timedelta

import msgspec
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.adapters.persistence.queries import Queries
from prometheus_client import REGISTRY

from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from kit.queue import TryAgain, leave_job
from server.running import queue_reader, work_metrics, worker
from server.running.workshop import Chore
from tests.people import MORNING
from tests.server.running import ROOT

LAN = "lan@vangiang.edu.vn"


@pytest.fixture
def jobs(monkeypatch):
    """The worker's jobs for this test; no chores unless it adds some."""
    table = {}
    monkeypatch.setattr(worker, "JOBS", table)
    monkeypatch.setattr(worker, "CHORES", [])
    return table


@pytest.fixture
def soon(monkeypatch):
    """Jobs that failed come again at once, and are looked for often: nothing calls when they are due."""
    monkeypatch.setattr(queue_reader, "_DELAYS", (0,))
    monkeypatch.setattr(queue_reader, "_LOOK", timedelta(seconds=0.1))


@contextlib.asynccontextmanager
async def working(settings, **options):
    stopping = asyncio.Event()
    task = asyncio.create_task(worker.work(settings, stopping, **options))
    try:
        yield task
    finally:
        stopping.set()
        await asyncio.wait_for(task, 20)


async def until(happened, seconds=20):
    async with asyncio.timeout(seconds):
        while not (found := happened() if not asyncio.iscoroutinefunction(happened) else await happened()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return found


async def leave(connection, name, payload=b"x", **options):
    async with connection.transaction():
        return await leave_job(connection, name, payload, **options)


async def in_queue(connection):
    return [
        (row["entrypoint"], row["status"]) for row in await connection.fetch("select * from kit.pgqueuer order by id")
    ]


async def test_a_job_is_done_with_what_it_was_given_and_leaves_the_queue(jobs, connection, settings):
    given = []

    async def note(shop, payload):
        given.append((payload, await shop.pool.fetchval("select 1")))

    jobs["note"] = note
    await leave(connection, "note", b"before the start")
    async with working(settings):
        await until(lambda: len(given) == 1)
        await asyncio.sleep(0.5)
        await leave(connection, "note", b"while it waits")
        # The queue calls: nobody waits for the next look.
        await until(lambda: len(given) == 2, seconds=2)
        await until_empty(connection)
    assert given == [(b"before the start", 1), (b"while it waits", 1)]


async def until_empty(connection):
    async with asyncio.timeout(20):
        while await in_queue(connection):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_job_for_later_waits(jobs, connection, settings):
    done = []

    async def note(_, payload):
        done.append(payload)

    jobs["note"] = note
    in_a_while = await connection.fetchval("select now() + interval '1.5 seconds'")
    await leave(connection, "note", b"later", not_before=in_a_while)
    await leave(connection, "note", b"now")
    async with working(settings):
        await until(lambda: len(done) == 2)
    assert done == [b"now", b"later"]
    assert await connection.fetchval("select now() >= $1", in_a_while)


async def test_a_poisoned_job_is_given_up_and_stays_to_be_seen_while_others_are_done(jobs, soon, connection, settings):
    done = []

    async def work(_, payload):
        if payload == b"poison":
            raise ValueError("Nguyễn Hoàng Minh 99000001")
        done.append(payload)

    jobs["note"] = work
    for payload in (b"poison", b"1", b"2", b"3"):
        await leave(connection, "note", payload)
    async with working(settings):
        await until(lambda: len(done) == 3)

        async def is_given_up():
            return ("note", "failed") in await in_queue(connection)

        await until(is_given_up)
    assert await in_queue(connection) == [("note", "failed")]
    tries = await connection.fetchval("select count(*) from kit.pgqueuer_log where status = 'queued'")
    assert tries == queue_reader.MOST_FAILURES - 1
    notes = await connection.fetchval("select string_agg(coalesce(traceback::text, ''), '') from kit.pgqueuer_log")
    assert "ValueError at test_worker.py" in notes
    assert "Minh" not in notes, "what went wrong is noted, not with whose data"


async def test_failures_come_again_after_growing_pauses(jobs, connection, settings, monkeypatch):
    monkeypatch.setattr(queue_reader, "_LOOK", timedelta(seconds=0.1))

    async def work(_shop, _payload):
        raise ConnectionResetError

    jobs["note"] = work
    await leave(connection, "note")
    waits = []
    async with working(settings):
        for tries in range(1, 7):

            async def is_back(tries=tries):
                return await connection.fetchval(
                    "select extract(epoch from execute_after - updated)::float from kit.pgqueuer"
                    " where status = 'queued' and attempts = $1",
                    tries,
                )

            waits.append(await until(is_back))
            await connection.execute("update kit.pgqueuer set execute_after = now()")
    assert waits == [10, 60, 300, 900, 3600, 3600]


async def test_a_handler_says_itself_when_it_wants_to_be_called_again(jobs, soon, connection, settings):
    calls = []

    async def work(_shop, payload):
        calls.append(payload)
        if len(calls) < 15:
            raise TryAgain(timedelta(0), "not yet")

    jobs["note"] = work
    await leave(connection, "note")
    async with working(settings):
        await until_empty(connection)
    assert len(calls) == 15, "more often than a failing job would be tried"


async def test_a_job_cancelled_from_within_is_not_lost(jobs, soon, connection, settings):
    calls = []

    async def work(_shop, payload):
        calls.append(payload)
        if len(calls) == 1:
            raise asyncio.CancelledError

    jobs["note"] = work
    await leave(connection, "note")
    async with working(settings):
        await until_empty(connection)
    assert len(calls) == 2


async def test_a_stopped_worker_gives_its_job_back(jobs, connection, settings, monkeypatch):
    monkeypatch.setattr(queue_reader, "_LAST_SECONDS", 0.1)
    began = asyncio.Event()

    async def work(_shop, _payload):
        began.set()
        await asyncio.sleep(60)

    jobs["note"] = work
    await leave(connection, "note")
    async with working(settings):
        await asyncio.wait_for(began.wait(), 20)
    assert await in_queue(connection) == [("note", "queued")]


async def test_a_short_job_is_finished_before_the_worker_stops(jobs, connection, settings):
    began, done = asyncio.Event(), []

    async def work(_shop, _payload):
        began.set()
        await asyncio.sleep(0.3)
        done.append(True)

    jobs["note"] = work
    await leave(connection, "note")
    async with working(settings):
        await asyncio.wait_for(began.wait(), 20)
    assert done
    assert await in_queue(connection) == []


async def test_workers_share_the_queue_and_do_each_job_once(jobs, connection, settings):
    done = []

    async def work(_shop, payload):
        await asyncio.sleep(0.02)
        done.append(payload)

    jobs["note"] = work
    payloads = [str(number).encode() for number in range(60)]
    async with connection.transaction():
        for payload in payloads:
            await leave_job(connection, "note", payload)
    async with working(settings), working(settings), working(settings):
        await until(lambda: len(done) >= len(payloads))
        await until_empty(connection)
    assert sorted(done) == sorted(payloads)


async def test_a_lost_connection_to_postgresql_is_made_again(jobs, connection, settings):
    done = []

    async def work(_shop, payload):
        done.append(payload)

    jobs["note"] = work
    async with working(settings):
        await leave(connection, "note", b"1")
        await until(lambda: len(done) == 1)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        await leave(connection, "note", b"2")
        await until(lambda: b"2" in done)


async def test_chores_come_round_and_one_that_fails_keeps_none_from_it(jobs, settings, monkeypatch):
    rounds, loops = [], []

    async def fail(_shop):
        rounds.append("fail")
        raise ValueError

    async def count(_shop):
        rounds.append("count")

    async def loop(_shop):
        loops.append(len(loops))
        await asyncio.sleep(60)

    chores = [
        Chore("fail", fail, every=timedelta(milliseconds=20)),
        Chore("count", count, every=timedelta(milliseconds=20)),
        Chore("loop", loop),
    ]
    monkeypatch.setattr(worker, "CHORES", chores)
    async with working(settings), working(settings):
        await until(lambda: rounds.count("count") > 5 and rounds.count("fail") > 2)
        await asyncio.sleep(0.2)
        assert loops == [0], "two workers, and one at a time"


async def test_mail_waits_in_the_queue_while_there_is_no_server_for_it(connection, settings, mailbox, clock):
    post = Post(Pages(ROOT / "templates"), KeyRing(settings.keys_folder), home="https://x.vn", sender="a@x.vn")
    async with connection.transaction():
        await post.send(connection, "layout", to=LAN, key="test:1", now=MORNING)
    async with working(settings, clock=clock):
        await asyncio.sleep(1)
    assert await in_queue(connection) == [("mail", "queued")]
    async with working(msgspec.structs.replace(settings, smtp_url=mailbox.url), clock=clock):
        await asyncio.wait_for(mailbox.took.wait(), 20)
        await until_empty(connection)
    assert await connection.fetchval("select sent_at from kit.mails") == MORNING


WORKER = """
import asyncio, os
from datetime import timedelta
from pathlib import Path
from server.running import queue_reader, work_metrics, worker
from server.settings import load_settings

async def work(shop, payload):
    with Path(os.environ["NOTES"]).open("a") as notes:
        notes.write(payload.decode() + "\\n")
    await asyncio.sleep(0 if payload == b"easy" else 600)

worker.JOBS["note"] = work
worker.CHORES.clear()
queue_reader._LOOK = timedelta(seconds=0.3)
asyncio.run(worker.work(load_settings(os.environ), asyncio.Event(), silence=timedelta(seconds=1)))
"""


@pytest.fixture
def spawn(settings, tmp_path):
    """Starts worker processes whose jobs never end; `lines` is what they began."""
    started = []
    notes = tmp_path / "notes"
    notes.touch()

    def start(**environ):
        environ = {
            "PATH": os.environ["PATH"],
            "STATE_DIR": str(settings.state_dir),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "NOTES": str(notes),
            # Of somebody else.
            "CHANNEL": "news",
            "PGQUEUER_PREFIX": "other_",
            **environ,
        }
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(WORKER)], cwd=ROOT, env=environ)
        started.append(process)
        return process

    start.lines = lambda: notes.read_text().splitlines()
    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_the_jobs_of_a_killed_worker_are_taken_up_by_another(spawn, connection):
    await leave(connection, "note", b"long")
    victim = spawn()
    await until(lambda: spawn.lines() == ["long"])
    other = spawn()
    await asyncio.sleep(2)
    assert spawn.lines() == ["long"], "as long as it lives nobody else does it"
    victim.send_signal(signal.SIGKILL)
    began = time.monotonic()
    await until(lambda: spawn.lines() == ["long", "long"])
    assert time.monotonic() - began < 10
    assert other.poll() is None


async def test_a_worker_killed_in_the_middle_of_a_delivery_sends_one_more_of_the_same(
    spawn, connection, settings, mailbox
):
    post = Post(Pages(ROOT / "templates"), KeyRing(settings.keys_folder), home="https://x.vn", sender="a@x.vn")
    async with connection.transaction():
        await post.send(connection, "layout", to=LAN, key="test:1", now=MORNING)
    # The server takes the mail, and its yes does not come through in time.
    mailbox.holds_back = asyncio.Event()
    victim = spawn(SMTP_URL=mailbox.url)
    await asyncio.wait_for(mailbox.took.wait(), 20)
    victim.kill()
    victim.wait()
    mailbox.holds_back.set()
    assert await connection.fetchval("select sent_at from kit.mails") is None
    spawn(SMTP_URL=mailbox.url)
    await until_empty(connection)
    first, second = (mail.message for mail in mailbox.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert await connection.fetchval("select sent_at is not null and sealed is null from kit.mails")


async def test_a_job_in_which_the_worker_dies_again_and_again_is_given_up(spawn, connection):
    number = await leave(connection, "note", b"deadly")
    starts = queue_reader.MOST_KILLS
    await connection.execute("update kit.pgqueuer set headers = $1", f'{{"starts": {starts}}}')
    spawn()

    async def is_given_up():
        return await connection.fetchval("select status::text from kit.pgqueuer where id = $1", number) == "failed"

    await until(is_given_up)
    assert spawn.lines() == []


async def test_without_postgresql_a_worker_waits_for_it(jobs, settings):
    nowhere = msgspec.structs.replace(settings, database_url="postgresql://nobody@127.0.0.1:1/nowhere")
    async with working(nowhere) as task:
        await asyncio.sleep(1.5)
        assert not task.done()


async def test_figures_tell_what_waits_and_what_was_given_up(connection, pool, settings):
    await leave(connection, "mail")
    await connection.execute(
        "insert into kit.mails (key, message_id, recipient, sealed, queued_at) values ('a', 'a', 'a', 'a', $1)", MORNING
    )
    assert await work_metrics.count_work(pool, now=MORNING + timedelta(minutes=5)) == 1
    assert REGISTRY.get_sample_value("baodanh_jobs_in_queue", {"job": "mail", "status": "queued"}) == 1
    assert REGISTRY.get_sample_value("baodanh_oldest_mail_waiting_seconds") == 300
    await connection.execute("delete from kit.pgqueuer")
    await work_metrics.count_work(pool, now=MORNING)
    assert REGISTRY.get_sample_value("baodanh_jobs_in_queue", {"job": "mail", "status": "queued"}) == 0


def test_web_processes_load_nothing_that_only_the_worker_needs():
    program = (
        "import sys, server.running.web_process\n"
        "print([name for name in ('pgqueuer', 'aiosmtpd', 'aiosmtplib', 'pydantic') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


async def test_the_queue_library_would_change_nothing_about_our_tables(connection):
    tables = QueryBuilderEnvironment(queue_reader._TABLES)
    plan = await Queries(AsyncpgDriver(connection), qbe=tables).plan_upgrade()
    assert list(plan.statements) == [], "a newer pgqueuer wants a migration of ours"


def command(*arguments, **environ):
    environ = {"PATH": os.environ["PATH"]} | environ
    return subprocess.Popen(
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_without_a_service_baodanh_worker_says_what_is_missing(tmp_path):
    told = command("worker", STATE_DIR=str(tmp_path)).communicate(timeout=60)
    assert told == ("", f"No service runs on {tmp_path}. Start it with `make run`, or set STATE_DIR or DATABASE_URL.\n")


async def test_baodanh_worker_sends_mail_and_ends_with_ctrl_c(connection, settings, mailbox):
    post = Post(Pages(ROOT / "templates"), KeyRing(settings.keys_folder), home="https://x.vn", sender="a@x.vn")
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "SMTP_URL": mailbox.url}
    process = command("worker", STATE_DIR=str(settings.state_dir), **urls)
    try:
        async with connection.transaction():
            await post.send(connection, "layout", to=LAN, key="test:1", now=MORNING)
        await asyncio.wait_for(mailbox.took.wait(), 60)
        await until_empty(connection)
        process.send_signal(signal.SIGINT)
        said, complained = await asyncio.to_thread(process.communicate, timeout=20)
    finally:
        process.kill()
    assert (process.returncode, complained) == (0, "")
    assert '"event": "mail.sent"' in said
    assert LAN not in said
