"""Run the whole service from one command: its servers, its web processes, and an orderly end."""

import asyncio
import errno
import os
import shutil
import signal
import socket
from pathlib import Path

import asyncpg
import msgspec

from kit import children
from kit.clock import utc_now
from kit.errors import UsageError
from kit.keys import KeyRing
from kit.shared_counters import forget_counts
from server.demo.department import DemoExample, demo_examples, is_empty, load_demo
from server.demo.officers import DemoSignIn, demo_sign_ins
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from server.migrate import DatabaseAwayError, bring_up_to_date
from server.running import announcements
from server.running.caught_mail import MailCatcher
from server.running.claims import claim_port
from server.running.first_answer import first_answer, own_url
from server.running.joining import Joined, claim_place, follow_keys, refuse_living_name
from server.running.keeper import Child, keep, until_ready
from server.running.python_process import PythonProcess, end_all, environ_for_children, without_mail_server
from server.running.service import Service, service_file
from server.settings import Settings

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Recovery after a power cut may take its time.
_SERVER_SECONDS = 120.0
_LAST_ANSWERS_SECONDS = 5.0
_LET_GO_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_TRY_AGAIN_SECONDS = 5.0


def run(
    settings: Settings, *, attached: bool = False, demo: bool = True, workers: int | None = None, may_join: bool = False
) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP, or, when `attached`, until our parent is gone. Returns the exit code.

    With `may_join`, a service that runs in STATE_DIR already gets another node. Raises UsageError with one sentence
    when the service cannot start; then nothing of it is left running.
    """
    if workers is not None and workers < 1:
        raise UsageError("--workers: write a whole number from 1 on.")
    try:
        coming = _run(settings, attached=attached, demo=demo, workers=workers or settings.workers, may_join=may_join)
        asyncio.run(coming)
    except asyncio.CancelledError:
        announcements.say("Stopped.")
    except OSError as problem:
        raise _in_words(problem, settings.state_dir) from problem
    return 0


async def _run(settings: Settings, *, attached: bool, demo: bool, workers: int, may_join: bool) -> None:
    running = asyncio.current_task()
    assert running
    for each in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(each, running.cancel)
    following = asyncio.create_task(_follow_parent(running)) if attached else None
    async with claim_place(settings, may_join=may_join) as joined:
        settings = joined.settings if joined else settings
        # A clean end takes this file away.
        was_killed = service_file(settings).exists()
        patience = _LET_GO_SECONDS if was_killed else 0.0
        with claim_port(settings.host, settings.port, patience=patience) as listening:
            await _Supervisor(settings, listening, joined).serve(demo=demo, workers=workers)
    if following:
        following.cancel()


async def _follow_parent(running: asyncio.Task[None]) -> None:
    """End when whoever started us is gone: on Linux the kernel tells, elsewhere we look."""
    parent = os.getppid()
    children.end_with_parent(signal.SIGTERM)
    while os.getppid() == parent:  # noqa: ASYNC110 - there is no event for it
        await asyncio.sleep(_LOOK_SECONDS)
    running.cancel()


class _Supervisor:
    """What runs. With DATABASE_URL or REDIS_URL set, that server is somebody else's and only talked to.

    A node that joined another has its servers' addresses in its settings: they are never its own.
    """

    def __init__(self, settings: Settings, listening: socket.socket, joined: Joined | None = None) -> None:
        self.settings, self.listening, self.joined = settings, listening, joined
        self.url = own_url(listening)
        self.postgres = None if settings.database_url else EmbeddedPostgres(settings.state_dir / "postgres")
        self.valkey = None if settings.redis_url else EmbeddedValkey(settings.state_dir / "valkey")
        self.servers = [server for server in (self.postgres, self.valkey) if server]
        self.catcher = MailCatcher(settings) if MailCatcher.is_wanted(settings) else None
        self.processes: list[PythonProcess] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def serve(self, *, demo: bool, workers: int) -> None:
        """Start everything in order and keep it running; end everything in the other order, whatever happens."""
        try:
            if not self.postgres:
                await refuse_living_name(self.settings)
            await self._start_servers()
            await self._migrate()
            examples, keys = await self._demo(demo=demo)
            self._write_service_file()
            environ = self._environ()
            if self.joined:
                announcements.say(f"This is node {self.settings.node}, beside {self.joined.first.url}.")
                self.tasks.append(asyncio.create_task(follow_keys(self.joined)))
            self._start_web(workers, environ)
            await first_answer(self.url, self.processes)
            announcements.show_where_to_look(
                self.url, examples, await self._sign_ins(keys), catches_mail=self.catcher is not None
            )
            self._start_work(environ)
            done, _ = await asyncio.wait(self.tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self._stop()

    async def _start_servers(self) -> None:
        if self.servers:
            announcements.say(f"Starting {' and '.join(server.name for server in self.servers)} ...")
        for server in self.servers:
            server.prepare()
            server.spawn()
        for server in self.servers:
            await until_ready(server, seconds=_SERVER_SECONDS)
            self._keep(server)

    async def _migrate(self) -> None:
        try:
            applied = await bring_up_to_date(*self._database_urls())
        except DatabaseAwayError as problem:
            if self.postgres:
                raise
            # What is released is answered without it: on results day a node must come up all the same.
            announcements.say(f"{problem} The service starts without it, and goes on trying.")
            self.tasks.append(asyncio.create_task(self._migrate_later()))
        else:
            if applied:
                announcements.say("The database is up to date.")

    async def _migrate_later(self) -> None:
        told = ""
        while True:
            await asyncio.sleep(_TRY_AGAIN_SECONDS)
            try:
                await bring_up_to_date(*self._database_urls())
            except UsageError as problem:
                if not isinstance(problem, DatabaseAwayError) and str(problem) != told:
                    announcements.say(told := str(problem))
            else:
                announcements.say("PostgreSQL is there, and the database is up to date.")
                return

    async def _demo(self, *, demo: bool) -> tuple[list[DemoExample], KeyRing | None]:
        """Whom to look up in the demo of the embedded database, which is loaded if wanted and nothing is there.

        With the keys from which its officers' passwords follow; None where there is no demo of ours.
        """
        if not self.postgres:
            return [], None
        keys = KeyRing(self.settings.keys_folder, may_create=self.settings.keys_dir is None)
        pin_key = keys.current("pin").value
        connection = await asyncpg.connect(self.postgres.runtime_url)
        try:
            if demo and await is_empty(connection):
                with announcements.counting("Inventing a department") as progress:
                    await load_demo(connection, pin_key=pin_key, now=utc_now(), keys=keys, progress=progress)
            return await demo_examples(connection, pin_key), keys
        finally:
            await connection.close()

    async def _sign_ins(self, keys: KeyRing | None) -> list[DemoSignIn]:
        """How to sign in to the demo; asked last, since a code is good for a minute."""
        if not (self.postgres and keys):
            return []
        try:
            connection = await asyncpg.connect(self.postgres.runtime_url)
        except (OSError, asyncpg.PostgresError):
            # It has just died: it is brought up again, and nobody is kept waiting for these lines.
            return []
        try:
            return await demo_sign_ins(connection, keys, utc_now())
        finally:
            await connection.close()

    def _environ(self) -> dict[str, str]:
        metrics = self.settings.state_dir / "run" / "metrics"
        shutil.rmtree(metrics, ignore_errors=True)
        forget_counts(self.settings.counts_file)
        metrics.mkdir()
        return environ_for_children(
            self.settings,
            database_url=self._database_urls()[1] if self.postgres or self.joined else "",
            redis_url=self._redis_url() if self.valkey or self.joined else "",
            metrics=metrics,
        )

    def _start_web(self, count: int, environ: dict[str, str]) -> None:
        fd, environ = self.listening.fileno(), without_mail_server(environ)
        mail = [] if self._sends_mail() else ["--without-mail"]
        if self.catcher:
            mail = ["--caught-mail", str(self.catcher.folder)]
        for number in range(1, count + 1):
            arguments = ("--fd", str(fd), "--worker", str(number), *mail)
            module = "server.running.web_process"
            self._start(PythonProcess(f"Web process {number}", module, environ, *arguments, pass_fds=[fd]))

    def _start_work(self, environ: dict[str, str]) -> None:
        """What nobody waits for: it starts when the first answers are out."""
        if self.catcher:
            self._start(self.catcher.process(without_mail_server(environ)))
            environ = environ | {"SMTP_URL": self.catcher.url}
        self._start(PythonProcess("Worker process", "server.running.worker_process", environ))

    def _start(self, process: PythonProcess) -> None:
        self.processes.append(process)
        process.spawn()
        self._keep(process)

    def _keep(self, child: Child) -> None:
        self.tasks.append(asyncio.create_task(keep(child, announcements.say)))

    def _database_urls(self) -> tuple[str, str]:
        if self.postgres:
            return self.postgres.owner_url, self.postgres.runtime_url
        return self.settings.database_owner_url, self.settings.database_url

    def _redis_url(self) -> str:
        return self.valkey.url if self.valkey else self.settings.redis_url

    def _sends_mail(self) -> bool:
        """Letters that a further node writes are sent by the first, whose queue it shares."""
        return bool(self.settings.smtp_url or (self.joined and self.joined.first.sends_mail))

    def _write_service_file(self) -> None:
        """For commands on this machine. It may hold passwords: only we can read it."""
        owner_url, runtime_url = self._database_urls()
        service = Service(
            database_url=runtime_url,
            database_owner_url=owner_url,
            redis_url=self._redis_url(),
            url=self.settings.public_url or self.url,
            pid=os.getpid(),
            node=self.settings.node,
            sends_mail=self._sends_mail() or self.catcher is not None,
        )
        file = service_file(self.settings)
        draft = file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(service))
        draft.replace(file)

    def _stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        end_all(self.processes, _LAST_ANSWERS_SECONDS)
        for server in reversed(self.servers):
            server.stop()
        service_file(self.settings).unlink(missing_ok=True)


def _in_words(problem: OSError, state_dir: Path) -> UsageError:
    # Copying a folder gathers what went wrong with its files into one error without a number.
    gathered = str(problem) if isinstance(problem, shutil.Error) else ""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT) or os.strerror(errno.ENOSPC) in gathered:
        return UsageError(f"No space is left for {state_dir}: free some, or choose another STATE_DIR.")
    return UsageError(
        f"{problem.filename or state_dir}: {problem.strerror or problem}. Choose a STATE_DIR that can be written."
    )
