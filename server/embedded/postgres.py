"""A PostgreSQL of our own, on a unix socket that nobody else can open: nothing to install, nothing to configure."""

import contextlib
import locale
import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from kit import children
from kit.account import account_for_servers, own
from kit.errors import UsageError
from server.embedded.folders import home_for, keep_from_cleaners, socket_folder_for
from server.embedded.postmaster import end_leftover, end_orphans, lock_file, named_process, serves
from server.embedded.programs import major_version, postgres_programs
from server.embedded.starting import start_and_wait

OWNER, RUNTIME, DATABASE = "baodanh_owner", "baodanh", "baodanh"
_PORT = 5432
# A clean environment: PGDATA, PGPORT and a foreign locale of the caller mean other servers.
_ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "128MB",
    # Eight for each web process, of which there may be more than two or three.
    "max_connections": "300",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}
# Roles and database are made by the single-user backend, before the server is ever reachable.
_FIRST_STATEMENTS = (
    f"create role {OWNER} login",
    f"create role {RUNTIME} login",
    f"create database {DATABASE} owner {OWNER}",
)
_START_SECONDS = 120.0
_LEFTOVER_SECONDS = 60.0


class EmbeddedPostgres:
    """Runs PostgreSQL on `folder/data`; `start` and `stop`, or `prepare`, `spawn` and `is_ready` without waiting.

    `owner_url` may change the tables, `runtime_url` only read and write them. Both trust whoever can open the socket:
    the account alone.
    """

    name = "PostgreSQL"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "postgres.log"
        self._lock: int | None = None

    @property
    def owner_url(self) -> str:
        """Where migrations connect."""
        return self._url(OWNER)

    @property
    def runtime_url(self) -> str:
        """Where the service connects."""
        return self._url(RUNTIME)

    def start(self) -> None:
        """Start and wait until it answers. UsageError with one sentence when it cannot."""
        start_and_wait(self, _START_SECONDS)

    def stop(self) -> None:
        """Roll back what is open, write everything down, end."""
        if self.process:
            children.end(self.process, (signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def prepare(self) -> None:
        """Make the data folder on the first start; later, see to it that it is ours to start.

        Raises UsageError: no programs, a data folder of another version, no space, still in use.
        """
        account = account_for_servers()
        home = home_for(self.folder, account)
        if home != self.folder and self._lock is None:
            self._lock = keep_from_cleaners(home)
        self._account, self._data = account, home / "data"
        self._sockets = socket_folder_for(home, account, f".s.PGSQL.{_PORT}.lock")
        self._programs = postgres_programs(account, home)
        children.fresh_log(self.log)
        if self._data.exists():
            self._refuse_other_version()
            self._end_leftover()
        else:
            self._create(home / "data-draft")

    def spawn(self) -> None:
        """Start the server without waiting for it."""
        end_orphans(self._data)
        self._log_begins = self.log.stat().st_size
        settings = [argument for name, value in _SETTINGS.items() for argument in ("-c", f"{name}={value}")]
        self.process = children.start(
            [self._programs / "postgres", "-D", self._data, "-k", self._sockets, "-p", str(_PORT), *settings],
            when_we_die=signal.SIGINT,
            account=self._account,
            environ=_ENVIRON | self._stale_pid(),
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Whether it takes connections: its own lock file says so."""
        lines = lock_file(self._data)
        return bool(self.process) and lines[:1] == [str(self.process.pid)] and lines[-1].strip() == "ready"

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    def failure(self) -> UsageError:
        """Why the last start failed, in one sentence."""
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            return _explained(log.read().decode(errors="replace"), self._data, f"see {self.log}")

    def _url(self, role: str) -> str:
        # The port names the socket; said here, or PGPORT of the caller's environment would.
        return f"postgresql://{role}@/{DATABASE}?host={quote(str(self._sockets), safe='')}&port={_PORT}"

    def _create(self, draft: Path) -> None:
        """A data folder with roles and database; it gets its name only when complete."""
        shutil.rmtree(draft, ignore_errors=True)
        own(self._account, draft)
        self._run(
            "initdb", "-D", draft, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
            # Any other LC_CTYPE lets pg_trgm drop Vietnamese letters.
            f"--lc-ctype={_utf8_locale()}",
        )  # fmt: skip
        # Here a line is a statement.
        statements = "".join(f"{statement}\n" for statement in _FIRST_STATEMENTS)
        self._run("postgres", "--single", "-D", draft, "postgres", text=statements)
        draft.rename(self._data)

    def _run(self, program: str, *arguments: str | Path, text: str = "") -> None:
        ended = subprocess.run(
            [self._programs / program, *arguments],
            cwd="/", env=_ENVIRON, input=text.encode(), capture_output=True, check=False, **self._account.popen,
        )  # fmt: skip
        told = (ended.stdout + ended.stderr).decode(errors="replace")
        if ended.returncode != 0 or re.search(r"\b(ERROR|FATAL|PANIC):", told):
            raise _explained(told, self._data, f"{program} ended with code {ended.returncode}")

    def _refuse_other_version(self) -> None:
        theirs = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = major_version(self._programs)
        if theirs != str(ours):
            raise UsageError(
                f"{self._data} was written by PostgreSQL {theirs}, and this is PostgreSQL {ours}: "
                "choose another STATE_DIR, or move the data with pg_dump of the old version."
            )

    def _end_leftover(self) -> None:
        if pid := end_leftover(self._data, patience=_LEFTOVER_SECONDS):
            raise UsageError(
                f"PostgreSQL (process {pid}) of an earlier run holds {self._data} and does not end: "
                "end it, then start again."
            )

    def _stale_pid(self) -> dict[str, str]:
        """Tell PostgreSQL of a process id in its lock file that belongs to another program by now.

        It asks only whether such a process lives, and ids come round again, in containers soon. By this variable
        (pg_ctl uses it so) it disregards the id and still checks its shared memory: no lock file is ever deleted.
        """
        pid = named_process(self._data)
        return {"PG_GRANDPARENT_PID": str(pid)} if pid is not None and not serves(pid, self._data) else {}


def _explained(told: str, data: Path, otherwise: str) -> UsageError:
    """One sentence from what PostgreSQL said."""
    if "No space left on device" in told or "Disk quota exceeded" in told:
        return UsageError(f"No space is left for {data}: free some, or choose another STATE_DIR.")
    reason = re.search(r"(?:FATAL|PANIC|ERROR|error):\s+(.+)", told)
    return UsageError(f"PostgreSQL did not start: {reason.group(1) if reason else otherwise}.")


def _utf8_locale() -> str:
    """A locale of this machine whose letters are Unicode's; which words it speaks does not matter."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "C.utf8", "en_US.UTF-8", "vi_VN.UTF-8", "UTF-8"):
            with contextlib.suppress(locale.Error):
                return locale.setlocale(locale.LC_CTYPE, name)
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise UsageError("This machine has no UTF-8 locale: install one (`locale-gen C.UTF-8`), or set DATABASE_URL.")
