"""Sealed records on their way into a bundle: loose, in temporary files, each of which holds a share of all places.

So nobody ever holds a country of them: many processes fill the shares, one binds them share by share.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from lookup.sealed import sealing
from lookup.sealed.bundle_format import RECORD_HEAD

LOOSE = ".loose"
# By the leading bits of their position.
_SHARE_BITS = 6
SHARES = 1 << _SHARE_BITS
POSITION_LENGTH = 8
_SHIFT = 64 - _SHARE_BITS
# Written at once: all shares of a process together take two megabytes.
_BUFFER = 32 * 1024
_HEAD_LENGTH = POSITION_LENGTH + RECORD_HEAD.size


class LooseRecords:
    """Where one process puts the records that it seals; `name` tells its files from those of others."""

    def __init__(self, folder: Path, name: str) -> None:
        self._files = [(folder / f"{name}.{share}{LOOSE}").open("xb", buffering=0) for share in range(SHARES)]
        self._buffers = [bytearray() for _ in range(SHARES)]
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for share in range(SHARES):
            self._empty(share)
            self._files[share].close()

    def seal(self, generation_key: bytes, number: str, factor: str, record: bytes, bound_to: bytes) -> None:
        """Seal a packed record for whoever knows number and factor."""
        key, fingerprint, position = sealing.find_place(generation_key, number, factor)
        sealed = sealing.seal(key, record, bound_to)
        share = position >> _SHIFT
        buffer = self._buffers[share]
        buffer += position.to_bytes(POSITION_LENGTH, "big") + RECORD_HEAD.pack(fingerprint, len(sealed)) + sealed
        if len(buffer) > _BUFFER:
            self._empty(share)
        self.count += 1

    def _empty(self, share: int) -> None:
        # Unbuffered files may take less than they are given.
        rest = memoryview(bytes(self._buffers[share]))
        while rest:
            rest = rest[self._files[share].write(rest) :]
        self._buffers[share].clear()


def read_shares(folder: Path) -> Iterator[list[bytes]]:
    """All records of the folder, share by share in the order of their positions: position (8), head, sealed bytes."""
    for share in range(SHARES):
        records: list[bytes] = []
        for path in folder.glob(f"*.{share}{LOOSE}"):
            records += _records(path.read_bytes())
        records.sort()
        yield records


def _records(content: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(content):
        length = int.from_bytes(content[start + _HEAD_LENGTH - 2 : start + _HEAD_LENGTH], "little")
        end = start + _HEAD_LENGTH + length
        yield content[start:end]
        start = end
