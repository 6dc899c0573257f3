"""A bundle as a lookup uses it: read through the page cache that all workers of a node share, record by record."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from lookup.sealed import sealing
from lookup.sealed.bundle_format import (
    CHECKSUM_LENGTH,
    OFFSET,
    PREFIX_LENGTH,
    RECORD_HEAD,
    BundleBroken,
    Header,
    checksum,
    header_end,
    read_header,
)

_EDGES = struct.Struct("<II")


class Bundle:
    """One file, held open. Nothing in it can be found or read without the generation key.

    What is touched for the first time is compared with its checksum first: a damaged file raises BundleBroken, it never
    answers wrongly, nor says that somebody is not in it. It is read, not mapped: pages of a mapping count as memory of
    each process that touched them, and a disk that fails would end the process instead of the answer.
    """

    def __init__(self, path: Path, signed_by: bytes) -> None:
        """Raises BundleBroken, or OSError where there is no such file."""
        self.path = path
        self._file = path.open("rb", buffering=0)
        self._descriptor = self._file.fileno()
        try:
            self._written = self._when_written()
            self.header, self._body, self.digest = read_header(self._read_start(), signed_by)
            self._expect_size(self._body + self.header.body_length)
        except BundleBroken:
            self.close()
            raise
        header = self.header
        self._checked = bytearray(-(-header.body_length // header.block))
        # Asked at each lookup.
        self._bucket_count = header.bucket_count
        self._edges: bytes | None = None
        self._records, self._records_end = header.bodies.offset, header.bodies.offset + header.bodies.length
        self._block, self._bound_to = header.block, header.bound_to

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let the file go: whoever still asks finds it broken, never another file."""
        self._descriptor = -1
        self._file.close()

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
        # Before we say that somebody is not in it: somebody may have written into the file since it was compared.
        return self.find(generation_key, number, factor) if self._was_rewritten() else None

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
        if self._edges is None:
            # A byte for each result, kept: then a lookup is one read.
            self._edges = self._look(self.header.buckets.offset, self.header.buckets.length)
        start, end = _EDGES.unpack_from(self._edges, number * OFFSET.size)
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
        return self._read(self._body + start, length)

    def _check(self, number: int) -> None:
        header = self.header
        start, end = number * header.block, min((number + 1) * header.block, header.body_length)
        block = self._read(self._body + start, end - start)
        if checksum(block) != header.checksums[number * CHECKSUM_LENGTH : (number + 1) * CHECKSUM_LENGTH]:
            raise BundleBroken("checksum_wrong")
        self._checked[number] = 1

    def _read_start(self) -> bytes:
        size = self._written[1]
        if not size:
            raise BundleBroken("cut_off")
        return self._read(0, min(header_end(self._read(0, min(PREFIX_LENGTH, size))), size))

    def _expect_size(self, size: int) -> None:
        if self._written[1] != size:
            raise BundleBroken("cut_off")

    def _read(self, offset: int, length: int) -> bytes:
        try:
            content = os.pread(self._descriptor, length, offset)
        except OSError:
            raise BundleBroken("unreadable") from None
        if len(content) != length:
            raise BundleBroken("cut_off")
        return content

    def _when_written(self) -> tuple[int, int]:
        try:
            found = os.fstat(self._descriptor)
        except OSError:
            raise BundleBroken("unreadable") from None
        return found.st_mtime_ns, found.st_size

    def _was_rewritten(self) -> bool:
        """Whether the file was written to; then every block is compared anew."""
        written = self._when_written()
        if written == self._written:
            return False
        self._written, self._checked, self._edges = written, bytearray(len(self._checked)), None
        return True


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
