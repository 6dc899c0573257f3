"""Bytes to the service and its answers back, without a client's good manners in between."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator

import msgspec

# What reuses its connection, eight at a time; the rest may make the service wait and is not worth waiting for.
_STEADY_LINES, _WILD_LINES = 8, 64
_PATIENCE, _WILD_PATIENCE = 30.0, 2.0
_BODILESS = (204, 304)


class Request(msgspec.Struct, frozen=True):
    """What goes out. `steady`: surely answered in full, after which the connection can be used again."""

    method: str
    target: str
    raw: bytes
    steady: bool = True


class Answer(msgspec.Struct, frozen=True):
    """What came back. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


Exchange = tuple[Request, Answer | None]


async def exchange_all(port: int, requests: Iterable[Request]) -> list[Exchange]:
    """Every request with its answer; None where the service said nothing until it had been waited for in vain."""
    requests = list(requests)
    steady = iter([request for request in requests if request.steady])
    wild = iter([request for request in requests if not request.steady])
    lines = [_keep_a_line(port, steady) for _ in range(_STEADY_LINES)]
    lines += [_open_a_line_each(port, wild) for _ in range(_WILD_LINES)]
    return [exchange for line in await asyncio.gather(*lines) for exchange in line]


async def _keep_a_line(port: int, requests: Iterator[Request]) -> list[Exchange]:
    done: list[Exchange] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in requests:
        try:
            answer = await asyncio.wait_for(_ask(reader, writer, request), _PATIENCE)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            raise AssertionError(f"No answer to {request.raw[:500]!r}") from None
        done.append((request, answer))
        if answer.headers.get("connection") == "close":
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return done


async def _open_a_line_each(port: int, requests: Iterator[Request]) -> list[Exchange]:
    done: list[Exchange] = []
    for request in requests:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = None
        # A line cut off is an answer of its own kind.
        with contextlib.suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            answer = await asyncio.wait_for(_ask(reader, writer, request), _WILD_PATIENCE)
        done.append((request, answer))
        writer.close()
    return done


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request) -> Answer:
    writer.write(request.raw)
    await writer.drain()
    status, headers = await _read_head(reader)
    if status in _BODILESS or request.method == "HEAD":
        return Answer(status, headers, b"")
    if "content-length" in headers:
        return Answer(status, headers, await reader.readexactly(int(headers["content-length"])))
    return Answer(status, headers, await _read_chunks(reader))


async def _read_head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").splitlines()
    status = int(lines[0].split()[1])
    if status == 100:
        return await _read_head(reader)
    named = (line.partition(":") for line in lines[1:] if line)
    return status, {name.lower(): value.strip() for name, _, value in named}


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
