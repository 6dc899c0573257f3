"""Lookups on real connections: many at once, in pieces, one behind the other, and from clients that hardly read."""

import asyncio
import contextlib
import json
import random
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from lookup.exams import find_exam
from lookup.releases import release
from server.running import patience
from tests.lookup.sealed.given import given_open_bundle
from tests.marked_exams import MarkedExam, given_marked_exam, import_generation
from tests.people import MORNING

COUNT = 60
READ = "/api/v1/exams/thpt-2026/results"


@pytest.fixture
async def exam(connection, service) -> MarkedExam:
    """Open in this process, of one generation."""
    marked = await given_marked_exam(connection, "thpt-2026", "public", COUNT)
    await release(connection, marked.code, opens_at=MORNING, now=MORNING - timedelta(seconds=1))
    await given_open_bundle(connection, service.settings, marked.code)
    await service.hears_all_changes()
    return marked


@contextlib.asynccontextmanager
async def connected(service) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(service.url.rpartition(":")[2]))
    try:
        yield reader, writer
    finally:
        writer.close()


async def answer_on(reader: asyncio.StreamReader, *, bare: bool = False) -> tuple[int, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in head[1:] if line)
    status = int(head[0].split()[1])
    body = b"" if bare or status in (100, 304) else await reader.readexactly(int(headers["content-length"]))
    return status, headers, body


def address() -> str:
    return f"X-Real-IP: 10.{random.randrange(250)}.{random.randrange(250)}.{random.randrange(250)}"


def get(place: str, *headers: str, method: str = "GET", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {READ}/{place} HTTP/{version}", "Host: a", address(), *headers, "", ""]).encode()


async def test_of_many_at_once_everybody_gets_their_own(service, exam):
    async def somebody(seed: int) -> None:
        chance = random.Random(seed)
        async with connected(service) as (reader, writer):
            for _ in range(6):
                place = chance.randrange(1, COUNT + 1)
                ask, check = chance.choice(
                    [(exam.ask_json, exam.generation_in_json), (exam.ask_page, exam.generation_on_page)]
                )
                writer.write(ask(place, "a", address()))
                _, _, body = await answer_on(reader)
                assert check(place, body) == 1

    await asyncio.gather(*(somebody(seed) for seed in range(120)))


async def test_no_answer_fails_or_mixes_generations_while_they_switch(connection, service, exam, clock):
    seen, ended = set(), asyncio.Event()

    async def somebody(seed: int) -> None:
        chance = random.Random(seed)
        async with connected(service) as (reader, writer):
            while not ended.is_set():
                place = chance.randrange(1, COUNT + 1)
                writer.write(exam.ask_json(place, "a", address()))
                status, _, body = await answer_on(reader)
                assert status == 200
                generation = exam.generation_in_json(place, body)
                assert generation is not None, body
                seen.add(generation)
                await asyncio.sleep(0.01)

    asking = [asyncio.create_task(somebody(seed)) for seed in range(12)]
    await import_generation(connection, exam, await find_exam(connection, exam.code), 2)
    opens_at = MORNING + timedelta(seconds=5)
    await release(connection, exam.code, opens_at=opens_at, now=clock.now)
    await given_open_bundle(connection, service.settings, exam.code)
    await service.hears_all_changes()
    clock.now = opens_at
    async with asyncio.timeout(20):
        while 2 not in seen:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    ended.set()
    await asyncio.gather(*asking)
    assert seen == {1, 2}


async def test_questions_sent_one_behind_the_other_are_answered_in_their_order(service, exam):
    places = [1 + place * 7 % COUNT for place in range(40)]
    async with connected(service) as (reader, writer):
        asks = [exam.ask_json if place % 2 else exam.ask_page for place in places]
        writer.write(b"".join(ask(place, "a", address()) for ask, place in zip(asks, places, strict=True)))
        for place in places:
            _, _, body = await answer_on(reader)
            assert (exam.generation_in_json if place % 2 else exam.generation_on_page)(place, body) == 1


async def test_a_connection_stays_as_long_as_the_client_wants(service, exam):
    async with connected(service) as (reader, writer):
        for _ in range(3):
            writer.write(get(exam.number(1)))
            assert (await answer_on(reader))[0] == 200
        writer.write(get(exam.number(1), "Connection: close"))
        _, headers, _ = await answer_on(reader)
        assert headers["connection"] == "close"
        assert await reader.read() == b""
    async with connected(service) as (reader, writer):
        writer.write(get(exam.number(1), version="1.0"))
        status, headers, body = await answer_on(reader)
        assert (status, headers["connection"], exam.generation_in_json(1, body)) == (200, "close", 1)
        assert "transfer-encoding" not in headers
        assert await reader.read() == b""


async def test_head_tells_the_length_and_sends_nothing(service, exam):
    async with connected(service) as (reader, writer):
        writer.write(get(exam.number(1), method="HEAD") + get(exam.number(2)))
        status, told, _ = await answer_on(reader, bare=True)
        _, headers, body = await answer_on(reader)
        assert (status, told["content-length"]) == (200, headers["content-length"])
        assert exam.generation_in_json(2, body) == 1
        etag = headers["etag"]
        writer.write(get(exam.number(2), f"If-None-Match: {etag}") + get(exam.number(2)))
        status, headers, _ = await answer_on(reader)
        assert (status, "content-length" in headers) == (304, False)
        assert (await answer_on(reader))[0] == 200


async def test_a_body_in_chunks_and_one_that_waits_for_leave_are_read(service, exam):
    body = f'{{"candidate_number": "{exam.number(3)}"}}'.encode()
    head = f"POST {READ} HTTP/1.1\r\nHost: a\r\n{address()}\r\nContent-Type: application/json\r\n".encode()
    async with connected(service) as (reader, writer):
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(body), 9):
            piece = body[start : start + 9]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")
        assert exam.generation_in_json(3, (await answer_on(reader))[2]) == 1
        writer.write(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body))
        assert (await answer_on(reader))[0] == 100
        writer.write(body)
        assert exam.generation_in_json(3, (await answer_on(reader))[2]) == 1


async def test_a_head_beyond_all_measure_is_refused_and_a_large_one_answered(service, exam):
    async with connected(service) as (reader, writer):
        writer.write(get(exam.number(1), "X-Large: " + "a" * 20_000))
        assert (await answer_on(reader))[0] == 200
        writer.write(get(exam.number(1), "X-Absurd: " + "a" * 200_000))
        assert (await answer_on(reader))[0] == 431


@pytest.mark.parametrize("digits", [30, 5000])
async def test_a_length_of_very_many_digits_is_no_mistake_of_ours(service, exam, digits):
    body = json.dumps({"candidate_number": exam.number(1)}).encode()
    length = f"Content-Length: {len(body):0{digits}}"
    head = f"POST {READ} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    async with connected(service) as (reader, writer):
        writer.write(head.encode() + body)
        assert (await answer_on(reader))[0] < 500


async def test_whoever_does_not_read_is_let_go_and_others_are_answered_meanwhile(service, exam, monkeypatch):
    monkeypatch.setattr(patience, "SLOWEST_READER", 0.8)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", int(service.url.rpartition(":")[2])))
        client.setblocking(False)
        asked = exam.ask_page(1, "a", address())
        with pytest.raises(ConnectionError):  # noqa: PT012 - until it is
            async with asyncio.timeout(10):
                while True:
                    with contextlib.suppress(BlockingIOError):
                        client.send(asked)
                        await asyncio.sleep(0)
                        continue
                    async with connected(service) as (other, asking):
                        asking.write(get(exam.number(2)))
                        assert (await answer_on(other))[0] == 200
                    await asyncio.sleep(0.05)
