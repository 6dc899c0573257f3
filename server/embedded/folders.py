"""Where an embedded server keeps its files, when the folder we would like cannot serve.

As root the servers run as another user, who may be unable to reach STATE_DIR (a checkout below /root); and the path of
a unix socket ends at 107 bytes. Then a folder of our own under a temporary directory serves, named in a small file
where the files would have been.
"""

import fcntl
import os
import stat
import tempfile
from pathlib import Path

from kit.account import Account, can_enter, own

# 107 bytes on Linux, 103 on macOS; the name of a socket is part of them.
_LONGEST_SOCKET_PATH = 103


def home_for(folder: Path, account: Account) -> Path:
    """`folder`, or where the account can reach: the same folder every time it is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        folder.chmod(0o711)
    if can_enter(account, folder):
        return folder
    # /var/tmp outlives a restart of the machine, /tmp often does not.
    lasting = Path("/var/tmp")  # noqa: S108 - a folder of our own inside, by mkdtemp
    return _remembered(folder / "moved-to", lasting if lasting.is_dir() and "TMPDIR" not in os.environ else None)


def socket_folder_for(home: Path, account: Account, socket_name: str) -> Path:
    """A folder of the account alone, short enough for `socket_name` inside it."""
    folder = home / "socket"
    if len(os.fsencode(folder / socket_name)) > _LONGEST_SOCKET_PATH:
        folder = _remembered(home / "socket-moved-to", None) / "socket"
    return own(account, folder)


def keep_from_cleaners(folder: Path) -> int:
    """Lock a folder in a temporary directory, as systemd asks: its daily cleaner passes by what somebody holds.

    Returns the open file descriptor: the lock lasts as long as it does.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _remembered(note: Path, base: Path | None) -> Path:
    """The temporary folder that `note` names, or a new one, written down there."""
    if note.exists():
        folder = Path(note.read_text(encoding="utf-8").strip())
        if _is_ours(folder):
            return folder
    folder = Path(tempfile.mkdtemp(prefix="baodanh-", dir=base or _short_temporary()))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    draft = note.with_suffix(".new")
    draft.write_text(f"{folder}\n", encoding="utf-8")
    draft.replace(note)
    return folder


def _is_ours(folder: Path) -> bool:
    """Made by us, writable by nobody else: anybody may put a folder of that name into /tmp after a clean-up."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _short_temporary() -> Path:
    usual = Path(tempfile.gettempdir())
    return usual if len(os.fsencode(usual)) <= 60 else Path("/tmp")  # noqa: PLR2004, S108 - mkdtemp makes our own
