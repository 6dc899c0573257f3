"""Make the environment that everything else runs in: `.venv`, with exactly what a lock file names.

Run by a bare `python3` before anything is installed, and possibly by one that is too old: standard library only, and
nothing that Python 3.6 could not read.
"""

import contextlib
import fcntl
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# These bring the rest; their versions and hashes stand in the larger lock file.
TOOLS = ("uv", "setuptools")
TOOLS_LOCK = ROOT / "requirements-dev.lock"
OLDEST = (3, 11)
NEWEST = (3, 14)
# These point Python, pip or uv at another environment.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "UV_TARGET", "UV_PREFIX")
ENOUGH_SPACE = 50_000_000

_FETCHING = re.compile(
    r"certificate|connect|dns|fetch|name resolution|No matching distribution|network|sending request|timed out|Retry",
    re.IGNORECASE,
)


class Unable(Exception):
    """What keeps the environment from being made, and what to do."""


def main() -> None:
    """`environment.py FOLDER LOCK-FILE`; exit code 1 after one sentence when it cannot be done."""
    folder, lock_file = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    try:
        _use_a_young_python()
        with _alone():
            _make(folder)
            _install(folder, lock_file)
    except Unable as problem:
        sys.exit(str(problem))
    except OSError as problem:
        sys.exit(str(_in_words(str(problem))))
    except KeyboardInterrupt:
        sys.exit(130)


def _use_a_young_python() -> None:
    """Go on in a Python of 3.11 or later, if this one is older and the machine has another."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, "-I", *sys.argv])  # noqa: S606 - the same program, a younger Python
    ours = ".".join(map(str, sys.version_info[:2]))
    raise Unable(f"Python 3.11 or later is needed, and this is {ours}: install one, then `make PYTHON=python3.11 ...`.")


@contextlib.contextmanager
def _alone():  # noqa: ANN202 - Iterator[None] is younger than this file may be
    """Two `make run` in one checkout take turns."""
    handle = os.open(str(ROOT), os.O_RDONLY)
    try:
        # A file system without locks has no second user either.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(folder: Path) -> None:
    if _works(folder):
        return
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            package = f"python3.{sys.version_info[1]}-venv"
            raise Unable(
                f"This Python has no `{module}` module: install it (Debian and Ubuntu: apt install {package}), "
                "then try again."
            )
    _say(f"Making the environment in {folder.name} (only the first time) ...")
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])


def _works(folder: Path) -> bool:
    """Whether an environment is there and its Python still runs: the machine's Python may have been replaced."""
    python = folder / "bin" / "python"
    ask = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    if not python.exists():
        return False
    return subprocess.run([str(python), "-c", ask], stderr=subprocess.DEVNULL, check=False).returncode == 0


def _install(folder: Path, lock_file: Path) -> None:
    """Everything by its hash; uv is quick, and pip knows mirrors and certificates that uv does not ask for."""
    python, uv = str(folder / "bin" / "python"), str(folder / "bin" / "uv")
    tools = folder / "tools.lock"
    tools.write_text("".join(_pinned(TOOLS_LOCK, name) for name in TOOLS), encoding="utf-8")
    pip_install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r"]
    uv_install = [uv, "pip", "install", "--quiet", "--python", python]
    _say(f"Installing what {lock_file.name} names ...")
    _run([*pip_install, str(tools)])
    _run(
        [*uv_install, "--require-hashes", "-r", str(lock_file)],
        [*uv_install, "--system-certs", "--require-hashes", "-r", str(lock_file)],
        [*pip_install, str(lock_file)],
    )
    _run([*uv_install, "--no-deps", "--no-build-isolation", "--offline", "--editable", str(ROOT)])


def _pinned(lock_file: Path, name: str) -> str:
    """The lines of one package: its version and its hashes."""
    lines = lock_file.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==.*\n(?:[ \t].*\n)*", lines, re.MULTILINE)
    if not found:
        raise Unable(f"{lock_file.name} does not name {name}: write it anew with `make lock`.")
    return found.group(0)


def _run(*ways: list) -> None:
    """The first of `ways` that works; the next one is tried only where something could not be fetched."""
    for number, command in enumerate(ways, start=1):
        ended = subprocess.run(
            command, cwd=str(ROOT), env=_environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        told = ended.stdout.decode("utf-8", "replace").strip()
        if ended.returncode == 0:
            return
        if number == len(ways) or not _FETCHING.search(told):
            raise _in_words(told)


def _environ() -> dict:
    """Ours, less what would lead elsewhere."""
    environ = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if not os.access(os.path.expanduser("~"), os.W_OK):  # noqa: PTH111 - Path.home() raises where there is none
        environ["UV_NO_CACHE"] = "1"
    return environ


def _in_words(told: str) -> Unable:
    last = told.splitlines()[-1].strip() if told else "nothing was said"
    # Making a venv fails without a word when the disk is full.
    is_full = shutil.disk_usage(str(Path(sys.argv[1]).resolve().parent)).free < ENOUGH_SPACE
    if is_full or "No space left" in told or "os error 28" in told or "quota exceeded" in told:
        return Unable("No space is left for the environment: free a gigabyte, then try again.")
    if "Permission denied" in told or "Read-only file system" in told:
        return Unable(f"The environment cannot be written ({last}): use a checkout of your own.")
    if "hash" in told.lower() and "match" in told.lower():
        return Unable(f"A package is not the one that the lock file names ({last}).")
    if _FETCHING.search(told):
        return Unable(f"The packages could not be fetched: is this machine connected? ({last})")
    return Unable(f"{told}\nThe environment could not be made: see above.")


def _say(sentence: str) -> None:
    sys.stdout.write(sentence + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
