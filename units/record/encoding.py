"""What is hashed when the record is chained, byte for byte: the same as `sql/sealing.sql` does in PostgreSQL.

Nothing here depends on a session: numbers as digits, moments as PostgreSQL keeps them (microseconds since 2000, UTC),
texts with their length before them, details as the text of their jsonb. docs/record.md tells it in words.
"""

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

# What the first batch goes on from.
NO_ROOT = bytes(32)
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_TEXTS = ("through", "unit_code", "action", "object_kind", "object_id", "address", "request_id", "details")


async def read_moments_raw(connection: asyncpg.Connection) -> None:
    """From now on this connection gives moments as PostgreSQL keeps them: even such as no calendar of ours knows."""
    await connection.set_type_codec(
        "timestamptz", schema="pg_catalog", encoder=lambda raw: raw, decoder=lambda raw: raw, format="tuple"
    )


def raw_moment(moment: datetime) -> int:
    """Microseconds since 2000."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(raw: int) -> datetime | None:
    """The moment in a calendar; None where there is none."""
    try:
        return _EPOCH + timedelta(microseconds=raw)
    except OverflowError:
        return None


def entry_hash(number: int, entry: Any) -> bytes:
    """The hash of an entry, a row of `units.record_entries` with raw moments, at its place in the chain."""
    officer = None if entry["officer_id"] is None else str(entry["officer_id"])
    texts = (officer, *(entry[name] for name in _TEXTS))
    told = ";".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
    moment = struct.pack(">q", entry["at"][0]).hex()
    return hashlib.sha256(f"1;{number};{entry['xid']};{entry['id']};{moment};{told};".encode()).digest()


def leaf(place: Any) -> bytes:
    """A row of `units.record_chain` as its batch's `leaves` cover it."""
    return struct.pack(">qQqq", place["number"], place["xid"], place["id"], place["at"][0]) + place["hash"]


def batch_root(batch: Any, leaves: bytes, previous_root: bytes) -> bytes:
    """The root of a row of `units.record_batches`."""
    counts = struct.pack(">qqq", batch["number"], batch["first_number"], batch["entry_count"])
    rest = struct.pack(">Qqq", batch["settled_below"], batch["cluster"], batch["sealed_at"][0])
    return hashlib.sha256(b"\x01" + counts + leaves + previous_root + rest).digest()
