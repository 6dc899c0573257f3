"""Who the embedded servers run as: ourselves, or, when we are root, somebody with fewer rights."""

import os
import pwd
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from kit.errors import UsageError

# Users that already exist on nearly every machine: we add none.
_UNPRIVILEGED = ("postgres", "nobody")


class Account(msgspec.Struct, frozen=True):
    """A user of this machine that may own the servers' files and run them."""

    name: str
    uid: int
    gid: int

    @property
    def popen(self) -> dict[str, Any]:
        """The arguments that make `subprocess` run a program as this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for_servers() -> Account:
    """Ourselves; root becomes an unprivileged user, since PostgreSQL refuses root. UsageError where there is none."""
    if os.geteuid() != 0:
        return Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise UsageError(
        "PostgreSQL refuses to run as root and this machine has neither a user `postgres` nor `nobody`: "
        "run this as an ordinary user, or set DATABASE_URL and REDIS_URL."
    )


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account gets through every folder above `folder` and into it. Asked of the kernel, not guessed."""
    return _succeeds(account, ["/bin/sh", "-c", 'cd "$0"', str(folder)])


def can_run(account: Account, program: Path) -> bool:
    """Whether the account reaches the program and its libraries."""
    return _succeeds(account, [str(program), "--version"])


def own(account: Account, folder: Path) -> Path:
    """Make `folder` if need be, and let nobody but the account (and root) into it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)
    return folder


def _succeeds(account: Account, command: list[str]) -> bool:
    try:
        ended = subprocess.run(command, cwd="/", capture_output=True, check=False, **account.popen)
    except OSError:
        return False
    return ended.returncode == 0
