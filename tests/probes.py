"""Everything that somebody could try to see a result before its moment: all addresses, all methods, odd spellings."""

import asyncio
import gzip
import json
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote, urlencode

import msgspec
from litestar import Litestar

from tests.marked_exams import MarkedExam

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "PURGE", "get")
_PLACEHOLDER = re.compile(r"\{(\w+)(?::\w+)?\}")
_SHOWN_SCORE = re.compile(rb'"score":\d|class="score"|"components":\[\{')
_HEADERS = (
    [],
    ["Accept-Encoding: gzip, br, zstd"],
    ["If-None-Match: *"],
    ['If-None-Match: "0", W/"1"'],
    ["Range: bytes=0-400"],
    ["Accept: application/json"],
    ["Accept: text/html", "Accept-Language: en"],
    ["X-HTTP-Method-Override: GET"],
    ["X-Original-URL: /api/v1/exams", "X-Rewrite-URL: /metrics"],
    ["X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1;proto=https"],
    ["Cache-Control: only-if-cached"],
    ["Cookie: session=1; __Host-session=2"],
    ["Authorization: Basic YWRtaW46YWRtaW4="],
    ["Origin: https://elsewhere.example"],
    ["Date: Fri, 01 Jan 2100 00:00:00 GMT"],
    ["Purpose: prefetch", "Sec-Fetch-Mode: navigate"],
)  # fmt: skip
_QUERIES = (
    "",
    "",
    "?generation=1",
    "?now=2100-01-01T00:00:00Z",
    "?preview=1&debug=true",
    "?callback=a",
    "?_method=GET",
)
_FILES = (
    "robots.txt", "sitemap.xml", "favicon.ico", ".env", ".git/config", "releases/1.bundle", "releases/1.key",
    "static/../releases/1.bundle", "static/%2e%2e/%2e%2e/releases/1.key", "static/..%2f..%2fkeys/release.1",
    "backup.zip", "openapi.json", "schema", "schema/openapi.json", "metrics", "healthz", "readyz", "server-status",
    "can-bo/ky-thi", "rss", "api", "api/v1", "api/v2/exams", "api/v1/exams.csv", "api/v1/diplomas/lookup",
)  # fmt: skip


class Probe(msgspec.Struct, frozen=True):
    """One request. `typed` is what in it names a candidate, so that its echo is no find."""

    method: str
    request: bytes
    typed: str = ""


class Came(msgspec.Struct, frozen=True):
    """What came back, unpacked."""

    status: int
    head: bytes
    body: bytes


def routes_of(app: Any) -> list[str]:
    """The address patterns of every route, officers' ones too."""
    litestar = _inside(app, set())
    assert litestar
    return sorted({route.path for route in litestar.routes})


def _inside(app: Any, seen: set[int]) -> Litestar | None:
    if isinstance(app, Litestar) or id(app) in seen:
        return app if isinstance(app, Litestar) else None
    seen.add(id(app))
    parts = [part for part in getattr(app, "__dict__", {}).values() if callable(part)]
    return next((found for part in parts if (found := _inside(part, seen))), None)


def probes(exams: list[MarkedExam], routes: list[str], host: str, seed: int = 1) -> Iterator[Probe]:
    """Without end: first every route with every method, then whatever chance makes of them."""
    chance = random.Random(seed)
    for route in routes:
        for method in METHODS:
            yield _probe(chance, method, _filled(chance, route, exams), exams, host)
    while True:
        kind = chance.random()
        if kind < 0.5:
            yield _probe(chance, chance.choice(METHODS[:4]), _result_address(chance, exams), exams, host)
        elif kind < 0.9:
            yield _probe(chance, chance.choice(METHODS), _filled(chance, chance.choice(routes), exams), exams, host)
        else:
            yield _probe(chance, chance.choice(METHODS), "/" + chance.choice(_FILES), exams, host)


def _result_address(chance: random.Random, exams: list[MarkedExam]) -> str:
    exam = chance.choice(exams)
    number = _spelt(chance, exam.number(chance.randint(1, exam.count)))
    address = chance.choice([
        f"/api/v1/exams/{exam.code}/results/{number}", f"/api/v1/exams/{exam.code}/results",
        f"/tra-cuu/diem-thi/{exam.code}", f"/en/tra-cuu/diem-thi/{exam.code}",
        f"/tra-cuu/diem-thi/{exam.code}/{number}", f"/api/v1/exams/{exam.code}",
        f"//api/v1/exams/{exam.code}/results/{number}",
        f"/api/v1/exams/{exam.code}/results/{number}/", f"/api/v1//exams/{exam.code}/results/{number}",
        f"/api/v1/exams/x/../{exam.code}/results/{number}", f"/api/v1/exams/{exam.code.upper()}/results/{number}",
        f"/api/v1/exams/{quote(exam.code, safe='').replace('-', '%2d')}/results/{number}",
        f"/api/v1/exams/{exam.code}/results/{number};a=b", f"/api/v1/exams/{exam.code}%00/results/{number}",
        f"http://127.0.0.1/api/v1/exams/{exam.code}/results/{number}",
    ])  # fmt: skip
    return address + chance.choice(_QUERIES)


def _spelt(chance: random.Random, number: str) -> str:
    return chance.choice([
        number, number, number, quote(number[:4] + " " + number[4:]), "".join(f"%{ord(sign):02x}" for sign in number),
        quote("".join(chr(ord(sign) - 48 + 0xFF10) for sign in number)), number + "%20", "0" + number, number + ".json",
        quote(f"{number[:2]}.{number[2:5]}.{number[5:]}"), f"{number}%2f", f"{number},{int(number) + 1}",
    ])  # fmt: skip


def _filled(chance: random.Random, route: str, exams: list[MarkedExam]) -> str:
    exam = chance.choice(exams)
    number = exam.number(chance.randint(1, exam.count))

    def value(found: re.Match[str]) -> str:
        choices = {"exam_code": exam.code, "candidate_number": number, "code": exam.code}
        return choices.get(found.group(1)) or chance.choice(
            [exam.code, "so", "1", number, "../keys/release.1", "a.css"]
        )

    return _PLACEHOLDER.sub(value, route) + chance.choice(_QUERIES)


def _probe(chance: random.Random, method: str, target: str, exams: list[MarkedExam], host: str) -> Probe:
    exam = chance.choice([each for each in exams if each.code in target] or exams)
    typed = exam.typed(chance.randint(1, exam.count))
    headers, body = list(chance.choice(_HEADERS)), b""
    if method not in ("GET", "HEAD", "get", "CONNECT", "TRACE"):
        kind, body = chance.choice([
            ("application/json", json.dumps(typed).encode()),
            ("application/x-www-form-urlencoded", urlencode(typed).encode()),
            ("application/json", b"[" + json.dumps(typed).encode() + b"]"),
            ("text/plain", urlencode(typed).encode()), ("application/json", b"{"),
        ])  # fmt: skip
        headers += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    address = f"X-Real-IP: 10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
    head = "\r\n".join([f"{method} {target} HTTP/1.1", f"Host: {host}", address, *headers, "", ""])
    return Probe(method, head.encode() + body, f"{typed['candidate_number']} {unquote(target)}")


def what_it_shows(probe: Probe, came: Came, exams: list[MarkedExam]) -> str:
    """Which result, or whose name, an answer shows; "" as it should be. Names nobody typed, numbers only if untyped."""
    if came.status == 200 and b"/results" in probe.request.partition(b" HTTP")[0]:
        return "an answer to a lookup"
    for exam in exams:
        if exam.name(0).removesuffix(" 0").encode() in came.body:
            return "a name"
    for number in re.findall(rb"(?<!\d)997\d{5}(?!\d)", came.body):
        if number.decode() not in probe.typed and number not in probe.request:
            return "a candidate's number"
    return "scores" if _SHOWN_SCORE.search(came.body) and b"openapi" not in came.body else ""


class Prober:
    """One connection over which probes go, made anew when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, probe: Probe) -> Came:
        """Send it and read the whole answer. Raises TimeoutError; status 0: closed without a word."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 22)
        reader, writer = self._streams
        try:
            writer.write(probe.request)
            async with asyncio.timeout(20):
                came = await _read(reader, probe.method)
        except (ConnectionError, asyncio.IncompleteReadError):
            came = Came(0, b"", b"")
        if came.status == 0 or b"connection: close" in came.head.lower() or came.status == 400:
            self.close()
        return came

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None


async def _read(reader: asyncio.StreamReader, method: str) -> Came:
    head = await reader.readuntil(b"\r\n\r\n")
    status, told = int(head[9:12]), head.lower()
    if method == "HEAD" or status in (204, 304):
        return Came(status, head, b"")
    if b"transfer-encoding: chunked" in told:
        body = b""
        while length := int(await reader.readline(), 16):
            body += (await reader.readexactly(length + 2))[:-2]
        await reader.readline()
    elif b"content-length:" in told:
        body = await reader.readexactly(int(told.partition(b"content-length:")[2].partition(b"\r\n")[0]))
    else:
        body = await reader.read()
    return Came(status, head, gzip.decompress(body) if b"content-encoding: gzip" in told and body else body)


class Report(msgspec.Struct):
    """What came of many probes: how many had which status, and what they showed that they must not."""

    statuses: dict[int, int] = {}
    shown: list[str] = []


async def probe(port: int, exams: list[MarkedExam], routes: list[str], count: int, *, lines: int = 8) -> Report:
    """Send `count` probes over several connections."""
    waiting, report = probes(exams, routes, f"127.0.0.1:{port}"), Report()
    left = iter(range(count))

    async def go_on() -> None:
        prober = Prober(port)
        for _ in left:
            each = next(waiting)
            came = await prober.ask(each)
            report.statuses[came.status] = report.statuses.get(came.status, 0) + 1
            if shown := what_it_shows(each, came, exams):
                report.shown.append(f"{shown}: {each.request!r} was answered {came.status} {came.body[:300]!r}")
        prober.close()

    await asyncio.gather(*(go_on() for _ in range(lines)))
    return report
