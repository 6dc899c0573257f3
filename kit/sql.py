"""Named queries from `.sql` files, one file per subject, called straight from the use case."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
from aiosql.types import SQLOperationType

from kit.bounded_pool import BoundedPool

# What a query runs on. Reads take the pool, not a connection, so an answer from the cache costs the database nothing.
Database = asyncpg.Pool | asyncpg.Connection | BoundedPool

# What a PostgreSQL that is away, silent or going away is noticed by.
UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


def load(package_file: str, subject: str) -> Any:
    """The queries of `sql/<subject>.sql` beside the package's `__init__.py`, as attributes.

    `package_file` is the caller's `__file__`. Every query takes a pool or a connection first and its parameters by
    keyword. A list query returns a list: aiosql's generator would hold its pool connection until it is exhausted.
    """
    path = Path(package_file).parent / "sql" / f"{subject}.sql"
    queries = aiosql.from_path(path, "asyncpg", mandatory_parameters=True)
    for name in queries.available_queries:
        query = getattr(queries, name)
        if query.operation == SQLOperationType.SELECT and not name.endswith("_cursor"):
            setattr(queries, name, _gathered(query))
    return queries


class CopyOut:
    """A connection for one list query whose rows go to `output`, as COPY writes them: `query(CopyOut(...), ...)`.

    `output` is a coroutine function that takes blocks of bytes, which do not end where rows end. A million rows become
    no objects here.
    """

    def __init__(self, connection: asyncpg.Connection, output: Callable[[bytes], Awaitable[None]]) -> None:
        self._connection, self._output = connection, output

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """What a query calls; returns no row."""
        await self._connection.copy_from_query(query.rstrip().removesuffix(";"), *values, output=self._output)
        return []


def broken_rule(violation: asyncpg.PostgresError) -> str:
    """The name of the constraint that the database refused by: it becomes the word of a domain error."""
    return str(getattr(violation, "constraint_name", ""))


def _gathered(query: Any) -> Any:
    async def gather(connection: Any, **parameters: Any) -> list[Any]:
        return [row async for row in query(connection, **parameters)]

    gather.__name__, gather.__doc__ = query.__name__, query.__doc__
    gather.sql, gather.operation = query.sql, query.operation  # type: ignore[attr-defined]
    return gather
