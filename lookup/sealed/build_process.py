"""A process that seals results, or binds what was sealed, beside everything else (`-m lookup.sealed.build_process`).

It reads one order from standard input, answers on standard output, steps back behind whatever else the machine does,
and ends when the worker does.
"""

import asyncio
import os
import signal
import sys
import traceback
from pathlib import Path

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kit import children, sql
from lookup.sealed import build_orders
from lookup.sealed.build_orders import Answer, Bind, Bound, Progress, Sealed, SealRows, Trouble
from lookup.sealed.bundle import check_whole
from lookup.sealed.bundle_writer import bind, digest_of
from lookup.sealed.loose_records import LooseRecords
from lookup.sealed.release_keys import public_key
from lookup.sealed.row_sealing import RowSealing

building = sql.load(__file__, "building")

_NICENESS = 5
_CONNECT_SECONDS = 10


def main() -> None:
    """Do the order that stands on standard input."""
    children.follow_parent()
    children.end_with_parent(signal.SIGKILL)
    os.nice(_NICENESS)
    order = build_orders.decode_order(sys.stdin.buffer.read())
    try:
        _answer(asyncio.run(_seal(order)) if isinstance(order, SealRows) else _bind(order))
    except Exception as problem:  # noqa: BLE001 - its message may hold what stands in the data
        _answer(Trouble(_in_short(problem)))


async def _seal(order: SealRows) -> Sealed:
    connection = await asyncpg.connect(
        order.database_url, timeout=_CONNECT_SECONDS, server_settings={"datestyle": "ISO, YMD"}
    )
    try:
        with LooseRecords(Path(order.folder), order.name) as loose:
            rows = RowSealing(order, loose, lambda results: _answer(Progress(results)))
            await building.list_rows(
                sql.CopyOut(connection, rows.take),
                exam_code=order.exam,
                batches=list(order.packing.batches),
                first=order.first,
                beyond=order.beyond,
                with_names=order.with_names,
            )
            rows.finish()
    finally:
        connection.terminate()
    return Sealed(rows.results, loose.count)


def _bind(order: Bind) -> Bound:
    path, signer = Path(order.path), Ed25519PrivateKey.from_private_bytes(order.signing_key)
    bind(
        path,
        order.facts,
        Path(order.folder),
        order.records,
        order.parts,
        generation_key=order.generation_key,
        signer=signer,
    )
    check_whole(path, public_key(signer))
    return Bound(path.stat().st_size, digest_of(path))


def _answer(answer: Answer) -> None:
    sys.stdout.buffer.write(build_orders.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _in_short(problem: Exception) -> str:
    frames = traceback.extract_tb(problem.__traceback__)
    return f"{type(problem).__name__} at {Path(frames[-1].filename).name}:{frames[-1].lineno}"


if __name__ == "__main__":
    main()
