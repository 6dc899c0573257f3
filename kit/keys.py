"""Secret keys by name, in files: made when first needed, changed by adding a newer one, never shown.

A folder holds `pin.1`, `pin.2`, ...: 64 hexadecimal digits each. The highest number makes what is new; the others
still recognise what they made.
"""

import os
import re
import secrets
from pathlib import Path

import msgspec

from kit.errors import UsageError

_LENGTH = 32
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Key(msgspec.Struct, frozen=True):
    """`id` counts up with each rotation; `value` are 32 secret bytes."""

    id: int
    value: bytes

    def __repr__(self) -> str:
        """Without the secret: keys end up in tracebacks."""
        return f"Key(id={self.id})"


class KeyRing:
    """The keys in one folder. With `may_create=False` the folder is only read: all keys were given to us."""

    def __init__(self, folder: Path, *, may_create: bool = True) -> None:
        self.folder = folder
        self._may_create = may_create

    def current(self, name: str) -> Key:
        """The newest key of that name; made if there is none. UsageError when it cannot be made or read."""
        return self.all(name)[0]

    def all(self, name: str) -> list[Key]:
        """Every key of that name, newest first; never empty. UsageError when none can be made or one is damaged."""
        if not _NAME.fullmatch(name):
            raise ValueError(name)
        numbers = self._numbers(name)
        if not numbers:
            self._create(name, 1)
            numbers = self._numbers(name)
        return [Key(id=number, value=self._read(self._path(name, number))) for number in numbers]

    def holds(self, name: str) -> bool:
        """Whether such a key is here, or would be made when asked for: a folder given to us may lack some."""
        return self._may_create or bool(self._numbers(name))

    def rotate(self, name: str) -> Key:
        """Add a newer key, which is current from now on wherever keys are read anew. UsageError as `all`."""
        newest = self.current(name)
        self._create(name, newest.id + 1)
        return self.current(name)

    def _path(self, name: str, number: int) -> Path:
        return self.folder / f"{name}.{number}"

    def _numbers(self, name: str) -> list[int]:
        found = (path.name.removeprefix(f"{name}.") for path in self.folder.glob(f"{name}.*"))
        return sorted((int(number) for number in found if re.fullmatch(r"[1-9]\d{0,8}", number)), reverse=True)

    def _read(self, path: Path) -> bytes:
        try:
            value = bytes.fromhex(path.read_text(encoding="ascii"))
        except OSError as error:
            raise UsageError(f"The key file {path} cannot be read: {error.strerror}.") from None
        except ValueError:
            value = b""
        if len(value) != _LENGTH:
            raise UsageError(f"The key file {path} is damaged: it must hold {_LENGTH * 2} hexadecimal digits.")
        return value

    def _create(self, name: str, number: int) -> None:
        """Several processes may come here at once: the one whose file gets the name first makes the key of all."""
        path = self._path(name, number)
        if not self._may_create:
            raise UsageError(f"The key file {path} is missing, and KEYS_DIR is only read: put it there.")
        try:
            self._link_new_file(path)
        except OSError as error:
            raise UsageError(f"The key file {path} cannot be made: {error.strerror}.") from None

    def _link_new_file(self, path: Path) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(f"{secrets.token_hex(_LENGTH)}\n")
                file.flush()
                os.fsync(file.fileno())
            # Unlike a rename, a link never replaces the key that another process has just made.
            path.hardlink_to(draft)
            _sync_folder(self.folder)
        except FileExistsError:
            pass
        finally:
            draft.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """A key that others were derived from must outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
