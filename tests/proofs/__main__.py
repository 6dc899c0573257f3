"""`make proofs`: the long demonstrations, a line each, written to docs/proofs/."""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.proofs import every_row

RECORD = Path(__file__).parents[2] / "docs" / "proofs" / "README.md"


def main(wanted: list[str]) -> None:
    """Run what is wanted (all unless said); files to look up every row of stand in FILE, separated by blanks."""
    if wanted and wanted != ["every-row"]:
        raise SystemExit("There is one proof so far: every-row.")
    files = [Path(name) for name in os.environ.get("FILE", "").split()]
    if not files:
        raise SystemExit("Name the result file to look up every row of: make proofs NAME=every-row FILE=results.csv")
    for file in files:
        line = every_row.main(file)
        print(line)
        with RECORD.open("a", encoding="utf-8") as record:
            record.write(f"- {datetime.now(UTC):%Y-%m-%d}: {line}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
