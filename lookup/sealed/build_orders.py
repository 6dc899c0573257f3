"""What the worker tells the processes that build bundles, and what they answer: a line of JSON each."""

import msgspec

from lookup.sealed.bundle_writer import Facts
from lookup.sealed.packing import Packing


class SealRows(msgspec.Struct, frozen=True, tag="seal", kw_only=True):
    """Seal the results of candidates from number `first` on and before number `beyond` (None: all), into `folder`.

    `name` tells this process's files from another's. `pin_keys`: those that derive lookup codes, newest first, where
    the policy wants them.
    """

    database_url: str
    exam: str
    policy: str
    with_names: bool
    first: str | None
    beyond: str | None
    packing: Packing
    bound_to: bytes
    generation_key: bytes
    pin_keys: list[bytes]
    folder: str
    name: str

    def __repr__(self) -> str:
        """Without keys."""
        return f"SealRows({self.exam}, {self.name})"


class Bind(msgspec.Struct, frozen=True, tag="bind", kw_only=True):
    """Bind what was sealed into the file `path`. `signing_key`: Ed25519, raw."""

    path: str
    folder: str
    facts: Facts
    records: int
    parts: dict[str, bytes]
    generation_key: bytes
    signing_key: bytes

    def __repr__(self) -> str:
        """Without keys."""
        return f"Bind({self.facts.exam})"


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """So many candidates are done."""

    results: int


class Sealed(msgspec.Struct, frozen=True, tag="sealed"):
    """All candidates are done; `records` differ from `results` where somebody has several lookup codes, or none."""

    results: int
    records: int


class Bound(msgspec.Struct, frozen=True, tag="bound"):
    """The file is there, on the disk, checked. `sha256` is that of the whole file, `size` its bytes."""

    size: int
    sha256: bytes


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """It cannot be done: what went wrong and where, without anything that stands in the data."""

    problem: str


Order = SealRows | Bind
Answer = Progress | Sealed | Bound | Trouble

encode = msgspec.json.Encoder().encode
decode_order = msgspec.json.Decoder(Order).decode
decode_answer = msgspec.json.Decoder(Answer).decode
