"""A service of its own for a proof: real processes, a folder and a port that nobody else uses."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
_START_SECONDS = 60.0


class RunningService:
    """A started `baodanh run --no-demo`; `url` is where it answers, `command` runs `baodanh` against it."""

    def __init__(self, folder: Path) -> None:
        self.environ = os.environ | {
            "STATE_DIR": str(folder),
            "PORT": str(_free_port()),
            # The proof's crowd comes from varied addresses.
            "TRUSTED_PROXIES": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }
        self.url = f"http://127.0.0.1:{self.environ['PORT']}"

    def command(self, *arguments: str) -> str:
        """What the command said; raises when it failed."""
        ended = subprocess.run(
            [sys.executable, "-m", "server", *arguments],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise SystemExit(f"baodanh {' '.join(arguments)}: {ended.stdout}{ended.stderr}")
        return ended.stdout


@contextlib.contextmanager
def running_service() -> Iterator[RunningService]:
    """Start it, wait until it can serve lookups, stop it by pid."""
    with tempfile.TemporaryDirectory(prefix="bd-proof-") as folder:
        service = RunningService(Path(folder))
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "run", "--no-demo"],
            env=service.environ,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait_until_ready(service.url)
            yield service
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with contextlib.suppress(OSError), urlopen(f"{url}/readyz"):  # noqa: S310  # our own loopback address
            return
        if time.monotonic() > deadline:
            raise SystemExit("The service did not come up.")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
