"""A bundle as a lookup uses it: mapped into memory, shared by all workers of a node, opened record by record."""

import mmap
import os
from pathlib import Path
from typing import Self

from lookup.sealed import sealing
from lookup.sealed.bundle_format import (
    CHECKSUM_LENGTH,
    OFFSET,
    RECORD_HEAD,
    BundleBroken,
    Header,
    Section,
    checksum,
    read_header,
)


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
        self._checked = bytearray(-(-self.header.body_length // self.header.block))

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
        place = sealing.find_place(generation_key, number, factor)
        bucket = self._bucket(place.position * self.header.bucket_count >> 64)
        start = bucket.find(place.fingerprint)
        while start >= 0:
            # Eight bytes may stand in a sealed record by chance: then its key does not fit, and we look on.
            _, length = RECORD_HEAD.unpack_from(bucket, start) if start + RECORD_HEAD.size <= len(bucket) else (b"", 0)
            body = start + RECORD_HEAD.size
            record = sealing.unseal(place.key, bucket[body : body + length], self.header.bound_to) if length else None
            if record is not None:
                return record
            start = bucket.find(place.fingerprint, start + 1)
        return None

    def part(self, generation_key: bytes, name: str) -> bytes:
        """A named part. Raises BundleBroken, KeyError for a part that the bundle does not have."""
        section = self.header.parts[name]
        sealed = self._read(section)
        plain = sealing.unseal(sealing.part_key(generation_key, name), sealed, self.header.bound_to)
        if plain is None:
            raise BundleBroken("part_does_not_open")
        return plain

    def fits(self, generation_key: bytes) -> bool:
        """Whether this is the key of this bundle."""
        return sealing.key_check(generation_key) == self.header.key_check

    def _bucket(self, number: int) -> bytes:
        header = self.header
        offsets = self._read(Section(header.buckets.offset + number * OFFSET.size, 2 * OFFSET.size))
        (start,), (end,) = OFFSET.unpack_from(offsets, 0), OFFSET.unpack_from(offsets, OFFSET.size)
        if not start <= end <= header.bodies.length:
            raise BundleBroken("buckets_are_wrong")
        return self._read(Section(header.bodies.offset + start, end - start))

    def _read(self, section: Section) -> bytes:
        end = section.offset + section.length
        for number in range(section.offset // self.header.block, -(-end // self.header.block)):
            if not self._checked[number]:
                self._check(number)
        return self._map[self._body + section.offset : self._body + end]

    def _check(self, number: int) -> None:
        header = self.header
        start, end = number * header.block, min((number + 1) * header.block, header.body_length)
        block = self._map[self._body + start : self._body + end]
        if checksum(block) != header.checksums[number * CHECKSUM_LENGTH : (number + 1) * CHECKSUM_LENGTH]:
            raise BundleBroken("checksum_wrong")
        self._checked[number] = 1


def check_whole(path: Path, signed_by: bytes) -> Header:
    """Compare every block of a file with its checksum; returns the header. Raises BundleBroken, OSError."""
    with Bundle(path, signed_by) as bundle:
        for number in range(len(bundle._checked)):  # noqa: SLF001 - the same subject
            bundle._check(number)  # noqa: SLF001
        return bundle.header
