"""What a lookup costs the process that answers it, beside a ready answer of a raw ASGI application on the same server.

    python -m tests.bench_answers

CPU of the answering process alone, by the kernel's count, in turns: raw, the front, the framework with a warm cache.
Everybody keeps their connections; visitors come from addresses of their own, and ask in no order. Prints microseconds
for each way, and last one ratio a line.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import asyncpg

import lookup
import units
from kit.migrator import find_migrations, migrate
from lookup.releases import release
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from server.settings import load_settings
from tests.exams import Paper, given_exam, given_results
from tests.lookup.sealed.given import given_open_bundle
from tests.people import MORNING

ROOT = Path(__file__).parents[1]
CANDIDATES, CONNECTIONS = 300, 16
WARM_UP, REQUESTS, TURNS = 480, 800, 5
BIRTH = MORNING.date()
_BEFORE = MORNING - timedelta(days=1)

# What is measured: its name in the table, which server answers it, and which requests.
WAYS = {
    "raw": ("a ready JSON answer of a raw ASGI application", "raw", "read"),
    "read": ("a public result as JSON", "front", "read"),
    "post": ("a result by number and birth date as JSON", "front", "post"),
    "page": ("a result's page, compressed", "front", "page"),
    "refused": ("a refusal before the moment", "front", "refused"),
    "form": ("the empty form, compressed", "front", "form"),
    "framework-read": ("the same public result from the framework, its cache warm", "behind", "read"),
    "framework-page": ("the same page from the framework, its cache warm", "behind", "page"),
}


def main() -> None:
    """Measure all ways, or be one of the servers."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--serve", choices=["raw", "front", "behind"])
    arguments.add_argument("--fd", type=int)
    told = arguments.parse_args()
    if told.serve:
        serve(told.serve, told.fd)
        return
    with _servers() as environ:
        asyncio.run(_prepare(environ))
        microseconds = measure(environ)
    for name, (what, *_) in WAYS.items():
        print(f"{name:15} {microseconds[name]:6.1f} us  {what}")
    for name in list(WAYS)[1:]:
        print(f"answer-{name} {microseconds[name] / microseconds['raw']:.2f} raw ASGI answers: {WAYS[name][0]}")


def measure(environ: dict[str, str]) -> dict[str, float]:
    """CPU microseconds for each request by way; the median of some turns, in which every way has its part."""
    with contextlib.ExitStack() as running:
        servers = {kind: running.enter_context(_serving(kind, environ)) for kind in ("raw", "front", "behind")}
        asked = {name: _Asked(servers[kind], list(_requests(sort))) for name, (_, kind, sort) in WAYS.items()}
        for each in asked.values():
            each.ask(WARM_UP)
        turns = [{name: each.ask(REQUESTS) for name, each in asked.items()} for _ in range(TURNS)]
    return {name: median(turn[name] for turn in turns) for name in WAYS}


class _Asked:
    """One way of asking: connections that stay open, and requests that are sent over them in turn."""

    def __init__(self, server: tuple[int, int], requests: list[bytes]) -> None:
        (self._process, self._port), self._requests = server, requests

    def ask(self, count: int) -> float:
        """Microseconds of CPU that one request cost the server."""
        with contextlib.ExitStack() as opened:
            # Anew each time: the server closes what was silent for some seconds.
            connections = [opened.enter_context(_connected_to(self._port)) for _ in range(CONNECTIONS)]
            chance, before = random.Random(count), _cpu(self._process)
            for _ in range(count // CONNECTIONS):
                for connection in connections:
                    connection.sendall(chance.choice(self._requests))
                for connection in connections:
                    _read_answer(connection)
            return (_cpu(self._process) - before) / count * 1e6


def _connected_to(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _read_answer(connection: socket.socket) -> bytes:
    got = _receive(connection)
    while b"\r\n\r\n" not in got:
        got += _receive(connection)
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += _receive(connection)
    assert head[9:12] in (b"200", b"404"), head
    return body


def _receive(connection: socket.socket) -> bytes:
    got = connection.recv(65536)
    assert got, "the server hung up"
    return got


def _cpu(process: int) -> float:
    """Seconds on a CPU of all threads of a process, as the scheduler counts them: nanoseconds, not ticks."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _requests(sort: str) -> Iterator[bytes]:
    for place in range(CANDIDATES):
        number, address = 99_000_000 + place, f"X-Real-IP: 10.{place % 250}.{place // 250}.9"
        dated = {"candidate_number": str(number), "birth_date": BIRTH.strftime("%d/%m/%Y")}
        match sort:
            case "read":
                yield _request(f"GET /api/v1/exams/bench/results/{number}", address)
            case "post" | "refused":
                code = "dated" if sort == "post" else "coming"
                body = json.dumps(dated).encode()
                yield _request(f"POST /api/v1/exams/{code}/results", address, "application/json", body)
            case "page":
                kind = "application/x-www-form-urlencoded"
                yield _request("POST /tra-cuu/diem-thi/dated", address, kind, urlencode(dated).encode())
            case _:
                yield _request("GET /tra-cuu/diem-thi/dated", address)


# What a browser sends.
_HEADERS = [
    "Host: 127.0.0.1", "User-Agent: Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36", "Accept: */*",
    "Accept-Encoding: gzip, deflate, br", "Accept-Language: vi,en;q=0.8", "Connection: keep-alive",
]  # fmt: skip


def _request(line: str, address: str, kind: str = "", body: bytes = b"") -> bytes:
    typed = [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{line} HTTP/1.1", *_HEADERS, address, *typed, "", ""]).encode() + body


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey of our own, and the settings of a service on them."""
    folder = Path(tempfile.mkdtemp(prefix="bd-bench-"))
    folder.chmod(0o755)
    postgres, valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
    postgres.start()
    valkey.start()
    (folder / "state").mkdir()
    try:
        yield {
            "STATE_DIR": str(folder / "state"), "DATABASE_URL": postgres.runtime_url,
            "DATABASE_OWNER_URL": postgres.owner_url, "REDIS_URL": valkey.url, "TRUSTED_PROXIES": "127.0.0.1",
            "LOOKUP_RATE": "1000000/second", "WRONG_FACTOR_RATE": "1000000/second", "PATH": os.environ["PATH"],
        }  # fmt: skip
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _prepare(environ: dict[str, str]) -> None:
    settings = load_settings(environ)
    async with _connected(settings.database_owner_url) as owner:
        packages = [ROOT / "kit", Path(units.__file__).parent, Path(lookup.__file__).parent]
        await migrate(owner, find_migrations(packages), RUNTIME)
    async with _connected(settings.database_url) as connection:
        for code, policy, opens_at in (
            ("bench", "public", MORNING), ("dated", "birth-date", MORNING),
            ("coming", "birth-date", datetime.now(UTC) + timedelta(days=1)),
        ):  # fmt: skip
            exam = await given_exam(connection, code, policy=policy)
            await given_results(connection, exam, _papers())
            await release(connection, code, opens_at=opens_at, now=_BEFORE)
            await given_open_bundle(connection, settings, code)


@contextlib.asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


def _papers() -> Iterator[Paper]:
    """As candidates of the graduation exam: two papers that all have, and two that they choose."""
    chance = random.Random(2026)
    for place in range(CANDIDATES):
        chosen = chance.sample(["ngoai_ngu/N1", "lich_su", "dia_li", "vat_li", "hoa_hoc", "sinh_hoc"], 2)
        scores = {code: Decimal(chance.randint(20, 200)) / 20 for code in ("toan", "ngu_van", *chosen)}
        yield Paper(str(99_000_000 + place), scores, birth_date=BIRTH)


@contextlib.contextmanager
def _serving(kind: str, environ: dict[str, str]) -> Iterator[tuple[int, int]]:
    """A server of this kind: its process and its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        command = [sys.executable, "-m", "tests.bench_answers", "--serve", kind, "--fd", str(listening.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, pass_fds=[listening.fileno()], stdout=subprocess.DEVNULL
        )
        port = listening.getsockname()[1]
    try:
        # Until it has heard of the exams and opened them.
        time.sleep(6)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def serve(kind: str, fd: int) -> None:
    """As `server.running.web_process` serves."""
    import uvicorn

    from server.app import create_app
    from server.running.patience import PatientProtocol

    settings = load_settings(os.environ)
    config = uvicorn.Config(
        (lambda: _raw) if kind == "raw" else (lambda: create_app(settings, has_front=kind == "front")),
        factory=True, loop="uvloop", http=PatientProtocol, ws="none", lifespan="off" if kind == "raw" else "on",
        log_config=None, access_log=False, proxy_headers=False, server_header=False,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


_READY = b'{"exam":"bench","candidate_number":"99000000","components":[%b],"total":null}' % (b" " * 300)
_READY_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_READY))]


async def _raw(scope: dict, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _READY_HEADERS})
    await send({"type": "http.response.body", "body": _READY})


if __name__ == "__main__":
    main()
