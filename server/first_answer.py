"""Wait until the service answers, so that the address we print can be opened at once."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from kit.errors import UsageError
from server.web_worker import WebWorker

_SECONDS = 60.0
_LOOK_SECONDS = 0.02
# One of them may be killed while it starts; three times is a mistake of ours or in the settings.
_STARTS = 3


def own_url(listening: socket.socket) -> str:
    """The address under which this machine reaches the socket."""
    host, port = listening.getsockname()[:2]
    address = ip_address(host)
    if address.is_unspecified:
        address = ip_address("127.0.0.1" if address.version == 4 else "::1")  # noqa: PLR2004 - IPv4
    return f"http://[{address}]:{port}" if address.version == 6 else f"http://{address}:{port}"  # noqa: PLR2004 - IPv6


async def first_answer(url: str, workers: Sequence[WebWorker]) -> None:
    """Return once a web process has answered. UsageError when they cannot even start."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            while not await _answers(url):
                for worker in workers:
                    if worker.starts > _STARTS:
                        raise worker.failure()
                await asyncio.sleep(_LOOK_SECONDS)
            return
    raise UsageError("The web processes do not answer: what they said stands above.")


async def _answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"GET /healthz HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            return (await reader.readline()).startswith(b"HTTP/1.1 ")
        finally:
            writer.close()
    except OSError:
        return False
