"""Lookup codes (mã tra cứu): the ones we issue are derived and never stored, imported ones only as a keyed hash."""

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence

# Crockford's base 32: no I, L, O, U, so what is read off a bad print has one meaning. Ten signs carry 50 bits.
_SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def derive_pin(key: bytes, exam_code: str, number: str) -> str:
    """The code printed for this candidate: ten signs of Crockford's base 32, fifty bits of an HMAC."""
    digest = hmac.digest(key, _message(b"issued", exam_code, number), hashlib.sha256)
    bits = int.from_bytes(digest[:8], "big") >> (64 - 5 * _LENGTH)
    return "".join(_SIGNS[(bits >> (5 * place)) & 31] for place in reversed(range(_LENGTH)))


def normalise_pin(typed: str) -> str:
    """What was typed, without blanks and dashes, in capitals, look-alikes read as the sign that exists."""
    text = unicodedata.normalize("NFKC", typed).upper()
    return "".join(sign for sign in text if sign.isalnum()).translate(_LOOK_ALIKES)


def pin_hash_key(key: bytes) -> bytes:
    """What codes are hashed with. It derives none: whoever takes it from a lookup node can only try codes."""
    return hmac.digest(key, _message(b"hashes of codes"), hashlib.sha256)


def hash_pin(hash_key: bytes, exam_code: str, number: str, pin: str) -> bytes:
    """A code as it is recognised by: useless without the `pin_hash_key`, different for each candidate."""
    return hmac.digest(hash_key, _message(b"imported", exam_code, number, normalise_pin(pin)), hashlib.sha256)


def hash_imported_pin(key: bytes, exam_code: str, number: str, pin: str) -> bytes:
    """What we keep of a code that came with a file."""
    return hash_pin(pin_hash_key(key), exam_code, number, pin)


def pin_matches(keys: Sequence[bytes], exam_code: str, number: str, pin: str, imported: bytes | None) -> bool:
    """Compare in constant time, against every key in rotation, with the same work for issued and imported codes."""
    typed, matches = normalise_pin(pin).encode(), False
    for key in keys:
        issued = hmac.compare_digest(derive_pin(key, exam_code, number).encode(), typed)
        came_with_file = hmac.compare_digest(hash_imported_pin(key, exam_code, number, pin), imported or b"")
        matches |= issued if imported is None else came_with_file
    return matches


def _message(purpose: bytes, *parts: str) -> bytes:
    # Each part is preceded by its length, so that no two different lists make one message.
    return b"".join(len(part).to_bytes(4, "big") + part for part in (purpose, *(p.encode() for p in parts)))
