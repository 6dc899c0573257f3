"""The keys of releases arrive on four ways, each on its own: PostgreSQL's word, its row, Redis, the node's folder."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import asyncpg
import structlog

from kit.keys import KeyRing
from kit.redis_listening import listen
from kit.sql import UNREACHABLE
from lookup.sealed.key_message import REDIS_CHANNEL, KeyMessage, open_message, read_message
from lookup.sealed.openings import openings
from lookup.sealed.release_folder import read_key
from lookup.sealed.vault import Vault

log = structlog.get_logger()

# Around an expected opening somebody looks every 50 ms, otherwise every second.
_SOON, _PAST = timedelta(seconds=2), timedelta(seconds=10)
_QUICK_SECONDS, _CALM_SECONDS = 0.05, 1.0
# A row is one of four ways: nobody waits long for it.
_ROW_SECONDS = 1.0


class KeyHearing:
    """Hands every key that comes to the vault, which decides what to do with it; `clock` is the service's."""

    def __init__(self, vault: Vault, pool: asyncpg.Pool, keys: KeyRing, clock: Callable[[], datetime]) -> None:
        self._vault, self._pool, self._keys, self._clock = vault, pool, keys, clock

    async def listen(self, redis_url: str) -> None:
        """Hear keys until cancelled; survives any loss. PostgreSQL's word comes by `hear_notification`."""
        await asyncio.gather(
            self._keep(self._look_in_folder),
            self._keep(self._look_at_rows),
            self._keep(lambda: listen(redis_url, REDIS_CHANNEL, self._hear_redis)),
        )

    def hear_notification(self, *notification: object) -> None:
        """As asyncpg calls it: connection, process, channel, and the message."""
        self._take(read_message(str(notification[-1])), "postgresql-notify")

    def _hear_redis(self, sealed: bytes) -> None:
        for key in self._keys.all("cache"):
            if message := open_message(sealed, key.value):
                self._take(message, "redis")
                return

    def _take(self, message: KeyMessage | None, source: str) -> None:
        if message:
            self._vault.take_key(message.bundle_id, message.key, self._clock(), source)

    async def _keep(self, look: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await look()
            except UNREACHABLE:
                log.debug("release_keys_cannot_be_asked_for")
            except Exception:
                # Whatever it is: who stops looking would never open.
                log.exception("release_keys_cannot_be_heard")
            await asyncio.sleep(self._pause())

    def _pause(self) -> float:
        now = self._clock()
        is_near = any(-_SOON <= now - moment <= _PAST for moment in self._vault.awaited().values())
        return _QUICK_SECONDS if is_near else _CALM_SECONDS

    async def _look_in_folder(self) -> None:
        """Of this node's own worker, of a slip, or of a process beside this one."""
        for bundle_id in self._vault.awaited():
            if key := read_key(self._vault.folder, bundle_id):
                self._vault.take_key(bundle_id, key, self._clock(), "folder")
        self._vault.look(self._clock())
        await self._vault.keep_keys()

    async def _look_at_rows(self) -> None:
        now = self._clock()
        due = [bundle_id for bundle_id, moment in self._vault.awaited().items() if moment - now <= _SOON]
        if due:
            async with asyncio.timeout(_ROW_SECONDS):
                rows = await openings.list_opening_keys(self._pool, ids=due)
            for row in rows:
                self._vault.take_key(row["id"], row["opening_key"], self._clock(), "row")
