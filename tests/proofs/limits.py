"""The table of limits at full size: three million addresses in room for one.

    make proofs NAME=limits

Nobody may be refused for want of room, the memory must not grow with the crowd, and a count has to stay a few
microseconds; beside it what is left of the counts of those who had met a limit before the flood came.
"""

import os
import resource
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from kit.gcra import pace_of
from kit.node_limits import NodeLimiter
from kit.shared_counters import CounterTable

_KEYS = int(os.environ.get("KEYS", "3000000"))
_LIMITED = 1000


def main() -> Iterable[str]:
    """Run it; returns a line for the record, or exits with what went wrong."""
    before = _megabytes()
    with tempfile.TemporaryDirectory() as folder:
        table = CounterTable(Path(folder) / "counts")
        limiter = NodeLimiter(table, key=os.urandom(32))
        line = _flood(limiter)
        yield f"{line}; table of {len(table) >> 20} MiB, process grown by {_megabytes() - before:.0f} MB with it"


def _flood(limiter: NodeLimiter) -> str:
    wide, strict = pace_of("20000/minute"), pace_of("10/15minute")
    for number in range(_LIMITED):
        while not limiter.hit("wrong_factor", str(number), strict):
            pass
    refused, began = 0, time.process_time()
    for number in range(_KEYS):
        refused += limiter.hit("lookup", f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", wide) > 0
    took = (time.process_time() - began) / _KEYS * 1e6
    kept = sum(limiter.hit("wrong_factor", str(number), strict) > 0 for number in range(_LIMITED))
    if refused:
        raise SystemExit(f"{refused} of {_KEYS} addresses were refused with their first lookup.")
    return (
        f"limits: {_KEYS} addresses one after the other, {refused} refused, {took:.2f} us a count; "
        f"{kept} of {_LIMITED} guessers still locked"
    )


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
