"""The web application without a socket: for what has to be started and ended within one test."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx


@contextlib.asynccontextmanager
async def served(app, address: str = "203.0.113.7") -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of the application from `address` while it runs, from its start to its end in good order."""
    orders, answers = asyncio.Queue(), asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "asgi": {}}, orders.get, answers.put))
    try:
        await _tell(orders, answers, "startup")
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        headers = {"X-Real-IP": address}
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as visitor:
            yield visitor
        await _tell(orders, answers, "shutdown")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _tell(orders: asyncio.Queue, answers: asyncio.Queue, what: str) -> None:
    await orders.put({"type": f"lifespan.{what}"})
    answer = await answers.get()
    assert answer["type"] == f"lifespan.{what}.complete", answer
