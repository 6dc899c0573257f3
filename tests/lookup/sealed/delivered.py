"""Sealed files as the worker leaves them in PostgreSQL, for tests of how they and their keys travel."""

import asyncio
import contextlib
import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from kit.keys import KeyRing
from lookup.sealed.bundle_writer import Entry, Facts, write_bundle
from lookup.sealed.release_keys import ReleaseKeys
from tests.lookup.sealed.given import SIGNED_BY, SIGNER
from units.changes import Change, announce

SECOND = timedelta(seconds=1)


class Stored(msgspec.Struct, frozen=True):
    """A bundle that lies in PostgreSQL in pieces."""

    id: int
    exam: str
    generation: int
    key: bytes
    content: bytes
    opens_at: datetime


async def now_of(connection: asyncpg.Connection) -> datetime:
    return await connection.fetchval("select clock_timestamp()")


async def given_stored(
    connection: asyncpg.Connection,
    keys: KeyRing,
    folder: Path,
    exam: str,
    *,
    generation: int = 1,
    opens_in: timedelta = timedelta(hours=1),
    records: int = 400,
    piece: int = 20_000,
    wants_slip: bool = False,
) -> Stored:
    """A release with its bundle; made where nobody looks for it."""
    opens_at = await now_of(connection) + opens_in
    key, release_keys = secrets.token_bytes(32), ReleaseKeys(keys)
    await connection.execute(
        "insert into lookup.releases (exam_code, generation, opens_at, released_at, result_count, distributions,"
        " wants_slip, sealed_at) values ($1, $2, $3, clock_timestamp(), $4, '{}', $5, clock_timestamp())"
        " on conflict (exam_code, generation) do update set opens_at = excluded.opens_at",
        exam, generation, opens_at, records, wants_slip,
    )  # fmt: skip
    bundle_id = await connection.fetchval(
        "insert into lookup.bundles (exam_code, generation, state, begun_at, result_count)"
        " values ($1, $2, 'building', clock_timestamp(), $3) returning id",
        exam, generation, records,
    )  # fmt: skip
    facts = Facts(exam, generation, "public", opens_at, opens_at, records)
    content = await asyncio.to_thread(_make, folder / f"made-{bundle_id}", facts, key)
    async with connection.transaction():
        for number, start in enumerate(range(0, len(content), piece)):
            await connection.execute(
                "insert into lookup.bundle_pieces (bundle_id, number, content) values ($1, $2, $3)",
                bundle_id, number, content[start : start + piece],
            )  # fmt: skip
        await connection.execute(
            "update lookup.bundles set state = 'stored', stored_at = clock_timestamp(), size = $2, sha256 = $3,"
            " signed_by = $4, wrapped_key = $5 where id = $1",
            bundle_id, len(content), hashlib.sha256(content).digest(), SIGNED_BY,
            release_keys.wrap(key, exam, generation, bundle_id),
        )  # fmt: skip
        await announce(connection, Change("exam", exam, "sealed"), opens_at)
    return Stored(bundle_id, exam, generation, key, content, opens_at)


def _make(path: Path, facts: Facts, key: bytes) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [Entry(f"{number:08}", "", secrets.token_bytes(60)) for number in range(facts.results)]
    write_bundle(path, facts, entries, {}, generation_key=key, signer=SIGNER)
    content = path.read_bytes()
    path.unlink()
    return content


@contextlib.asynccontextmanager
async def at_work(coroutine):
    """Something that goes on beside the test."""
    task = asyncio.create_task(coroutine)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(happened, seconds: float = 10):
    """Wait for what `happened` tells, a function or a coroutine function; returns it."""
    async with asyncio.timeout(seconds):
        while True:
            found = happened()
            if asyncio.iscoroutine(found):
                found = await found
            if found:
                return found
            await asyncio.sleep(0.01)


class Relay:
    """The way to a server through a unix socket of our own, which a test may freeze or cut."""

    def __init__(self, target: str, socket_path: Path) -> None:
        self._target, self._path = target, socket_path
        self._flowing = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Let everything through."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_unix_server(self._serve, str(self._path))

    def freeze(self) -> None:
        """Connections stay, and nothing comes through: what a stopped process looks like."""
        self._flowing.clear()

    async def cut(self) -> None:
        """Connections end, and nobody answers: what a killed process looks like."""
        if self._server:
            self._server.close()
            self._server = None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        theirs_in, theirs_out = await asyncio.open_unix_connection(self._target)
        for task in (
            asyncio.create_task(self._pass_on(reader, theirs_out, writer)),
            asyncio.create_task(self._pass_on(theirs_in, writer, theirs_out)),
        ):
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65536):
                await self._flowing.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
            back.close()


@contextlib.asynccontextmanager
async def relay_to(target: str, socket_path: Path):
    """An open Relay."""
    relay = Relay(target, socket_path)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.cut()
