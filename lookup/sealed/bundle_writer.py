"""Write a bundle: records are sealed one by one and put in the order of their buckets, which tells nothing of them."""

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lookup.sealed import sealing
from lookup.sealed.bundle_format import (
    BLOCK,
    FORMAT,
    OFFSET,
    PREFIX_LENGTH,
    RECORD_HEAD,
    Header,
    Section,
    body_offset_for,
    checksum,
    encode_header,
)

# Few enough that a bucket is read at once, many enough that the table of buckets costs a byte a record.
RECORDS_PER_BUCKET = 4


class Facts(msgspec.Struct, frozen=True):
    """What the header says of a bundle."""

    exam: str
    generation: int
    policy: str
    opens_at: datetime
    made_at: datetime
    results: int


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
    """Write a whole bundle to `path`, which appears when it is complete; returns its header."""
    bound_to = b"%b\0%d" % (facts.exam.encode(), facts.generation)
    records = sorted(_seal(entry, generation_key, bound_to) for entry in entries)
    bucket_count = max(1, len(records) // RECORDS_PER_BUCKET)
    sealed_parts = {
        name: sealing.seal(sealing.part_key(generation_key, name), part, bound_to) for name, part in parts.items()
    }
    offsets = list(_offsets(records, bucket_count))
    body, sections = _lay_out(offsets, records, sealed_parts)
    header = Header(
        format=FORMAT,
        **msgspec.structs.asdict(facts),
        records=len(records),
        bucket_count=bucket_count,
        buckets=sections["buckets"],
        bodies=sections["bodies"],
        parts={name: sections[f"part:{name}"] for name in parts},
        body_length=len(body),
        block=BLOCK,
        checksums=b"".join(checksum(body[start : start + BLOCK]) for start in range(0, len(body), BLOCK)),
        key_check=sealing.key_check(generation_key),
    )
    _write(path, header, body, signer)
    return header


def _seal(entry: Entry, generation_key: bytes, bound_to: bytes) -> tuple[int, bytes]:
    place = sealing.find_place(generation_key, entry.number, entry.factor)
    sealed = sealing.seal(place.key, entry.record, bound_to)
    return place.position, RECORD_HEAD.pack(place.fingerprint, len(sealed)) + sealed


def _offsets(records: list[tuple[int, bytes]], bucket_count: int) -> Iterator[int]:
    """Where each bucket begins, and where the last one ends."""
    offset, bucket = 0, 0
    for position, record in records:
        while bucket <= position * bucket_count >> 64:
            yield offset
            bucket += 1
        offset += len(record)
    yield from [offset] * (bucket_count + 1 - bucket)


def _lay_out(
    offsets: list[int], records: list[tuple[int, bytes]], parts: Mapping[str, bytes]
) -> tuple[bytes, dict[str, Section]]:
    body, sections = bytearray(), {}
    for name, pieces in [
        ("buckets", [OFFSET.pack(offset) for offset in offsets]),
        ("bodies", [record for _, record in records]),
        *((f"part:{name}", [part]) for name, part in parts.items()),
    ]:
        start = len(body)
        for piece in pieces:
            body += piece
        sections[name] = Section(start, len(body) - start)
    return bytes(body), sections


def _write(path: Path, header: Header, body: bytes, signer: Ed25519PrivateKey) -> None:
    signed = encode_header(header)
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        start = signed + signer.sign(signed)
        file.write(start.ljust(body_offset_for(len(signed) - PREFIX_LENGTH), b"\0"))
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
