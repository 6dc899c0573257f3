"""A process of our own program as its supervisor sees it: started fresh, whenever it has ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

import server
from kit import children
from kit.errors import UsageError
from server.settings import Settings

# What runs changes no tables: the owner's password is not for it.
_NOT_FOR_CHILDREN = ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")


class PythonProcess:
    """Runs `python -m module arguments`; `environ` are its settings."""

    def __init__(
        self, name: str, module: str, environ: dict[str, str], *arguments: str, pass_fds: Sequence[int] = ()
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        # -P: the folder we happen to stand in is none of ours.
        self._command = [sys.executable, "-P", "-m", module, *arguments]
        self._environ, self._pass_fds = environ, pass_fds

    def spawn(self) -> None:
        """Start it without waiting."""
        if self.process:
            mark_process_dead(self.process.pid, self._environ["PROMETHEUS_MULTIPROC_DIR"])
        self.starts += 1
        self.process = children.start(
            self._command, when_we_die=signal.SIGKILL, environ=self._environ, pass_fds=self._pass_fds
        )

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it runs; whether web processes answer is asked through the port, for all together."""
        return not self.has_ended()

    def failure(self) -> UsageError:
        """Where to read why it ended."""
        return UsageError(f"{self.name} does not start: what it said stands above.")


def environ_for_children(settings: Settings, *, database_url: str, redis_url: str, metrics: Path) -> dict[str, str]:
    """The environment of our processes: ours, and where things are. Empty URLs: as in our own environment."""
    code = str(Path(str(server.__file__)).parents[1])
    given = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    ours = {name: url for name, url in given.items() if url}
    not_for_children = {*_NOT_FOR_CHILDREN, *(f"{name}_FILE" for name in ours)}
    environ = {name: value for name, value in os.environ.items() if name not in not_for_children}
    return environ | {
        "STATE_DIR": str(settings.state_dir),
        "NODE": settings.node,
        "PORT": str(settings.port),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
        **({"KEYS_DIR": str(settings.keys_dir)} if settings.keys_dir else {}),
        **ours,
    }


def without_mail_server(environ: dict[str, str]) -> dict[str, str]:
    """For processes that send no mail: its password is not for them."""
    return {name: value for name, value in environ.items() if name not in ("SMTP_URL", "SMTP_URL_FILE")}


def end_all(processes: Sequence[PythonProcess], seconds: float) -> None:
    """End them together: each finishes what it is at, for `seconds` at most."""
    running = [process.process for process in processes if process.process]
    for process in running:
        children.ask_to_end(process, signal.SIGTERM)
    for process in running:
        children.end(process, (signal.SIGTERM, seconds), (signal.SIGKILL, seconds))
