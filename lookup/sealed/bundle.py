"""A bundle as a lookup uses it: mapped into memory, shared by all workers of a node, opened record by record."""

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from lookup.sealed import sealing
from lookup.sealed.bundle_format import (
    CHECKSUM_LENGTH,
    OFFSET,
    RECORD_HEAD,
    BundleBroken,
    Header,
    checksum,
    read_header,
)

_EDGES = struct.Struct("<II")


class Bundle:
    """One file, mapped. Nothing in it can be found or read without the generation key.

    What is touched for the first time is compared with its checksum first: a damaged file raises BundleBroken, it never
    answers wrongly, nor says that somebody is not in it.
    """

    def __init__(self, path: Path, signed_by: bytes) -> None:
        """Raises BundleBroken, or OSError where there is no such file."""
        self.path = path
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if not size:
                raise BundleBroken("cut_off")
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            self.header, self._body, self.digest = read_header(memoryview(self._map), signed_by)
        except BundleBroken:
            self.close()
            raise
        if size != self._body + self.header.body_length:
            self.close()
            raise BundleBroken("cut_off")
        header = self.header
        self._checked = bytearray(-(-header.body_length // header.block))
        # Asked at each lookup.
        self._table, self._bucket_count = header.buckets.offset, header.bucket_count
        self._records, self._records_end = header.bodies.offset, header.bodies.offset + header.bodies.length
        self._block, self._bound_to = header.block, header.bound_to

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Unmap it, as soon as nobody reads in it any more."""
        try:
            self._map.close()
        except BufferError:
            # A header under examination still looks into it; it goes with the last look.
            return

    def find(self, generation_key: bytes, number: str, factor: str) -> bytes | None:
        """The packed record of whoever this is; None if there is none. Raises BundleBroken."""
        key, fingerprint, position = sealing.find_place(generation_key, number, factor)
        bucket = self._bucket(position * self._bucket_count >> 64)
        start = bucket.find(fingerprint)
        while start >= 0:
            record = self._open(bucket, start, key)
            if record is not None:
                return record
            if start in _beginnings(bucket):
                raise BundleBroken("record_does_not_open")
            # Eight bytes may stand within a sealed record by chance: then we look on.
            start = bucket.find(fingerprint, start + 1)
        return None

    def _open(self, bucket: bytes, start: int, key: bytes) -> bytes | None:
        body = start + RECORD_HEAD.size
        if body > len(bucket):
            return None
        _, length = RECORD_HEAD.unpack_from(bucket, start)
        return sealing.unseal(key, bucket[body : body + length], self._bound_to)

    def part(self, generation_key: bytes, name: str) -> bytes:
        """A named part. Raises BundleBroken, KeyError for a part that the bundle does not have."""
        section = self.header.parts[name]
        sealed = self._look(section.offset, section.length)
        plain = sealing.unseal(sealing.part_key(generation_key, name), sealed, self.header.bound_to)
        if plain is None:
            raise BundleBroken("part_does_not_open")
        return plain

    def fits(self, generation_key: bytes) -> bool:
        """Whether this is the key of this bundle."""
        return sealing.key_check(generation_key) == self.header.key_check

    def _bucket(self, number: int) -> bytes:
        """All sealed records of one bucket."""
        edges = self._look(self._table + number * OFFSET.size, 2 * OFFSET.size)
        start, end = _EDGES.unpack(edges)
        start, end = self._records + start, self._records + end
        if not start <= end <= self._records_end:
            raise BundleBroken("buckets_are_wrong")
        return self._look(start, end - start)

    def _look(self, start: int, length: int) -> bytes:
        """Bytes of the body, once their blocks have been compared with their checksums."""
        end, checked = start + length, self._checked
        for number in range(start // self._block, -(-end // self._block)):
            if not checked[number]:
                self._check(number)
        return self._map[self._body + start : self._body + end]

    def _check(self, number: int) -> None:
        header = self.header
        start, end = number * header.block, min((number + 1) * header.block, header.body_length)
        block = self._map[self._body + start : self._body + end]
        if checksum(block) != header.checksums[number * CHECKSUM_LENGTH : (number + 1) * CHECKSUM_LENGTH]:
            raise BundleBroken("checksum_wrong")
        self._checked[number] = 1


def _beginnings(bucket: bytes) -> Iterator[int]:
    """Where the records of a bucket begin."""
    start = 0
    while start + RECORD_HEAD.size <= len(bucket):
        yield start
        start += RECORD_HEAD.size + RECORD_HEAD.unpack_from(bucket, start)[1]


def check_whole(path: Path, signed_by: bytes) -> Header:
    """Compare every block of a file with its checksum; returns the header. Raises BundleBroken, OSError."""
    with Bundle(path, signed_by) as bundle:
        for number in range(len(bundle._checked)):  # noqa: SLF001 - the same subject
            bundle._check(number)  # noqa: SLF001
        return bundle.header
