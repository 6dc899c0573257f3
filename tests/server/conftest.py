"""Room for services and servers that tests start themselves."""

import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import reachable_folder


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the test's own that the embedded servers' user can reach."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture
def baodanh(settings):
    """Runs `baodanh ...` against the test's database: (exit code, what it said, what it complained of)."""
    environ = os.environ | {
        "STATE_DIR": str(settings.state_dir),
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "REDIS_URL": settings.redis_url,
    }

    async def run(*arguments: str) -> tuple[int, str, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "server", *arguments, env=environ, stdout=-1, stderr=-1
        )
        said, complained = await process.communicate()
        assert b"Traceback" not in complained, complained.decode()
        return process.returncode or 0, said.decode(), complained.decode()

    return run
