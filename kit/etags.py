"""Answers that whoever has them already need not be sent again."""

import hashlib
from collections.abc import Iterable

_LENGTH = 12


def etag_of(body: bytes) -> str:
    """The weak tag of an answer, whatever it is compressed with on its way."""
    return f'W/"{hashlib.blake2b(body, digest_size=_LENGTH).hexdigest()}"'


def is_known(etag: str, if_none_match: Iterable[str]) -> bool:
    """Whether one of the tags in `If-None-Match` (each line a list of them, or `*`) is this one, compared weakly."""
    opaque = etag.removeprefix("W/")
    for line in if_none_match:
        # Our tags hold no comma: a part of somebody else's that does is no tag of ours.
        for tag in line.split(","):
            told = tag.strip(" \t")
            if told == "*" or told.removeprefix("W/") == opaque:
                return True
    return False
