"""`make bench`: what is fast or slow, measured here and now, and written into docs/benchmarks.md.

    python -m tests.bench [imports] [starts] [tests] [bundles]      all of them unless said

Imports are compared with plain COPY in the same run. Starts and tests happen in a fresh clone with a clean environment.
"""

import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

import msgspec

from tests.server.running import free_port

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
_READY_SECONDS = 600.0

Row = tuple[str, str, str, str]


def main(wanted: list[str]) -> None:
    """Measure what is wanted, put its rows into the page's table, print ratios last."""
    rows: list[Row] = []
    for name, measure in _MEASURES.items():
        if not wanted or name in wanted:
            rows += measure()
    _write(rows)
    for what, value, *_ in rows:
        print(what, value, sep="\t")


def measure_imports() -> list[Row]:
    """Rows a second of an import beside plain COPY, and the peak memory of the importing process."""
    command = [sys.executable, "-m", "tests.bench_import"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    print(said)
    ratio = re.search(r"^import-vs-copy (\S+) (.*)$", said, re.MULTILINE)
    memory = re.search(r"peak memory (\S+) (MB)$", said, re.MULTILINE)
    assert ratio
    assert memory
    how = "`python -m tests.bench imports`"
    return [
        ("CSV import of 1.2 million rows, beside plain COPY", ratio[1], ratio[2], how),
        ("peak memory of that import", memory[1], memory[2], how),
    ]


def measure_answers() -> list[Row]:
    """What a lookup costs the process that answers it, beside a ready answer of a raw ASGI application."""
    command = [sys.executable, "-m", "tests.bench_answers"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    print(said)
    how = "`python -m tests.bench answers`"
    return [
        (f"CPU of {what}, beside a ready answer of raw ASGI", ratio, "times", how)
        for ratio, what in re.findall(r"^answer-\S+ (\S+) raw ASGI answers: (.*)$", said, re.MULTILINE)
    ]


def measure_starts() -> list[Row]:
    """Seconds from `make run` to the first served lookup: in a fresh clone, and the second time."""
    how = "`python -m tests.bench starts`"
    with _fresh_clone() as clone:
        first, second = _start(clone), _start(clone)
    return [
        ("`make run`, first start in a fresh clone (installs, makes the demo)", f"{first:.1f}", "s", how),
        ("`make run`, second start", f"{second:.1f}", "s", how),
    ]


def measure_tests() -> list[Row]:
    """Seconds of `make test` in a fresh clone."""
    with _fresh_clone() as clone:
        started = time.monotonic()
        subprocess.run(["make", "test"], cwd=clone, env=_clean_environ(), stdin=subprocess.DEVNULL, check=True)
        seconds = time.monotonic() - started
    return [
        ("`make test` in a fresh clone (installs included)", f"{seconds:.0f}", "s", "`python -m tests.bench tests`")
    ]


def measure_bundles() -> list[Row]:
    """Our own format of sealed files beside LMDB: size, building, a get with its unsealing, four readers' memory."""
    command = [sys.executable, "-m", "tests.bench_bundles"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    own, other = (msgspec.json.decode(line) for line in said.splitlines())
    how = "`python -m tests.bench bundles`"
    return [
        (f"{what} (own format / LMDB)", f"{own[name]:.1f} / {other[name]:.1f}", unit, how)
        for what, name, unit in (
            ("sealed file of 1.2 million results, on the disk", "bytes", "bytes a result"),
            ("binding 1.2 million sealed records", "build_seconds", "s"),
            ("finding and unsealing one record, four readers at once", "get_us", "us of the processor"),
            ("four readers after 100,000 lookups each, beyond what they weigh before", "readers_mb", "MB (PSS)"),
        )
    ]


_MEASURES: dict[str, Callable[[], list[Row]]] = {
    "imports": measure_imports,
    "answers": measure_answers,
    "starts": measure_starts,
    "tests": measure_tests,
    "bundles": measure_bundles,
}


@contextlib.contextmanager
def _fresh_clone() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bd-bench-"))
    try:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "clone")], check=True)
        yield folder / "clone"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _start(clone: Path) -> float:
    port = free_port()
    started = time.monotonic()
    process = subprocess.Popen(
        ["make", "run"], cwd=clone, env=_clean_environ() | {"PORT": str(port)}, start_new_session=True
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/api/v1/exams/demo-thpt/results/99000001", process)
        return time.monotonic() - started
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), urlopen(url):  # noqa: S310  # our own loopback address
            return
        time.sleep(0.05)
    raise SystemExit(f"{url} did not answer.")


def _clean_environ() -> dict[str, str]:
    return {name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ}


def _write(rows: list[Row]) -> None:
    """Replace the rows of what was measured; those of what was not stay."""
    text = PAGE.read_text(encoding="utf-8")
    before, table, after = re.split(r"(?<=<!-- measured -->\n)(.*?)(?=<!-- end -->)", text, maxsplit=1, flags=re.DOTALL)
    kept = dict(re.findall(r"^\| (.*?) \| (.*)$", table, re.MULTILINE))
    day = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    measured = {what: f"{value} | {unit} | {how} | {day} |" for what, value, unit, how in rows}
    head = {"what": "measured | unit | command | when and where |", "---": "--- | --- | --- | --- |"}
    lines = (head | {what: rest for what, rest in kept.items() if what not in head} | measured).items()
    PAGE.write_text(before + "".join(f"| {what} | {rest}\n" for what, rest in lines) + after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
