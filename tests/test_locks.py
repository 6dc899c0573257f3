"""Whoever takes turns takes them with their own kind: no two things of the service share a lock of PostgreSQL."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("kit", "lookup", "server", "units")


def numbers(pattern: str, ending: str) -> list[int]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob(f"*.{ending}")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    return [int(found) for text in texts for found in re.findall(pattern, text, re.MULTILINE)]


def test_every_lock_has_a_number_of_its_own():
    locks = numbers(r"advisory_(?:xact_)?lock\((\d+)\)", "sql") + numbers(r"^_?LOCK = ([\d_]+)$", "py")
    assert len(locks) >= 5
    assert len(set(locks)) == len(locks)
