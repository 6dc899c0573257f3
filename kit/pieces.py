"""Answers put together from pieces that are kept: compressed once, not for everybody who asks."""

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
# A last block with nothing in it.
_END = b"\x03\0"
_LONGEST_STORED = 0xFFFF


class Piece(NamedTuple):
    """A part of an answer, and the same as whole blocks of a deflate stream that refer to nothing before them."""

    plain: bytes
    deflated: bytes


def keep(text: str) -> Piece:
    """A piece that many answers share: compressed as small as can be."""
    plain = text.encode()
    squeezing = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    # A full flush ends at a whole byte and forgets what was before: any piece may follow.
    return Piece(plain, squeezing.compress(plain) + squeezing.flush(zlib.Z_FULL_FLUSH))


def insert(text: str) -> Piece:
    """A piece of this answer alone: a number, a name. Stored as it is, which costs five bytes and no time."""
    plain = text.encode()
    length = len(plain)
    if length > _LONGEST_STORED:
        return keep(text)
    return Piece(plain, b"\0%b%b%b" % (length.to_bytes(2, "little"), (length ^ 0xFFFF).to_bytes(2, "little"), plain))


def join(pieces: Sequence[Piece]) -> bytes:
    """The answer as it is."""
    return b"".join([piece.plain for piece in pieces])


def gzip(pieces: Sequence[Piece], plain: bytes) -> bytes:
    """The answer as gzip; `plain` is what `join` made of the same pieces."""
    ending = zlib.crc32(plain).to_bytes(4, "little") + (len(plain) & 0xFFFFFFFF).to_bytes(4, "little")
    return b"".join([_HEAD, *[piece.deflated for piece in pieces], _END, ending])


def cut(text: str, marks: Iterable[str]) -> list[str]:
    """What stands before, between and behind the marks, each of which stands in the text once and in this order."""
    parts = []
    for mark in marks:
        before, found, text = text.partition(mark)
        assert found
        assert mark not in text
        parts.append(before)
    return [*parts, text]
