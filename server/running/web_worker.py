"""A web process as its supervisor sees it: started fresh, on the socket that all of them share."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

import server
from kit import children
from kit.errors import UsageError
from server.settings import Settings

# Web processes change no tables: the owner's password is not for them.
_NOT_FOR_WEB = ("DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE")


class WebWorker:
    """One of the processes that answer; `environ` are its settings."""

    def __init__(self, number: int, listening: socket.socket, environ: dict[str, str]) -> None:
        self.name = f"Web process {number}"
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._listening = listening
        self._environ = environ

    def spawn(self) -> None:
        """Start it without waiting."""
        if self.process:
            mark_process_dead(self.process.pid, self._environ["PROMETHEUS_MULTIPROC_DIR"])
        fd = self._listening.fileno()
        self.starts += 1
        self.process = children.start(
            # -P: the folder we happen to stand in is none of ours.
            [sys.executable, "-P", "-m", "server.running.web_process", "--fd", str(fd), "--worker", str(self.number)],
            when_we_die=signal.SIGKILL,
            environ=self._environ,
            pass_fds=[fd],
        )

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it runs; whether it answers is asked through the port, for all together."""
        return not self.has_ended()

    def failure(self) -> UsageError:
        """Where to read why it ended."""
        return UsageError(f"{self.name} does not start: what it said stands above.")


def web_environ(settings: Settings, *, database_url: str, redis_url: str, metrics: Path) -> dict[str, str]:
    """The environment of web processes: ours, and where the servers are. Empty URLs: as in our own settings."""
    code = str(Path(str(server.__file__)).parents[1])
    environ = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_WEB}
    return environ | {
        "STATE_DIR": str(settings.state_dir),
        "NODE": settings.node,
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "PYTHONPATH": os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")])),
        **({"DATABASE_URL": database_url} if database_url else {}),
        **({"REDIS_URL": redis_url} if redis_url else {}),
    }


def end_all(workers: list[WebWorker], seconds: float) -> None:
    """End them together: each finishes what it is answering, for `seconds` at most."""
    running = [worker.process for worker in workers if worker.process]
    for process in running:
        children.ask_to_end(process, signal.SIGTERM)
    for process in running:
        children.end(process, (signal.SIGTERM, seconds), (signal.SIGKILL, seconds))
