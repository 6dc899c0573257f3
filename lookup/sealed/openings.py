"""A web process says which sealed files it answers from, and what is wrong with others."""

from collections.abc import Mapping

from kit import sql
from kit.sql import Database
from lookup.sealed.vault import Opening

openings = sql.load(__file__, "openings")


class Openings:
    """What `process` ("NODE/1") has told; told again where it changed, as soon as PostgreSQL is there."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._told: Mapping[int, Opening] | None = None

    async def tell(self, database: Database, now_held: Mapping[int, Opening]) -> None:
        """Say what is held now."""
        if now_held == self._told:
            return
        ids = list(now_held)
        await openings.forget_other_openings(database, process=self._process, ids=ids)
        await openings.tell_openings(
            database,
            process=self._process,
            ids=ids,
            opened_at=[opening.opened_at for opening in now_held.values()],
            problems=[opening.problem for opening in now_held.values()],
        )
        self._told = dict(now_held)

    async def forget(self, database: Database) -> None:
        """A process that stops in good order answers from nothing."""
        await openings.forget_other_openings(database, process=self._process, ids=[])
