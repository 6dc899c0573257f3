"""Our own format of sealed files beside LMDB: `python -m tests.bench_bundles [RESULTS]`.

The same sealed records, found by the same HMAC, once bound into a bundle and once put into an LMDB environment under
their fingerprints. Each reader is a process of its own, all of them at once; memory is their proportional share (PSS)
over what they weigh before they open anything.
"""

import json
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import lmdb
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lookup.sealed import sealing
from lookup.sealed.bundle import Bundle
from lookup.sealed.bundle_writer import Facts, bind
from lookup.sealed.loose_records import LooseRecords, read_shares
from lookup.sealed.packing import Record, encode_record
from tests.people import MORNING

READERS = 4
_ASKED = 100_000
_KEY = bytes(range(32))
_SIGNER = Ed25519PrivateKey.from_private_bytes(_KEY)
_FACTS = Facts("bench", 1, "public", MORNING, MORNING, 0)
_HEAD = 18


def main(results: int) -> None:
    """Prints a line of JSON for each format: bytes a result, seconds, microseconds, megabytes of four readers."""
    with tempfile.TemporaryDirectory() as folder:
        loose = Path(folder) / "loose"
        loose.mkdir()
        with LooseRecords(loose, "bench") as records:
            for number, record in _invent(results):
                records.seal(_KEY, number, "", record, _FACTS.bound_to)
        for name, build, read in (("own", _build_own, _read_own), ("lmdb", _build_lmdb, _read_lmdb)):
            path = Path(folder) / name
            started = time.perf_counter()
            build(loose, path, results)
            seconds = time.perf_counter() - started
            print(json.dumps({"format": name, "bytes": _size(path) / results, "build_seconds": seconds,
                              **_measure(read, path, results)}), flush=True)  # fmt: skip


def _invent(results: int) -> Iterator[tuple[str, bytes]]:
    chance = random.Random(2026)
    for n in range(results):
        number = f"{1_000_000 + n:08d}"
        papers = [
            value for position in (1, 2, 11 + n % 4, 15 + n % 4) for value in (position, 2 * chance.randrange(1001))
        ]
        yield number, encode_record(Record(number, 1, 0, papers))


def _build_own(loose: Path, path: Path, results: int) -> None:
    bind(path, _FACTS, loose, results, {}, generation_key=_KEY, signer=_SIGNER)


def _build_lmdb(loose: Path, path: Path, _: int) -> None:
    """Appended in the order of their places: the way that LMDB packs best."""
    with lmdb.open(str(path), map_size=1 << 32, subdir=False, lock=False, sync=False, metasync=False) as environment:
        for share in read_shares(loose):
            with environment.begin(write=True) as transaction:
                for record in share:
                    transaction.put(record[:8] + record[8:16], record[_HEAD:], append=True)
        environment.sync(True)


def _read_own(path: Path) -> Callable[[str], bytes | None]:
    bundle = Bundle(path, _SIGNER.public_key().public_bytes_raw())
    return lambda number: bundle.find(_KEY, number, "")


def _read_lmdb(path: Path) -> Callable[[str], bytes | None]:
    environment = lmdb.open(str(path), readonly=True, subdir=False, lock=False, max_readers=1)

    def find(number: str) -> bytes | None:
        key, fingerprint, position = sealing.find_place(_KEY, number, "")
        with environment.begin(buffers=False) as transaction:
            sealed = transaction.get(position.to_bytes(8, "big") + fingerprint)
        return None if sealed is None else sealing.unseal(key, sealed, _FACTS.bound_to)

    return find


def _measure(read: Callable, path: Path, results: int) -> dict[str, float]:
    context = multiprocessing.get_context("fork")
    together = context.Barrier(READERS)
    with context.Pool(READERS, initializer=_meet, initargs=(together,)) as readers:
        told = readers.starmap(_look_up, [(read, path, results, seed) for seed in range(READERS)], chunksize=1)
    return {"get_us": sum(us for us, _ in told) / READERS, "readers_mb": sum(megabytes for _, megabytes in told)}


_together: Barrier


def _meet(together: Barrier) -> None:
    global _together  # noqa: PLW0603 - how a pool hands something over to its processes
    _together = together


def _look_up(read: Callable[[Path], Callable[[str], bytes | None]], path: Path, results: int, seed: int):
    chance = random.Random(seed)
    asked = [f"{1_000_000 + chance.randrange(results):08d}" for _ in range(_ASKED)]
    before = _megabytes()
    find = read(path)
    _together.wait()
    # Of the processor: four readers on two cores wait for one another.
    started = time.process_time()
    for number in asked:
        if find(number) is None:
            raise SystemExit("A record was not found.")
    microseconds = (time.process_time() - started) / _ASKED * 1e6
    _together.wait()
    weight = _megabytes() - before
    _together.wait()
    return microseconds, weight


def _megabytes() -> float:
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def _size(path: Path) -> int:
    """What it takes on the disk: LMDB's file has holes."""
    return path.stat().st_blocks * 512


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_200_000)
