"""What the lock file in a PostgreSQL data folder says, and whether the process it names is really ours."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_PROC = Path("/proc")


def lock_file(data: Path) -> list[str]:
    """The lines of `postmaster.pid`: process id, data folder, ..., status. Empty when nobody runs or ran here."""
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []


def named_process(data: Path) -> int | None:
    """The process id in the lock file, dead or alive, PostgreSQL or long since another program."""
    lines = lock_file(data)
    return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def serves(pid: int, data: Path) -> bool:
    """Whether the process is a PostgreSQL on this data folder: it stands inside it, or names it when started."""
    if _PROC.exists():
        return _stands_in(_PROC / str(pid), data)
    told = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return "postgres" in told and f"-D {data} " in told


def end_leftover(data: Path, *, patience: float) -> int | None:
    """End the server of a run that was killed; usually it is on its way out. Returns its id if it does not end."""
    pid = named_process(data)
    for wanted, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0)):
        if pid is None or not serves(pid, data):
            return None
        _send(pid, wanted)
        _wait(lambda: not serves(pid, data), seconds)
    return pid if pid is not None and serves(pid, data) else None


def end_orphans(data: Path) -> None:
    """End the backends of a server that was killed: one at a long query would keep its successor from starting.

    The server itself would do so; what they had not committed is lost either way. Elsewhere than on Linux they are
    waited for, by starting again.
    """
    for pid in _orphans(data):
        _send(pid, signal.SIGQUIT)
    _wait(lambda: not _orphans(data), 2.0)


def _orphans(data: Path) -> list[int]:
    if (server := named_process(data)) is None or serves(server, data):
        return []
    return [int(entry.name) for entry in _PROC.glob("[1-9]*") if _stands_in(entry, data)]


def _stands_in(process: Path, data: Path) -> bool:
    try:
        return (process / "comm").read_text() == "postgres\n" and (process / "cwd").samefile(data)
    except OSError:
        return False


def _send(pid: int, wanted: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, wanted)


def _wait(until: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not until() and time.monotonic() < deadline:
        time.sleep(0.02)
