"""One application, asked on two ways: through the front, and past it, where PostgreSQL is the oracle."""

import asyncio
import contextlib
import gzip
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from urllib.parse import unquote

import asyncpg
import msgspec

from kit.node_limits import NodeLimiter
from kit.shared_counters import CounterTable
from lookup.exams import Exam
from lookup.gate.gate import Gate
from lookup.gate.limits import Limits
from lookup.gate.watch import Watch
from lookup.pins import derive_pin, hash_imported_pin
from lookup.releases import release, withdraw
from server.app import create_app
from server.front import Front
from server.settings import Settings
from tests.conftest import Clock
from tests.exams import Paper, given_exam, given_results
from tests.lookup.sealed.given import given_open_bundle, given_sealed_bundle
from tests.people import AN, MINH, MORNING

BEFORE = MORNING - timedelta(seconds=1)
HOST = "diemthi.vangiang.edu.vn"
# Whose name needs every kind of escaping.
BOI = 'Lò Thị "Bơi" <b>\'&amp;\\ \u2028'
IMPORTED_PIN = "Q7W8E9R0T1"
_REFUSED, _CHALLENGE = 429, re.compile(rb"(?<=\")[\w-]{40}(?=\")")


class Request(msgspec.Struct, frozen=True):
    """What a client sends: the path as it stands on the wire."""

    method: str
    path: str
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    pieces: int = 1


class Told(msgspec.Struct, frozen=True):
    """What came back: the body unpacked; without what may differ between two right answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    is_packed: bool

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


class TwoWays:
    """The application of one test module. `handed_on` counts what the front did not answer itself.

    Each way has a gate of its own: both see the same visits, and have to decide alike.
    """

    def __init__(self, front: Front, clock: Clock) -> None:
        self.clock, self.handed_on = clock, 0
        self._front, self._behind = front, front._app
        front._app = self._hand_on
        self.forget_visits()

    def forget_visits(self) -> None:
        """As if nobody had asked yet."""
        self._front._gate, self.state.gate = _gate(self.state), _gate(self.state)

    async def _hand_on(self, scope, receive, send) -> None:
        self.handed_on += 1
        await self._behind(scope, receive, send)

    async def ask_front(self, request: Request) -> Told:
        return await _ask(self._front, request)

    async def ask_behind(self, request: Request) -> Told:
        return await _ask(self._behind, request)

    @property
    def state(self):
        return self._front._litestar.state

    def stands_at(self, **later: float) -> None:
        """So much after the morning at which everything opens."""
        self.clock.now = MORNING + timedelta(**later)
        self.state.vault.look(self.clock.now)


def _gate(state) -> Gate:
    limiter = NodeLimiter(CounterTable(buckets=1024), key=state.cache_key)
    rates = state.settings.rates
    watch = Watch.over(limiter, state.sightings, key=state.cache_key, rate=rates["lookup"])
    return Gate(Limits(limiter, rates), watch)


async def _ask(app, request: Request) -> Told:
    sent: list[dict] = []
    length = [("content-length", str(len(request.body)))] if request.body and request.pieces == 1 else []
    path, _, query = request.path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 4711), "root_path": "", "state": {},
        "method": request.method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in [*length, *request.headers]],
    }  # fmt: skip
    size = -(-len(request.body) // request.pieces) or 1
    parts = [request.body[start : start + size] for start in range(0, len(request.body), size)] or [b""]
    messages = [{"type": "http.request", "body": part, "more_body": part is not parts[-1]} for part in parts]

    async def receive() -> dict:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return _read(sent)


def _read(sent: list[dict]) -> Told:
    start, *rest = sent
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    assert len(headers) == len(start["headers"]), "no header twice"
    body = b"".join(message.get("body", b"") for message in rest)
    is_packed = headers.get("content-encoding") == "gzip"
    if body and "content-length" in headers:
        assert int(headers["content-length"]) == len(body)
    if is_packed:
        del headers["content-length"]
        body = gzip.decompress(body) if body else b""
    if start["status"] == _REFUSED:
        # Every challenge is another one.
        body = _CHALLENGE.sub(b"(challenge)", body)
    return Told(start["status"], tuple(sorted(headers.items())), body, is_packed)


@contextlib.asynccontextmanager
async def both_ways(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[TwoWays]:
    """The application, running, once it has heard of everything in the database."""
    clock = Clock(MORNING)
    front = create_app(settings, clock=clock)
    assert isinstance(front, Front)
    heard, said = asyncio.Queue(), asyncio.Queue()
    living = asyncio.create_task(front({"type": "lifespan", "state": {}}, heard.get, said.put))
    heard.put_nowait({"type": "lifespan.startup"})
    assert (await said.get())["type"] == "lifespan.startup.complete"
    last = await connection.fetchval("select coalesce(max(number), 0) from units.changes")
    async with asyncio.timeout(10):
        while await connection.fetchval("select max(applied_change) from units.nodes") != last:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    yield TwoWays(front, clock)
    heard.put_nowait({"type": "lifespan.shutdown"})
    await said.get()
    await living


async def given_every_sort_of_exam(connection: asyncpg.Connection, settings: Settings, key: bytes) -> None:
    """Exams of every policy and state. Their candidates: Minh, An, and many whose scores make a distribution."""
    for name, made in _EXAMS.items():
        await made(connection, settings, name, key)


def number_of(place: int) -> str:
    return f"{99_000_000 + place}"


async def _open(connection, settings, exam: Exam, papers: Sequence[Paper], **how) -> None:
    await given_results(connection, exam, papers, reason=how.pop("reason", None))
    after = how.pop("after", timedelta(0))
    await release(
        connection, exam.code, opens_at=MORNING + after, now=MORNING if how.pop("is_second", False) else BEFORE
    )
    await (given_sealed_bundle if how.get("stays_sealed") else given_open_bundle)(connection, settings, exam.code)


async def _mass(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code)
    many = [
        Paper(number_of(place), {"toan": Decimal(place % 41) / 4, "ngoai_ngu/N1": Decimal(place % 200) / 20})
        for place in range(3, 130)
    ]
    odd = Paper("99000001", MINH.scores, {"sinh_hoc": "absent", "hoa_hoc": "exempt"})
    everything = {f"{s.code}/{s.variant}".rstrip("/"): Decimal("8.05") for s in exam.subjects}
    await _open(connection, settings, exam, [odd, Paper("99000002", everything), *many, Paper("99000500")])


async def _dated(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code, kind="lop-10", policy="birth-date", show_name=code == "named")
    papers = [
        Paper("990001", {"toan": Decimal(0)}, {"ngu_van": "absent"}, Decimal("41.5"), MINH.name, MINH.birth_date),
        Paper("990002", {"ngoai_ngu/N1": Decimal(10)}, name=BOI, birth_date=AN.birth_date),
        Paper("990003", total=Decimal(0), name="", birth_date=AN.birth_date),
    ]
    await _open(connection, settings, exam, papers)


async def _with_codes(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code, kind="khao-sat-lop-6", policy="pin", show_name=True)
    imported = hash_imported_pin(key, code, "990002", IMPORTED_PIN)
    papers = [
        Paper("990001", {"toan": Decimal("87.25")}, total=Decimal("187.25"), name=MINH.name),
        Paper("990002", {"tieng_viet": Decimal(5)}, pin_hash=imported, name=BOI),
    ]
    await _open(connection, settings, exam, papers)


async def _corrected(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code)
    await _open(connection, settings, exam, [Paper(MINH.number, MINH.scores), Paper(AN.number, AN.scores)])
    better = Paper(MINH.number, MINH.scores | {"toan": Decimal(9)})
    reason = 'Phúc khảo, "cộng nhầm" <điểm> & tổng'
    stays = code == "late"
    await _open(
        connection,
        settings,
        exam,
        [better],
        reason=reason,
        after=timedelta(hours=1),
        is_second=True,
        stays_sealed=stays,
    )


async def _coming(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code, policy="birth-date")
    papers = [Paper(MINH.number, MINH.scores, birth_date=MINH.birth_date)]
    await _open(connection, settings, exam, papers, after=timedelta(days=30))


async def _taken_down(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code)
    await _open(connection, settings, exam, [Paper(MINH.number, MINH.scores)])
    await withdraw(connection, code)


async def _at_once(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code)
    await given_results(connection, exam, [Paper(MINH.number, MINH.scores)])
    await release(connection, code, opens_at=MORNING, now=MORNING)


async def _prizes(connection, settings, code, key) -> None:
    exam = await given_exam(connection, code, kind="hoc-sinh-gioi")
    papers = [
        Paper("A1234", {"toan": Decimal("19.95")}, {"giai": "first_prize"}),
        Paper("HSG0001", {}, {"giai": "third_prize"}),
    ]
    await _open(connection, settings, exam, papers)


async def _announced(connection, settings, code, key) -> None:
    await given_exam(connection, code, policy="pin", announced_at=MORNING + timedelta(days=3))


_EXAMS = {
    "mass": _mass, "named": _dated, "nameless": _dated, "codes": _with_codes, "corrected": _corrected,
    "late": _corrected, "coming": _coming, "down": _taken_down, "at-once": _at_once, "prizes": _prizes,
    "announced": _announced, "damaged": _dated,
}  # fmt: skip

# For each exam, what opens a result there.
RIGHT: Mapping[str, list[dict[str, str]]] = {
    "mass": [{"candidate_number": number} for number in ("99000001", "99000002", "99 000 100", "99000500", "99000077")],
    "named": [
        {"candidate_number": "990001", "birth_date": "1/2/2008"},
        {"candidate_number": "990002", "birth_date": "2008-11-30"},
        {"candidate_number": "990003", "birth_date": "30.11.2008"},
    ],
    "codes": [{"candidate_number": "990002", "pin": "q7w8e-9r0t1"}],
    "corrected": [{"candidate_number": "99000001"}, {"candidate_number": "99000002"}],
    "prizes": [{"candidate_number": "A1234"}, {"candidate_number": "hsg-0001"}],
    "coming": [{"candidate_number": "99000001", "birth_date": "1/2/2008"}],
}
RIGHT = RIGHT | {"nameless": RIGHT["named"], "damaged": RIGHT["named"], "late": RIGHT["corrected"]}
RIGHT = RIGHT | {"down": RIGHT["corrected"][:1], "at-once": RIGHT["corrected"][:1]}


def right_questions(key: bytes) -> dict[str, list[dict[str, str]]]:
    """With the code that the department itself gave out."""
    issued = {"candidate_number": "990001", "pin": derive_pin(key, "codes", "990001")}
    return dict(RIGHT) | {"codes": [issued, *RIGHT["codes"]]}
