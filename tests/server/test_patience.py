"""A stranger cannot hold a worker's memory with endless headers, nor its time with endless waiting."""

import asyncio
import contextlib
from urllib.parse import urlsplit

import pytest

from server.running import patience
from server.running.patience import LARGEST_HEAD

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
UNFINISHED_BODY = (
    b"POST /api/v1/exams/x/results HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"
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
