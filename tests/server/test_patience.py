"""A stranger cannot hold a worker's memory with endless headers, nor its time with endless waiting."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import pytest

from server.running import patience
from server.running.patience import LARGEST_HEAD, PatientProtocol

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
UNFINISHED_BODY = (
    b"POST /api/v1/exams/x/results HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
)
CHUNKED = (
    b"POST /api/v1/exams/x/results HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.fixture
async def connection_to(service):
    address = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    yield reader, writer
    writer.close()


async def test_a_head_that_does_not_end_is_refused_before_it_fills_the_memory(connection_to):
    reader, writer = connection_to
    writer.write(HEAD + b"X: ")
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 100 * LARGEST_HEAD and not reader.at_eof():
            writer.write(b"a" * 4096)
            await writer.drain()
            # The server turns in the same loop.
            await asyncio.sleep(0)
            sent += 4096
    assert sent < 100 * LARGEST_HEAD
    # Whoever is still sending when it hangs up may hear a reset in place of the answer.
    with contextlib.suppress(ConnectionError):
        assert (await reader.read(64)).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("line", [b"X-Real-IP: 192.0.2.1\r\n", b"a" * 24], ids=["many", "one"])
async def test_headers_behind_a_body_do_not_fill_the_memory(connection_to, line):
    reader, writer = connection_to
    writer.write(CHUNKED + b"1\r\n{\r\n0\r\n" + (b"" if line.endswith(b"\n") else b"X: "))
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 100 * LARGEST_HEAD and not reader.at_eof():
            writer.write(line * 200)
            await writer.drain()
            await asyncio.sleep(0)
            sent += 200 * len(line)
    assert sent < 100 * LARGEST_HEAD


async def test_headers_behind_a_body_are_not_those_of_the_request():
    protocol = PatientProtocol.__new__(PatientProtocol)
    protocol.headers, protocol.expect_100_continue = [], False
    protocol._in_head = True
    protocol.on_header(b"Host", b"x")
    protocol._in_head = False
    protocol.on_header(b"X-Real-IP", b"192.0.2.1")
    assert protocol.headers == [(b"host", b"x")]


async def test_a_body_in_very_many_pieces_is_read(connection_to):
    reader, writer = connection_to
    writer.write(CHUNKED)
    for _ in range(2 * LARGEST_HEAD // 1024):
        # More around the body than in it.
        writer.write(b"1;" + b"a" * 1024 + b"\r\n \r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 404 ")


async def test_many_ordinary_requests_on_one_connection_add_up_to_nothing(connection_to):
    reader, writer = connection_to
    request = HEAD + b"X: " + b"a" * 2000 + b"\r\n\r\n"
    for _ in range(2 * LARGEST_HEAD // len(request)):
        writer.write(request)
        assert b" 200 " in await reader.readline()
        while (await reader.readline()).strip():
            pass
        await reader.readexactly(len('{"status":"alive"}'))


@pytest.mark.parametrize("begun", [b"G", HEAD, UNFINISHED_BODY], ids=["line", "head", "body"])
async def test_a_request_that_is_never_finished_is_not_waited_for(monkeypatch, connection_to, begun):
    monkeypatch.setattr(patience, "SLOWEST_REQUEST", 0.3)
    reader, writer = connection_to
    writer.write(begun)
    async with asyncio.timeout(10):
        said = await reader.read()
    assert said == b"" or said.startswith(b"HTTP/1.1 404 ")
