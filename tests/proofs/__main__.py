"""`make proofs`: the long demonstrations, a line each, written to docs/proofs/."""

import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.proofs import (
    before_the_moment,
    enumerators,
    every_row,
    limits,
    outlive,
    record_writers,
    sealing,
    sign_ins,
    two_nodes,
)

RECORD = Path(__file__).parents[2] / "docs" / "proofs" / "README.md"


def _every_row() -> Iterable[str]:
    files = [Path(name) for name in os.environ.get("FILE", "").split()]
    if not files:
        raise SystemExit("Name the result file to look up every row of: make proofs NAME=every-row FILE=results.csv")
    return map(every_row.main, files)


def _sign_ins() -> Iterable[str]:
    yield sign_ins.main()


def _record_writers() -> Iterable[str]:
    yield record_writers.main()


PROOFS: dict[str, Callable[[], Iterable[str]]] = {
    "before-the-moment": before_the_moment.main,
    "enumerators": enumerators.main,
    "every-row": _every_row,
    "limits": limits.main,
    "outlive": outlive.main,
    "record-writers": _record_writers,
    "sealing": sealing.main,
    "sign-ins": _sign_ins,
    "two-nodes": two_nodes.main,
}


def main(wanted: list[str]) -> None:
    """Run what is wanted (all unless said); files to look up every row of stand in FILE, separated by blanks."""
    if unknown := set(wanted) - PROOFS.keys():
        raise SystemExit(f"No proof is called {', '.join(sorted(unknown))}; there are {', '.join(PROOFS)}.")
    for name in wanted or PROOFS:
        for line in PROOFS[name]():
            print(line)
            with RECORD.open("a", encoding="utf-8") as record:
                record.write(f"- {datetime.now(UTC):%Y-%m-%d}: {line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
