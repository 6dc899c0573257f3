"""Sealed files as the worker builds them from PostgreSQL, opened as a web process opens them."""

from pathlib import Path

import asyncpg
import msgspec
import pytest

from kit.keys import KeyRing
from lookup.sealed import build_process, building
from lookup.sealed.build_orders import Bind, Bound, Sealed, SealRows
from lookup.sealed.building import Tools, seal_release
from lookup.sealed.bundle import Bundle
from lookup.sealed.open_release import OpenRelease
from lookup.sealed.record import FACTS, decode_facts
from lookup.sealed.release_keys import ReleaseKeys
from tests.conftest import Database


class Built(msgspec.Struct, frozen=True):
    """Seals releases and opens what came of it; files of the worker lie in `folder`."""

    tools: Tools
    folder: Path

    @classmethod
    def make(cls, pool: asyncpg.Pool, database: Database, folder: Path) -> "Built":
        keys = KeyRing(folder / "keys")
        return cls(Tools(pool=pool, database_url=database.url, folder=folder / "sealing", keys=keys), folder)

    @classmethod
    def in_this_process(cls, pool, database, folder: Path, monkeypatch: pytest.MonkeyPatch) -> "Built":
        """What the worker's processes do is done here: a hundred builds need not start three hundred processes."""

        async def seal_rows(orders: list[SealRows], tell) -> Sealed:
            done = [await build_process._seal(order) for order in orders]
            return Sealed(sum(each.results for each in done), sum(each.records for each in done))

        async def bind(order: Bind) -> Bound:
            return build_process._bind(order)

        monkeypatch.setattr(building, "seal_rows", seal_rows)
        monkeypatch.setattr(building, "bind", bind)
        return cls.make(pool, database, folder)

    @property
    def keys(self) -> KeyRing:
        return self.tools.keys

    async def open(self, exam: str, generation: int) -> OpenRelease:
        """Seal it, take the file out of PostgreSQL, and open it with its key."""
        assert await seal_release(self.tools, exam, generation)
        row = await self.stored(exam, generation)
        path = self.folder / f"{row['id']}.bundle"
        path.write_bytes(await self.content(row["id"]))
        bundle = Bundle(path, row["signed_by"])
        key = ReleaseKeys(self.keys).unwrap(row["wrapped_key"], exam, generation, row["id"])
        return OpenRelease(bundle, key, decode_facts(bundle.part(key, FACTS)))

    async def stored(self, exam: str, generation: int = 1) -> asyncpg.Record:
        return await self.tools.pool.fetchrow(
            "select * from lookup.bundles where exam_code = $1 and generation = $2 and state = 'stored'"
            " order by id desc limit 1", exam, generation,
        )  # fmt: skip

    async def content(self, bundle_id: int) -> bytes:
        pieces = await self.tools.pool.fetch(
            "select content from lookup.bundle_pieces where bundle_id = $1 order by number", bundle_id
        )
        return b"".join(piece["content"] for piece in pieces)
