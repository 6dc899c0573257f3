"""What a node knew of all exams last, in a file: a web process that starts while PostgreSQL is away knows it too.

magic (8) | shape of the content (16) | which database (16) | when PostgreSQL told it (i64, us) | SHA-256 (32) | msgpack
"""

import contextlib
import fcntl
import hashlib
import os
import secrets
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import structlog

from lookup.exams import Exam, Release
from units.units import Unit

log = structlog.get_logger()

_NAME = "catalogue"
_MAGIC = b"BAODCAT\x01"
_HEAD = struct.Struct("<8s16s16sq32s")
# Processes read within seconds of one another; what claims to be newer than that has another clock's time.
_FAR_AHEAD = 60_000_000


class Snapshot(msgspec.Struct, frozen=True):
    """Exams as PostgreSQL told them at `told_at`, by its own clock; no distribution of what had not opened."""

    told_at: datetime
    exams: list[Exam]
    units: list[Unit]


class _Head(msgspec.Struct, frozen=True):
    shape: bytes
    database: bytes
    told_at: int
    digest: bytes


class SnapshotFile:
    """One for each node, in the folder of its releases; every web process of the node writes the same there."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self._folder, self._path = folder, folder / _NAME
        self._database = _database(database_url)

    def read(self) -> Snapshot | None:
        """What was known last; None where there is nothing, or nothing that can be used."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            return self._refuse(type(problem).__name__)
        head, body = _read_head(content), content[_HEAD.size :]
        if head is None or head.digest != hashlib.sha256(body).digest():
            return self._refuse("damaged")
        if (head.shape, head.database) != (_SHAPE, self._database):
            return self._refuse("foreign")
        try:
            return _decode(body)
        except msgspec.DecodeError:
            return self._refuse("damaged")

    def write(self, snapshot: Snapshot) -> None:
        """Keep it, unless another process has kept a newer one. Raises OSError."""
        body = _encode(_without_what_is_sealed(snapshot))
        told_at = int(snapshot.told_at.timestamp() * 1_000_000)
        head = _HEAD.pack(_MAGIC, _SHAPE, self._database, told_at, hashlib.sha256(body).digest())
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            if not self._has_newer(told_at):
                self._replace(head + body)

    def _has_newer(self, told_at: int) -> bool:
        """Whether what lies there is newer than this."""
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            there = _read_head(file.read(_HEAD.size))
            if there and (there.shape, there.database) == (_SHAPE, self._database):
                return told_at < there.told_at < told_at + _FAR_AHEAD
        return False

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_name(f".{_NAME}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        finally:
            draft.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One after the other: an older one must not come last."""
        with (self._folder / f".{_NAME}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _refuse(self, problem: str) -> None:
        log.warning("catalogue_snapshot_ignored", problem=problem)


def _read_head(content: bytes) -> _Head | None:
    if len(content) < _HEAD.size:
        return None
    magic, *facts = _HEAD.unpack_from(content)
    return _Head(*facts) if magic == _MAGIC else None


def _without_what_is_sealed(snapshot: Snapshot) -> Snapshot:
    def of_release(release: Release) -> Release:
        is_told = release.opens_at <= snapshot.told_at
        return release if is_told else msgspec.structs.replace(release, distributions={})

    exams = [
        msgspec.structs.replace(exam, releases=tuple(of_release(release) for release in exam.releases))
        for exam in snapshot.exams
    ]
    return msgspec.structs.replace(snapshot, exams=exams)


def _database(url: str) -> bytes:
    """Recognises the database, without user and password; a folder of sockets may move."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or parse_qs(parts.query).get("host", [""])[0]
    name = (parts.path, "" if hosts.startswith("/") else hosts)
    return hashlib.sha256(repr(name).encode()).digest()[:16]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Snapshot).decode
# Another version of the program may know other fields: what it wrote is not read.
_SHAPE = hashlib.sha256(msgspec.json.encode(msgspec.json.schema(Snapshot))).digest()[:16]
