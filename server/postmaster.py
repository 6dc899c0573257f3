"""What the lock file in a PostgreSQL data folder says, and whether the process it names is really ours."""

import os
import signal
import subprocess
import time
from pathlib import Path


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
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").samefile(data)
        except OSError:
            return False
    told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return "postgres" in told and f"-D {data} " in told


def end_leftover(data: Path, *, patience: float) -> int | None:
    """End the server of a run that was killed; usually it is on its way out. Returns its id if it does not end."""
    pid = named_process(data)
    for wanted, seconds in ((signal.SIGINT, patience), (signal.SIGQUIT, 10.0)):
        if pid is None or not serves(pid, data):
            return None
        os.kill(pid, wanted)
        deadline = time.monotonic() + seconds
        while serves(pid, data) and time.monotonic() < deadline:
            time.sleep(0.02)
    return pid if pid is not None and serves(pid, data) else None
