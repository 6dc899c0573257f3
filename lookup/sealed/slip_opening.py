"""Open a release on one node by its key on paper: at its moment, and with nothing but this node's own disk."""

import contextlib
import os
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import msgspec
import structlog

from kit import sql
from kit.sql import Database
from lookup.sealed import sealing
from lookup.sealed.bundle_format import FORMAT, MAGIC, PREFIX_LENGTH, Header
from lookup.sealed.release_folder import bundle_path, keep_key, kept_bundles, read_key
from lookup.sealed.slips import Slip
from units.record.entries import COMMAND, write

keys = sql.load(__file__, "keys")
log = structlog.get_logger()

_NOTE = ".slip-used"
_LONGEST_HEADER = 64 * 1024 * 1024


class SlipDoesNotFit(Exception):
    """Nothing here opens by it; the message is one sentence for the person who typed it."""


class SlipUse(msgspec.Struct, frozen=True):
    """A note on this node's disk that a slip was used, until it stands on the record."""

    bundle_id: int
    exam_code: str
    generation: int
    opened_at: datetime


def find_fitting_file(folder: Path, exam_code: str, slip: Slip) -> Header:
    """The header of the file that the slip opens. Raises SlipDoesNotFit.

    The signature is for the web processes to check: they alone open anything.
    """
    if slip.exam_code != exam_code:
        raise SlipDoesNotFit(f"This slip is for the exam '{slip.exam_code}', not for '{exam_code}'.")
    header = _read_header(bundle_path(folder, slip.bundle_id))
    if header is None:
        others = [found.generation for found in _headers(folder) if found.exam == exam_code]
        there = f"; generations here: {', '.join(map(str, sorted(others)))}" if others else ""
        raise SlipDoesNotFit(
            f"The sealed file of this slip (generation {slip.generation} of '{exam_code}', bundle {slip.bundle_id}) "
            f"does not lie in {folder}{there}."
        )
    if (header.exam, header.generation) != (slip.exam_code, slip.generation):
        raise SlipDoesNotFit(
            f"The slip says generation {slip.generation} of '{slip.exam_code}', and its file on this node is "
            f"generation {header.generation} of '{header.exam}'."
        )
    if sealing.key_check(slip.key) != header.key_check:
        raise SlipDoesNotFit("The key of this slip does not open its file on this node: read the slip again.")
    return header


def keep_slip_key(folder: Path, slip: Slip, now: datetime) -> bool:
    """Give the key to this node's web processes, and note that it was done; False when they had it already.

    The caller has seen that the moment has come.
    """
    if read_key(folder, slip.bundle_id) == slip.key:
        return False
    keep_key(folder, slip.bundle_id, slip.key)
    note = folder / f"{slip.bundle_id}{_NOTE}"
    note.write_bytes(msgspec.json.encode(SlipUse(slip.bundle_id, slip.exam_code, slip.generation, now)))
    for path in (folder / f"{slip.bundle_id}.key", note):
        _give_to_owner_of(folder, path)
    return True


async def put_on_record(database: asyncpg.Pool, folder: Path, node: str) -> None:
    """What was opened by slip on this node, once PostgreSQL is there to be told."""
    for path, use in _notes(folder):
        async with database.acquire() as connection, connection.transaction():
            found = await keys.find_release_of_bundle(connection, bundle_id=use.bundle_id)
            facts = {"generation": use.generation, "bundle": use.bundle_id, "node": node, "opened_at": use.opened_at}
            unit = found["unit_code"] if found else None
            about = ("exam", use.exam_code)
            await write(connection, COMMAND, "release.opened_by_slip", about, unit=unit, **facts)  # type: ignore[arg-type]  # a proxy
        path.unlink(missing_ok=True)
        log.warning("release_opened_by_slip", exam=use.exam_code, generation=use.generation, bundle=use.bundle_id)


async def stands(database: Database, slip: Slip) -> bool:
    """Whether the release was neither taken down nor replaced."""
    found = await keys.find_release_of_bundle(database, bundle_id=slip.bundle_id)
    return bool(found and found["stands"])


def _notes(folder: Path) -> Iterator[tuple[Path, SlipUse]]:
    for path in sorted(folder.glob(f"*{_NOTE}")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            yield path, msgspec.json.decode(path.read_bytes(), type=SlipUse)


def _headers(folder: Path) -> Iterator[Header]:
    for bundle_id in kept_bundles(folder):
        header = _read_header(bundle_path(folder, bundle_id))
        if header:
            yield header


def _read_header(path: Path) -> Header | None:
    try:
        with path.open("rb") as file:
            prefix = file.read(PREFIX_LENGTH)
            if prefix[: len(MAGIC)] != MAGIC or len(prefix) != PREFIX_LENGTH:
                return None
            (length,) = struct.unpack_from("<I", prefix, len(MAGIC))
            header = msgspec.msgpack.decode(file.read(min(length, _LONGEST_HEADER)), type=Header)
    except (OSError, msgspec.DecodeError):
        return None
    return header if header.format == FORMAT else None


def _give_to_owner_of(folder: Path, path: Path) -> None:
    """An operator who came as root leaves nothing behind that the service cannot read."""
    owner = folder.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid)
