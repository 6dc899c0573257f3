"""Start the service as a person does, look at its processes, and end exactly those."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from server.running.service import Service
from tests.quickly import quick_folder

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Running:
    """One `baodanh run` in `state_dir`, on `port`; what it says goes into `state_dir` + `.log`."""

    def __init__(self, state_dir: Path, port: int | None = None, **environ: str) -> None:
        self.state_dir, self.port = state_dir, port or free_port()
        self.log = state_dir.with_name(f"{state_dir.name}.log")
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "STATE_DIR": str(state_dir),
            "PORT": str(self.port),
            "WORKERS": "2",
            **environ,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.arguments: tuple[str, ...] = ("--no-demo",)

    def start(self, *arguments: str, command: tuple[str, ...] = (), **popen: Any) -> "Running":
        """Start it in a process group of its own, as a terminal does, and wait until it serves."""
        command = command or (sys.executable, "-m", "server", "run", *(arguments or self.arguments))
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, process_group=0, **popen
            )
        until(lambda: "is running" in self.said or self.process.poll() is not None, self.told)
        assert self.process.poll() is None, self.said
        return self

    def refused(self, *arguments: str) -> list[str]:
        """The lines with which it declines to start; the exit code must be 1."""
        command = (sys.executable, "-m", "server", "run", *(arguments or self.arguments))
        ended = subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert ended.returncode == 1, ended.stdout + ended.stderr
        return ended.stderr.splitlines()

    def command(self, *arguments: str, code: int = 0) -> str:
        """What `baodanh ARGUMENTS` said about this service; it must end with this exit code."""
        command = (sys.executable, "-m", "server", *arguments)
        ended = subprocess.run(command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)
        assert ended.returncode == code, ended.stdout + ended.stderr
        return ended.stdout

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def told(self) -> str:
        return f"It said:\n{self.said}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def service(self) -> Service:
        return msgspec.json.decode((self.state_dir / "run" / "service.json").read_bytes(), type=Service)

    def pids(self, kind: str = "") -> set[int]:
        """Its child processes: `web_process`, `postgres` or `valkey` in their command line."""
        return {pid for pid, command in children_of(self.service.pid).items() if kind in command}

    def answers(self, path: str = "/healthz") -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.url + path, timeout=5).status_code == httpx.codes.OK
        return False

    async def ask(self, query: str) -> Any:
        """One value from its database, as the run-time role, once it takes connections."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = await asyncpg.connect(self.service.database_url)
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < deadline, self.said
                await asyncio.sleep(0.02)
                continue
            try:
                return await connection.fetchval(query)
            finally:
                await connection.close()

    def interrupt(self) -> int:
        """Ctrl-C: SIGINT to the process group. Returns the exit code."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Whatever is left of it after a failed test."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
            self.process.kill()


class Beside(Running):
    """`baodanh run --node NAME --port P` in the STATE_DIR of a running service: another node on its servers."""

    def __init__(self, first: Running, name: str, port: int | None = None) -> None:
        super().__init__(first.state_dir / "nodes" / name, port)
        self.log = first.state_dir.with_name(f"{first.state_dir.name}-{name}.log")
        self.environ = {**first.environ}
        self.arguments = ("--node", name, "--port", str(self.port))


@contextlib.contextmanager
def beside(first: Running, name: str) -> Iterator[Beside]:
    node = Beside(first, name)
    try:
        node.start()
        yield node
    finally:
        node.kill()


@contextlib.contextmanager
def running(state_dir: Path, *arguments: str, **options: Any) -> Iterator[Running]:
    service = Running(state_dir, **options)
    try:
        yield service.start(*arguments)
    finally:
        service.kill()


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """A temporary folder that the embedded servers' user can reach, unlike pytest's; short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="bd-", dir=quick_folder()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 16 MB at `folder`; the test is skipped where this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", folder]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def free_port() -> int:
    """Below the ports that systems hand out themselves: it must still be free when a service starts again."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def until(happened: Callable[[], Any], explain: Callable[[], str] = str, *, seconds: float = PATIENCE) -> Any:
    """Wait for it; fail with the explanation when it does not happen."""
    deadline = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < deadline, explain()
        time.sleep(0.02)
    return found


def children_of(parent: int) -> dict[int, str]:
    """Process ids and command lines of its living children."""
    told = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = (line.split(maxsplit=3) for line in told.stdout.splitlines())
    return {int(pid): command for pid, ppid, state, command in lines if int(ppid) == parent and state[0] != "Z"}


def is_alive(pid: int) -> bool:
    """Whether it runs; one that ended and waits to be fetched does not."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(told.strip()) and not told.startswith("Z")
