"""The folder in which a node keeps sealed releases, and the keys of those that are open."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from lookup.sealed.sealing import KEY_LENGTH

_BUNDLE, _KEY = ".bundle", ".key"


def bundle_path(folder: Path, bundle_id: int) -> Path:
    """Where a bundle lies once it is whole and checked; never changed in place."""
    return folder / f"{bundle_id}{_BUNDLE}"


def keep_key(folder: Path, bundle_id: int, key: bytes) -> None:
    """Keep the key of a release that is open, so that a process that is started again needs nobody."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f".{bundle_id}{_KEY}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{key.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / f"{bundle_id}{_KEY}")


def read_key(folder: Path, bundle_id: int) -> bytes | None:
    """The key that is kept for a bundle; None where there is none, or it is damaged."""
    try:
        key = bytes.fromhex((folder / f"{bundle_id}{_KEY}").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return key if len(key) == KEY_LENGTH else None


def forget_key(folder: Path, bundle_id: int) -> None:
    """Of a release that was taken down."""
    (folder / f"{bundle_id}{_KEY}").unlink(missing_ok=True)


def kept_bundles(folder: Path) -> Iterator[int]:
    """The ids of all whole files there, in no order."""
    for path in folder.glob(f"*{_BUNDLE}"):
        if path.stem.isdecimal():
            yield int(path.stem)
