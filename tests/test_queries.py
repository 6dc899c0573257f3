"""Every named query is one that PostgreSQL understands and that somebody calls."""

import re
from pathlib import Path

import pytest

from kit import sql

ROOT = Path(__file__).parents[1]
FILES = sorted(ROOT.glob("*/sql/*.sql"))
SOURCES = "\n".join(
    path.read_text() for folder in ("units", "lookup", "server") for path in (ROOT / folder).glob("**/*.py")
)


def named_queries():
    for path in FILES:
        queries = sql.load(str(path.parents[1] / "__init__.py"), path.stem)
        for name in queries.available_queries:
            if not name.endswith("_cursor"):
                yield pytest.param(getattr(queries, name), path, id=f"{path.parent.parent.name}/{path.stem}.{name}")


@pytest.mark.parametrize(("query", "path"), list(named_queries()))
async def test_a_query_is_understood_by_postgresql_and_called_by_name(query, path, connection):
    await connection.prepare(query.sql)
    assert re.search(rf"\.{query.__name__}\(", SOURCES), f"nobody calls {query.__name__} of {path}"
    declared = re.search(rf"-- name: {query.__name__}\(([^)]*)\)", path.read_text())
    parameters = {name.strip() for name in declared[1].split(",") if name.strip()}
    assert len(set(re.findall(r"\$\d+", query.sql))) == len(parameters), "parameters found differ from those declared"
