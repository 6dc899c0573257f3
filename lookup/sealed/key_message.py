"""How the key of a release travels at its moment: by PostgreSQL's NOTIFY, and sealed through Redis."""

import hashlib
import hmac
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

# PostgreSQL's, whose listeners could read the row as well.
CHANNEL = "baodanh_key"
REDIS_CHANNEL = "bd:release-key"
_NONCE_LENGTH = 12


class KeyMessage(msgspec.Struct, frozen=True, array_like=True):
    """The key of a bundle, 32 bytes."""

    bundle_id: int
    key: bytes


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(KeyMessage).decode


def write_message(message: KeyMessage) -> str:
    """For NOTIFY."""
    return _encode(message).decode()


def read_message(text: str | bytes) -> KeyMessage | None:
    """What NOTIFY brought; None for anything else."""
    try:
        return _decode(text)
    except msgspec.DecodeError:
        return None


def seal_message(message: KeyMessage, cache_key: bytes) -> bytes:
    """For Redis, which is told no key in the clear. `cache_key` is one that all nodes share."""
    nonce = secrets.token_bytes(_NONCE_LENGTH)
    return nonce + AESGCM(_sealing_key(cache_key)).encrypt(nonce, _encode(message), None)


def open_message(sealed: bytes, cache_key: bytes) -> KeyMessage | None:
    """What came through Redis; None for what was not sealed by one of our nodes."""
    try:
        return read_message(
            AESGCM(_sealing_key(cache_key)).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], None)
        )
    except (InvalidTag, ValueError):
        return None


def _sealing_key(cache_key: bytes) -> bytes:
    return hmac.digest(cache_key, b"release key", hashlib.sha256)
