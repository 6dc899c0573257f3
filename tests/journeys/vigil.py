"""Somebody who asks for a result without end: each time over a new connection, so of any web process."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Self

import httpx

from kit.clock import utc_now

_NEVER_KEPT = httpx.Limits(max_keepalive_connections=0)


class Vigil:
    """Asks again and again for a result that opens at a moment."""

    def __init__(self, url: str, path: str, opens_at: datetime) -> None:
        self._client = httpx.AsyncClient(base_url=url, limits=_NEVER_KEPT)
        self._path, self._opens_at = path, opens_at
        self._last_refused, self._refused = utc_now(), 0
        self._task: asyncio.Task[datetime] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self._client.aclose()

    async def sees_it_open(self, *, within: timedelta) -> None:
        """Nobody was answered before the moment, and nobody refused from shortly after it on."""
        assert self._task
        first_seen = await self._task
        assert self._refused > 30, "It was hardly asked for before."
        assert first_seen >= self._opens_at, f"Seen {self._opens_at - first_seen} too early."
        late = max(first_seen, self._last_refused) - self._opens_at
        assert late < within, f"Everybody saw it {late} after the moment only."

    async def _watch(self) -> datetime:
        """When the first answer had come; some more are asked for after that, of either process."""
        seen: list[datetime] = []
        while len(seen) < 50:
            asked_at = utc_now()
            status = (await self._client.get(self._path)).status_code
            if status == httpx.codes.OK:
                seen.append(utc_now())
            else:
                assert status == httpx.codes.NOT_FOUND
                self._last_refused, self._refused = asked_at, self._refused + 1
            await asyncio.sleep(0.005 if abs(utc_now() - self._opens_at) < timedelta(seconds=2) else 0.2)
        return seen[0]


async def last_answer(url: str, path: str) -> datetime:
    """When somebody was given it for the last time: a hundred in a row were refused after that."""
    last, refused = utc_now(), 0
    async with httpx.AsyncClient(base_url=url, limits=_NEVER_KEPT) as client, asyncio.timeout(30):
        while refused < 100:
            answer = await client.get(path)
            last, refused = (utc_now(), 0) if answer.status_code == httpx.codes.OK else (last, refused + 1)
    return last
