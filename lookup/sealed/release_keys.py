"""The keys of releases: made by the worker, kept in PostgreSQL wrapped by a key that only the worker ever loads."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from kit.keys import KeyRing
from lookup.sealed.sealing import KEY_LENGTH

# Its name in the folder of keys.
RELEASE = "release"
_NONCE_LENGTH = 12


class KeyNotOurs(Exception):
    """No key of this node's ring opens it: it was wrapped elsewhere, for another bundle, or is damaged."""


class ReleaseKeys:
    """What the ring's keys named `release` do. The newest wraps and signs; all of them unwrap."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def make(self) -> None:
        """See to it that there is a key, at the start: then its file can be copied or backed up with the others."""
        self._keys.current(RELEASE)

    def new_generation_key(self) -> bytes:
        """32 random bytes, for one bundle."""
        return secrets.token_bytes(KEY_LENGTH)

    def wrap(self, generation_key: bytes, exam: str, generation: int, bundle_id: int) -> bytes:
        """The key as PostgreSQL keeps it: it opens for this bundle of this generation and for nothing else."""
        nonce = secrets.token_bytes(_NONCE_LENGTH)
        newest = self._keys.current(RELEASE).value
        return nonce + AESGCM(_wrapping_key(newest)).encrypt(
            nonce, generation_key, _bound_to(exam, generation, bundle_id)
        )

    def unwrap(self, wrapped: bytes, exam: str, generation: int, bundle_id: int) -> bytes:
        """The generation key. Raises KeyNotOurs."""
        nonce, sealed = wrapped[:_NONCE_LENGTH], wrapped[_NONCE_LENGTH:]
        for key in self._keys.all(RELEASE):
            try:
                return AESGCM(_wrapping_key(key.value)).decrypt(nonce, sealed, _bound_to(exam, generation, bundle_id))
            except (InvalidTag, ValueError):
                continue
        raise KeyNotOurs

    def signer(self) -> Ed25519PrivateKey:
        """What signs the headers of bundles; its raw public key stands beside each bundle in PostgreSQL."""
        return Ed25519PrivateKey.from_private_bytes(_derive(self._keys.current(RELEASE).value, b"bundle signer"))


def _wrapping_key(key: bytes) -> bytes:
    return _derive(key, b"generation keys")


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_LENGTH, salt=None, info=b"baodanh release " + purpose).derive(key)


def _bound_to(exam: str, generation: int, bundle_id: int) -> bytes:
    # No code of an exam holds a zero byte.
    return b"%b\0%d\0%d" % (exam.encode(), generation, bundle_id)


def public_key(signer: Ed25519PrivateKey) -> bytes:
    """Raw, 32 bytes: what a bundle is checked with."""
    return signer.public_key().public_bytes_raw()
