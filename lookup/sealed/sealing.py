"""Each record is sealed by itself: what somebody asks says where it lies and opens it, and nothing else does."""

import functools
import hashlib
import hmac
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_LENGTH = 32
_SHA512_BLOCK = 128
# Every record and every part has a key of its own, used once.
_NONCE = bytes(12)


class Place(NamedTuple):
    """Where a record lies and what opens it; all three from one HMAC, so none tells anything about another.

    `position` is a share of the whole, in 2^-64: records lie in its order, in bucket `position * buckets >> 64`.
    """

    key: bytes
    fingerprint: bytes
    position: int


def find_place(generation_key: bytes, number: str, factor: str) -> Place:
    """The place of the record of a candidate number and its second fact ("" under the policy `public`).

    Neither can be told from the file without the generation key: HMAC-SHA-512, of which the first half is the key.
    """
    inner, outer = _begun(generation_key)
    inside, outside = inner.copy(), outer.copy()
    inside.update(b"record\0%b\0%b" % (number.encode(), factor.encode()))
    outside.update(inside.digest())
    digest = outside.digest()
    return Place(digest[:32], digest[32:40], int.from_bytes(digest[40:48]))


@functools.lru_cache(maxsize=64)
def _begun(generation_key: bytes) -> tuple["hashlib._Hash", "hashlib._Hash"]:
    """The two halves of HMAC-SHA-512 up to the message: a million records are found by one key."""
    block = generation_key.ljust(_SHA512_BLOCK, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C))
    return hashlib.sha512(inner), hashlib.sha512(outer)


def seal(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    """AES-256-GCM with a key that seals nothing else; 16 bytes longer than what it holds."""
    return AESGCM(key).encrypt(_NONCE, plain, bound_to)


def unseal(key: bytes, sealed: bytes, bound_to: bytes) -> bytes | None:
    """What was sealed; None when the key, the binding or a single bit is another."""
    try:
        return AESGCM(key).decrypt(_NONCE, sealed, bound_to)
    except InvalidTag:
        return None


def part_key(generation_key: bytes, name: str) -> bytes:
    """The key of a named part of the bundle."""
    return hmac.digest(generation_key, b"part\0" + name.encode(), hashlib.sha256)


def key_check(generation_key: bytes) -> bytes:
    """16 bytes by which a key is recognised as the right one; they tell nothing about it."""
    return hmac.digest(generation_key, b"check", hashlib.sha256)[:16]
