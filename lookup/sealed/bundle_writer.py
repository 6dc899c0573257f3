"""Write a bundle: sealed records are bound in the order of their places, which tells nothing of whose they are."""

import hashlib
import os
import sys
import tempfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lookup.sealed import sealing
from lookup.sealed.bundle_format import (
    BLOCK,
    CHECKSUM_LENGTH,
    FORMAT,
    OFFSET,
    PREFIX_LENGTH,
    Header,
    Section,
    body_offset_for,
    checksum,
    encode_header,
)
from lookup.sealed.loose_records import LOOSE, POSITION_LENGTH, LooseRecords, read_shares

# Few enough that a bucket is read at once, many enough that the table of buckets costs a byte a record.
RECORDS_PER_BUCKET = 4
_WRITTEN_AT_ONCE = 1 << 20


class Facts(msgspec.Struct, frozen=True):
    """What the header says of a bundle."""

    exam: str
    generation: int
    policy: str
    opens_at: datetime
    made_at: datetime
    results: int

    @property
    def bound_to(self) -> bytes:
        """As `Header.bound_to`."""
        return b"%b\0%d" % (self.exam.encode(), self.generation)


class Entry(NamedTuple):
    """One record before it is sealed: what it is found by, and its packed bytes."""

    number: str
    factor: str
    record: bytes


def write_bundle(
    path: Path,
    facts: Facts,
    entries: Iterable[Entry],
    parts: Mapping[str, bytes],
    *,
    generation_key: bytes,
    signer: Ed25519PrivateKey,
) -> Header:
    """Seal a few records and write their whole bundle to `path`, which appears when it is complete."""
    with tempfile.TemporaryDirectory() as folder:
        with LooseRecords(Path(folder), "entries") as loose:
            for entry in entries:
                loose.seal(generation_key, entry.number, entry.factor, entry.record, facts.bound_to)
        return bind(path, facts, Path(folder), loose.count, parts, generation_key=generation_key, signer=signer)


def bind(
    path: Path,
    facts: Facts,
    folder: Path,
    records: int,
    parts: Mapping[str, bytes],
    *,
    generation_key: bytes,
    signer: Ed25519PrivateKey,
) -> Header:
    """Bind the loose records of `folder`, `records` of them, into `path`, which appears when it is complete.

    Raises ValueError where the folder holds more or fewer, OverflowError for more than 4 GB of them.
    """
    sealed_parts = {
        name: sealing.seal(sealing.part_key(generation_key, name), part, facts.bound_to) for name, part in parts.items()
    }
    plan = _plan(facts, folder, records, sealed_parts, sealing.key_check(generation_key))
    draft = path.with_name(f".{path.name}.new")
    with draft.open("w+b") as file:
        # The header comes last, for it holds the checksums; how long it will be is known.
        file.seek(body_offset_for(len(encode_header(plan)) - PREFIX_LENGTH))
        body = _Body(file)
        for pieces in (*_bind_records(folder, plan), *sealed_parts.values()):
            body.add(pieces)
        header = msgspec.structs.replace(plan, checksums=body.finish())
        if body.length != plan.body_length:
            raise ValueError("records")
        _write_head(file, header, signer)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return header


def digest_of(path: Path) -> bytes:
    """SHA-256 of a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _plan(facts: Facts, folder: Path, records: int, parts: Mapping[str, bytes], key_check: bytes) -> Header:
    """The header but for the checksums, which are as many as there will be."""
    loose = sum(path.stat().st_size for path in folder.glob(f"*{LOOSE}"))
    bucket_count = max(1, records // RECORDS_PER_BUCKET)
    bodies = Section(0, loose - records * POSITION_LENGTH)
    buckets = Section(bodies.length, (bucket_count + 1) * OFFSET.size)
    end, sections = bodies.length + buckets.length, dict[str, Section]()
    for name, part in parts.items():
        sections[name] = Section(end, len(part))
        end += len(part)
    return Header(
        format=FORMAT,
        **msgspec.structs.asdict(facts),
        records=records,
        bucket_count=bucket_count,
        buckets=buckets,
        bodies=bodies,
        parts=sections,
        body_length=end,
        block=BLOCK,
        checksums=bytes(-(-end // BLOCK) * CHECKSUM_LENGTH),
        key_check=key_check,
    )


class _Body:
    """The body of a file as it grows, with a checksum for each block; `length` is what came so far."""

    def __init__(self, file: BinaryIO) -> None:
        self.length = 0
        self._file, self._rest, self._checksums = file, bytearray(), bytearray()

    def add(self, piece: bytes) -> None:
        self.length += len(piece)
        self._rest += piece
        if len(self._rest) >= _WRITTEN_AT_ONCE:
            self._empty(len(self._rest) // BLOCK * BLOCK)

    def finish(self) -> bytes:
        """The checksums of all blocks, the last one of which may be shorter."""
        self._empty(len(self._rest))
        return bytes(self._checksums)

    def _empty(self, length: int) -> None:
        ready = bytes(self._rest[:length])
        del self._rest[:length]
        for start in range(0, length, BLOCK):
            self._checksums += checksum(ready[start : start + BLOCK])
        self._file.write(ready)


def _bind_records(folder: Path, plan: Header) -> Iterator[bytes]:
    """All records in the order of their positions, then where each bucket begins."""
    # u32: four bytes a bucket, where objects would take forty.
    offsets = array("I")
    offset = records = 0
    for share in read_shares(folder):
        for record in share:
            bucket = int.from_bytes(record[:POSITION_LENGTH], "big") * plan.bucket_count >> 64
            while len(offsets) <= bucket:
                offsets.append(offset)
            offset += len(record) - POSITION_LENGTH
        records += len(share)
        yield b"".join([record[POSITION_LENGTH:] for record in share])
    if records != plan.records:
        raise ValueError("records")
    # Buckets behind the last record are empty; and the last of all ends somewhere.
    offsets.extend([offset] * (plan.bucket_count + 1 - len(offsets)))
    if sys.byteorder == "big":
        offsets.byteswap()
    yield offsets.tobytes()


def _write_head(file: BinaryIO, header: Header, signer: Ed25519PrivateKey) -> None:
    signed = encode_header(header)
    file.seek(0)
    file.write((signed + signer.sign(signed)).ljust(body_offset_for(len(signed) - PREFIX_LENGTH), b"\0"))
