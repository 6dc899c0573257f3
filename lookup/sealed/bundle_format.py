"""How a bundle lies on disk: a signed header, then records, buckets and named parts, with a checksum for each block.

    magic (8) | length of the header (u32) | header (msgpack) | signature (64) | zeros up to a whole page
    records:  bucket after bucket; each record: fingerprint (8), length of the rest (u16), sealed bytes
    buckets:  u32 offsets into the records, one more than there are buckets
    parts:    sealed bytes

All numbers are little-endian. The header's digest (SHA-256 of everything before the signature) names the file's
content for good: the checksums of all blocks are in it.
"""

import hashlib
import struct
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAGIC = b"BAODANH\x01"
FORMAT = 1
PAGE = 4096
BLOCK = 64 * 1024
CHECKSUM_LENGTH = 16
SIGNATURE_LENGTH = 64
RECORD_HEAD = struct.Struct("<8sH")
OFFSET = struct.Struct("<I")
_LENGTH = struct.Struct("<I")
PREFIX_LENGTH = len(MAGIC) + _LENGTH.size
_LONGEST_HEADER = 64 * 1024 * 1024


class BundleBroken(Exception):
    """The file is not what was sealed: `reason` says in which way, without anybody's data."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Section(msgspec.Struct, frozen=True, array_like=True):
    """Where something lies in the body of the file, in bytes."""

    offset: int
    length: int


class Header(msgspec.Struct, frozen=True):
    """What a bundle tells without any key: nothing about a candidate or a score.

    `records` counts sealed records, `results` candidates; they differ where a lookup code has more than one key.
    """

    format: int
    exam: str
    generation: int
    policy: str
    opens_at: datetime
    made_at: datetime
    results: int
    records: int
    bucket_count: int
    buckets: Section
    bodies: Section
    parts: dict[str, Section]
    # Everything from the first page after the signature on, in blocks of `block` bytes, the last one shorter.
    body_length: int
    block: int
    checksums: bytes
    key_check: bytes

    @property
    def bound_to(self) -> bytes:
        """What each record and part is bound to: none opens in another exam's file or another generation's."""
        return b"%b\0%d" % (self.exam.encode(), self.generation)


def checksum(block: bytes | memoryview) -> bytes:
    """Of one block."""
    return hashlib.sha256(block).digest()[:CHECKSUM_LENGTH]


def body_offset_for(header_length: int) -> int:
    """Where the body begins: at the first page after the signature."""
    head = PREFIX_LENGTH + header_length + SIGNATURE_LENGTH
    return -(-head // PAGE) * PAGE


def encode_header(header: Header) -> bytes:
    """Everything before the signature; its SHA-256 is the bundle's digest."""
    encoded = msgspec.msgpack.encode(header)
    return MAGIC + _LENGTH.pack(len(encoded)) + encoded


def header_end(start: bytes) -> int:
    """How much of a file `read_header` wants to see, by its first `PREFIX_LENGTH` bytes."""
    if len(start) < PREFIX_LENGTH:
        return len(start)
    (length,) = _LENGTH.unpack_from(start, len(MAGIC))
    return PREFIX_LENGTH + min(length, _LONGEST_HEADER) + SIGNATURE_LENGTH


def read_header(start: bytes | memoryview, signed_by: bytes) -> tuple[Header, int, bytes]:
    """The header, where the body begins, and the digest. Raises BundleBroken if it is none, cut off, or forged."""
    if bytes(start[: len(MAGIC)]) != MAGIC:
        raise BundleBroken("not_a_bundle")
    if len(start) < PREFIX_LENGTH:
        raise BundleBroken("cut_off")
    (length,) = _LENGTH.unpack_from(start, len(MAGIC))
    if length > _LONGEST_HEADER or len(start) < PREFIX_LENGTH + length + SIGNATURE_LENGTH:
        raise BundleBroken("cut_off")
    signed = bytes(start[: PREFIX_LENGTH + length])
    try:
        Ed25519PublicKey.from_public_bytes(signed_by).verify(
            bytes(start[PREFIX_LENGTH + length : PREFIX_LENGTH + length + SIGNATURE_LENGTH]), signed
        )
        header = msgspec.msgpack.decode(signed[PREFIX_LENGTH:], type=Header)
    except (InvalidSignature, ValueError):
        raise BundleBroken("signature_wrong") from None
    if header.format != FORMAT:
        raise BundleBroken("format_unknown")
    return header, body_offset_for(length), hashlib.sha256(signed).digest()
