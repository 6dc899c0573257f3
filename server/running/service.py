"""Find the servers of a running service: by the URLs in the settings, else by what `baodanh run` left in STATE_DIR."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import asyncpg
import msgspec

from kit.errors import UsageError
from server.settings import Settings


class Service(msgspec.Struct, frozen=True):
    """Where a running service keeps its data and answers; written to `run/service.json`. `node` is its first node."""

    database_url: str
    database_owner_url: str
    redis_url: str
    url: str
    pid: int
    node: str = ""
    sends_mail: bool = False


def service_file(settings: Settings) -> Path:
    """Where `baodanh run` writes its Service."""
    return settings.state_dir / "run" / "service.json"


def find_database(settings: Settings, *, owner: bool = False) -> str:
    """The database's URL; raises UsageError when none is set and no service runs here."""
    if settings.database_url:
        return settings.database_owner_url if owner else settings.database_url
    service = _find_service(settings, "DATABASE_URL")
    return service.database_owner_url if owner else service.database_url


def find_redis(settings: Settings) -> str:
    """The address of Redis; raises UsageError when none is set and no service runs here."""
    return settings.redis_url or _find_service(settings, "REDIS_URL").redis_url


def _find_service(settings: Settings, other: str) -> Service:
    try:
        return msgspec.json.decode(service_file(settings).read_bytes(), type=Service)
    except (OSError, msgspec.DecodeError):
        raise UsageError(
            f"No service runs on {settings.state_dir}. Start it with `make run`, or set STATE_DIR or {other}."
        ) from None


def find_home(settings: Settings) -> str:
    """The address of our pages for letters that a command writes: the running service's own, where one runs here."""
    if settings.public_url or settings.database_url:
        return settings.home
    try:
        return msgspec.json.decode(service_file(settings).read_bytes(), type=Service).url
    except (OSError, msgspec.DecodeError):
        return settings.home


@contextlib.asynccontextmanager
async def connect(settings: Settings, *, owner: bool = False) -> AsyncGenerator[asyncpg.Connection, None]:
    """A connection for a command; raises UsageError with one sentence when PostgreSQL cannot be reached."""
    url = find_database(settings, owner=owner)
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError) as problem:
        raise UsageError(f"PostgreSQL cannot be reached ({type(problem).__name__}). Is the service running?") from None
    try:
        yield connection
    finally:
        await connection.close(timeout=10)
