"""The files of releases on a node's disk: written piece by piece, checked whole, and only then there by their name."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from lookup.sealed.bundle import check_whole
from lookup.sealed.bundle_format import BundleBroken, Header
from lookup.sealed.release_folder import bundle_path

# A disk that is filled to its last byte by us stops PostgreSQL too, where it lives beside us.
ROOM_LEFT = 64 * 1024 * 1024
# `5.bundle`, `5.key`, and what writing them leaves when it is killed: `.5.bundle.part`, `.5.key.0a1b2c3d`.
_OURS = re.compile(r"\.?(\d{1,18})\.(bundle|key)(\..+)?")
# Writing a key takes a moment; what still lies here after this was left behind.
_LEFT_BEHIND_SECONDS = 60.0


class DiskRefuses(Exception):
    """The disk of this node does not take the file; `reason`: `disk_full`, or `disk_refuses` for whatever else."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Wanted(msgspec.Struct, frozen=True):
    """A file that every node must have. `sha256` and `size` are the whole file's; `key_sent`: it may be opened."""

    id: int
    exam_code: str
    generation: int
    size: int
    sha256: bytes
    signed_by: bytes
    opens_at: datetime
    key_sent: bool


class Piece(msgspec.Struct, frozen=True):
    """A part of a file, by its number."""

    number: int
    size: int


def draft_path(folder: Path, bundle_id: int) -> Path:
    """Where a file grows; what is whole of it is kept over a kill."""
    return folder / f".{bundle_id}.bundle.part"


def pieces_here(folder: Path, bundle_id: int, pieces: Sequence[Piece]) -> int:
    """How many whole pieces an earlier attempt has left; what it has of the next one is cut off. Raises DiskRefuses."""
    draft = draft_path(folder, bundle_id)
    try:
        there = draft.stat().st_size
    except FileNotFoundError:
        return 0
    whole, left = 0, there
    for piece in pieces:
        if left < piece.size:
            break
        whole, left = whole + 1, left - piece.size
    if left:
        with _disk_words():
            os.truncate(draft, there - left)
    return whole


def require_room(folder: Path, size: int) -> None:
    """Raises DiskRefuses unless `size` bytes more leave some room."""
    if shutil.disk_usage(folder).free < size + ROOM_LEFT:
        raise DiskRefuses("disk_full")


async def append_pieces(draft: Path, pieces: Sequence[Piece], read: Callable[[int], Awaitable[bytes | None]]) -> None:
    """Add pieces to a draft, in their order. Raises BundleBroken when one is gone, DiskRefuses, what `read` does."""
    with _disk_words():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for piece in pieces:
            content = await read(piece.number)
            if content is None or len(content) != piece.size:
                raise BundleBroken("pieces_missing")
            with _disk_words():
                _write(descriptor, content)
    finally:
        os.close(descriptor)


def finish(folder: Path, wanted: Wanted) -> Header:
    """Give a draft that is complete its name. Raises DiskRefuses, or BundleBroken and then the draft is gone."""
    draft = draft_path(folder, wanted.id)
    try:
        with _disk_words():
            _sync(draft)
        header = check_file(draft, wanted)
    except BundleBroken:
        draft.unlink()
        raise
    with _disk_words():
        draft.replace(bundle_path(folder, wanted.id))
        _sync(folder)
    return header


def check_file(path: Path, wanted: Wanted) -> Header:
    """Compare a whole file with what was sealed. Raises BundleBroken, or FileNotFoundError where there is none."""
    try:
        if path.stat().st_size != wanted.size:
            raise BundleBroken("cut_off")
        header = check_whole(path, wanted.signed_by)
        if (header.exam, header.generation) != (wanted.exam_code, wanted.generation):
            raise BundleBroken("not_this_release")
        if _digest(path) != wanted.sha256:
            raise BundleBroken("not_what_was_sealed")
    except FileNotFoundError:
        raise
    except OSError:
        raise BundleBroken("unreadable") from None
    return header


def forget_others(folder: Path, needed: Collection[int]) -> list[int]:
    """Remove files, keys and drafts of all bundles but these, keys first; returns whose they were."""
    ours = {path: found for path in folder.iterdir() if (found := _OURS.fullmatch(path.name))}
    spare = {path: found for path, found in ours.items() if _is_spare(path, found, needed)}
    for path in sorted(spare, key=lambda path: spare[path][2] != "key"):
        path.unlink(missing_ok=True)
    return sorted({int(found[1]) for found in spare.values()} - set(needed))


def _is_spare(path: Path, found: re.Match[str], needed: Collection[int]) -> bool:
    if int(found[1]) not in needed:
        return True
    if found[2] != "key" or not found[3]:
        return False
    try:
        return path.stat().st_mtime < time.time() - _LEFT_BEHIND_SECONDS
    except FileNotFoundError:
        return False


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _disk_words() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise DiskRefuses("disk_full" if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_refuses") from None
