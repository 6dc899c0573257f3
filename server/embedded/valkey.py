"""A Valkey of our own on a unix socket: it holds nothing that may not be lost, so it writes nothing to disk."""

import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from kit import children
from kit.account import account_for_servers
from kit.errors import UsageError
from server.embedded.folders import home_for, socket_folder_for
from server.embedded.programs import valkey_program
from server.embedded.starting import start_and_wait

_SOCKET = "valkey.sock"
_START_SECONDS = 20.0
_ANSWER_SECONDS = 1.0


class EmbeddedValkey:
    """Runs Valkey (or Redis) for `folder`; `start` and `stop`, or `prepare`, `spawn` and `is_ready` without waiting."""

    name = "Valkey"

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.process: subprocess.Popen[bytes] | None = None
        self.log = self.folder / "valkey.log"

    @property
    def url(self) -> str:
        """What `REDIS_URL` would say."""
        return f"unix://{quote(str(self._socket))}"

    def start(self) -> None:
        """Start and wait until it answers. UsageError with one sentence when it cannot."""
        start_and_wait(self, _START_SECONDS)

    def stop(self) -> None:
        """End it; there is nothing to save."""
        if self.process:
            children.end(self.process, (signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0))

    def prepare(self) -> None:
        """Find program and socket, and end a leftover of a killed run. UsageError when there is no program."""
        self._account = account_for_servers()
        home = home_for(self.folder, self._account)
        self._socket = socket_folder_for(home, self._account, _SOCKET) / _SOCKET
        self._program = valkey_program(self._account, home)
        children.fresh_log(self.log)
        # The folder of the socket is the account's alone: whoever answers there was started by us.
        self._ask("SHUTDOWN NOSAVE")

    def spawn(self) -> None:
        """Start the server without waiting for it."""
        self.process = children.start(
            [
                self._program,
                *("--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"),
                *("--save", "", "--appendonly", "no", "--dir", self._socket.parent),
                *("--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru", "--loglevel", "warning"),
            ],
            when_we_die=signal.SIGKILL,
            account=self._account,
            environ={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Whether it answers and has nothing left to load."""
        return "loading:0" in self._ask("INFO persistence")

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process is None or self.process.poll() is not None

    def failure(self) -> UsageError:
        """Why the last start failed, in one sentence."""
        return UsageError(f"Valkey did not start: see {self.log}.")

    def _ask(self, command: str) -> str:
        """The answer to one inline command; empty when nobody answers."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_SECONDS)
                connection.connect(str(self._socket))
                connection.sendall(f"{command}\r\n".encode())
                return connection.recv(65536).decode(errors="replace")
        except OSError:
            return ""
