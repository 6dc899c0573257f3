"""How fast a national result file comes in, beside plain COPY of the same typed rows: `python -m tests.bench_import`.

Both store 1.2 million invented results in the same table with its indexes, in turns, each in a fresh database. Prints
the peak memory of the importing process, and last `import-vs-copy RATIO rows/s`.
"""

import argparse
import asyncio
import random
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

import lookup
import units
from kit.migrator import find_migrations, migrate
from lookup.exams import Exam
from lookup.score_import import ImportOptions, import_scores
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from tests.exams import given_exam

ROWS = 1_200_000
# Position in the exam, and the heading of the file's column.
PAPERS = {
    1: "Toán", 2: "Ngữ văn", 11: "Lịch sử", 12: "Địa lí", 13: "GD kinh tế và pháp luật", 14: "Vật lí", 15: "Hóa học",
    16: "Sinh học", 17: "Tin học", 19: "Công nghệ công nghiệp", 20: "Công nghệ nông nghiệp", 21: "GDCD",
}  # fmt: skip
COPIED = ("exam_code", "candidate_number", "version", "batch_id", "scores")
BLOCK = 2**20


def write_files(folder: Path, rows: int) -> tuple[Path, Path]:
    """The same results twice: a department's CSV, and PostgreSQL's own text format for batch 1."""
    chance = random.Random(2026)
    scores = [f"{i / 20:.2f}".rstrip("0").rstrip(".") for i in range(201)]
    quarters = scores[::5]
    chosen_from = [position for position in PAPERS if position > 2]
    positions = list(PAPERS)
    csv_path, copy_path = folder / "thpt.csv", folder / "thpt.copy"
    with csv_path.open("w", encoding="utf-8") as as_csv, copy_path.open("w", encoding="utf-8") as as_copy:
        as_csv.write(",".join(("Số báo danh", *PAPERS.values(), "Ngoại ngữ", "Mã môn ngoại ngữ")) + "\n")
        for i in range(rows):
            number = f"{i // 60_000 + 1:02d}{i % 60_000 + 1:06d}"
            slots = ["NULL"] * 21
            slots[0], slots[1] = chance.choice(scores), chance.choice(quarters)
            for position in chance.sample(chosen_from, chance.choice((1, 2, 2))):
                slots[position - 1] = chance.choice(scores)
            english = chance.choice(quarters) if chance.random() < 0.4 else ""
            slots[3] = english or "NULL"
            cells = ("" if (score := slots[p - 1]) == "NULL" else score for p in positions)
            as_csv.write(f"{number},{','.join(cells)},{english},{'N1' if english else ''}\n")
            as_copy.write(f"bench\t{number}\t1\t1\t{{{','.join(slots)}}}\n")
    return csv_path, copy_path


async def time_copy(connection: asyncpg.Connection, exam: Exam, path: Path) -> float:
    """Seconds of plain COPY into `lookup.results`; its text format is faster here than the binary one."""
    started = time.perf_counter()
    async with connection.transaction():
        await connection.execute(
            "insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, result_count)"
            " values ($1, clock_timestamp(), '', '', 0)",
            exam.code,
        )
        await connection.copy_to_table(
            "results", schema_name="lookup", columns=COPIED, source=blocks(path), format="text"
        )
    return time.perf_counter() - started


async def blocks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


async def time_import(connection: asyncpg.Connection, exam: Exam, path: Path) -> float:
    started = time.perf_counter()
    summary = await import_scores(connection, exam, path, options=ImportOptions(), now=datetime.now(UTC), pin_key=b"")
    assert summary.batch_id is not None, summary.problems[:3]
    return time.perf_counter() - started


async def in_a_fresh_database(server: EmbeddedPostgres, measure, path: Path) -> float:
    owner = await asyncpg.connect(server.owner_url)
    try:
        await owner.execute("drop schema if exists lookup, units, kit cascade")
        packages = [Path(package.__file__).parent for package in (units, lookup)]
        await migrate(owner, find_migrations(packages), RUNTIME)
    finally:
        await owner.close()
    connection = await asyncpg.connect(server.runtime_url)
    try:
        return await measure(connection, await given_exam(connection, "bench"), path)
    finally:
        await connection.close()


async def compare(rows: int, repeats: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="bd-bench-"))
    server = EmbeddedPostgres(folder / "postgres")
    try:
        server.start()
        csv_path, copy_path = write_files(folder, rows)
        copied = imported = 0.0
        for repeat in range(1, repeats + 1):
            copied += (a := await in_a_fresh_database(server, time_copy, copy_path))
            imported += (b := await in_a_fresh_database(server, time_import, csv_path))
            print(f"run {repeat}: COPY {rows / a:,.0f} rows/s, import {rows / b:,.0f} rows/s", flush=True)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{rows:,} rows, {csv_path.name}: peak memory {kilobytes / 1024:.0f} MB")
    print(f"import-vs-copy {copied / imported:.2f} rows/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=2)
    options = parser.parse_args()
    asyncio.run(compare(options.rows, options.repeats))


if __name__ == "__main__":
    sys.exit(main())
