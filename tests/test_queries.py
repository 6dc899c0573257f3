"""Every named query is one that PostgreSQL understands and that somebody calls."""

import re
from pathlib import Path

import asyncpg
import pytest
from aiosql.types import SQLOperationType

from kit import sql

ROOT = Path(__file__).parents[1]
PACKAGES = ("kit", "units", "lookup", "server")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("sql/*.sql"))
CODE = [path.read_text(encoding="utf-8") for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]


@pytest.fixture(params=FILES, ids=lambda path: f"{path.parts[-3]}/{path.stem}")
def queries(request):
    return sql.load(str(request.param.parents[1] / "__init__.py"), request.param.stem), request.param


async def test_postgresql_understands_every_query(queries, connection):
    loaded, _ = queries
    problems = []
    async with connection.transaction():
        # An import stages its rows in temporary tables, made by the scripts that its file begins with.
        for query in named(loaded):
            if query.__name__.startswith("create_"):
                await getattr(loaded, query.__name__)(connection)
        for query in named(loaded):
            if query.operation != SQLOperationType.SCRIPT:
                try:
                    await connection.prepare(query.sql)
                except asyncpg.PostgresError as problem:
                    problems.append(f"{query.__name__}: {problem}")
    assert not problems


def test_every_query_is_called_by_its_name(queries):
    loaded, _ = queries
    calls = set(re.findall(r"\.(\w+)\(", "\n".join(CODE)))
    assert not {query.__name__ for query in named(loaded)} - calls


def test_a_query_declares_just_the_parameters_it_uses(queries):
    loaded, path = queries
    declared = dict(re.findall(r"^-- name: (\w+)\(([^)]*)\)", path.read_text(encoding="utf-8"), re.MULTILINE))
    for query in named(loaded):
        parameters = {name.strip() for name in declared[query.__name__].split(",") if name.strip()}
        assert len(set(re.findall(r"\$\d+", query.sql))) == len(parameters), query.__name__


def named(loaded):
    return [getattr(loaded, name) for name in loaded.available_queries if not name.endswith("_cursor")]
