"""Wait until the service answers, so that the address we print can be opened at once."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from kit.errors import UsageError
from server.running.python_process import PythonProcess

_SECONDS = 60.0
# As long as a web process may take to hear from PostgreSQL; if that is away, it serves what it can.
_READY_SECONDS = 3.0
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


async def first_answer(url: str, workers: Sequence[PythonProcess]) -> None:
    """Return once a web process is ready or, when what it needs is away, alive. UsageError when none can start."""
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < _SECONDS:
        status = await _status(url)
        if status == HTTPStatus.OK or (status and waited > _READY_SECONDS):
            return
        for worker in workers:
            if worker.starts > _STARTS:
                raise worker.failure()
        await asyncio.sleep(_LOOK_SECONDS)
    raise UsageError("The web processes do not answer: what they said stands above.")


async def _status(url: str) -> int:
    """The HTTP status of /readyz; 0 when nobody answers."""
    parts = urlsplit(url)
    request = f"GET /readyz HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            with contextlib.closing(writer):
                writer.write(request.encode())
                words = (await reader.readline()).split()
                return int(words[1]) if len(words) > 1 else 0
    return 0
