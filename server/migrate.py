"""Bring the service's database up to date, or say in one sentence why that cannot be."""

from pathlib import Path

import asyncpg

import kit
import lookup
import units
from kit.errors import UsageError
from kit.migrator import Migration, find_migrations, migrate

OLDEST_POSTGRES = 15
_CONNECT_SECONDS = 10
# In the order of the arrows: lookup's tables refer to those of units. Every package with tables stands here.
PACKAGES = (kit, units, lookup)

_AWAY = (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError)
_REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ClientConfigurationError,
)


class DatabaseAwayError(UsageError):
    """PostgreSQL cannot be reached at the moment; it may be there in a minute."""


async def bring_up_to_date(owner_url: str, runtime_url: str) -> list[Migration]:
    """Apply the missing migrations as the owner, and let the run-time role read and write. Returns what was applied.

    Raises DatabaseAwayError when nobody answers, other UsageErrors when waiting would not help.
    """
    try:
        return await _migrate(owner_url, runtime_url)
    except _AWAY as problem:
        raise DatabaseAwayError(f"PostgreSQL cannot be reached: {_told(problem)}.") from None
    except asyncpg.InsufficientPrivilegeError as problem:
        raise UsageError(
            f"PostgreSQL refuses: {_told(problem)}. Set DATABASE_OWNER_URL to the role that owns the tables."
        ) from None
    except _REFUSED as problem:
        raise UsageError(f"PostgreSQL refuses: {_told(problem)}.") from None
    except asyncpg.DiskFullError as problem:
        raise UsageError(f"PostgreSQL has no space left: {_told(problem)}.") from None


async def _migrate(owner_url: str, runtime_url: str) -> list[Migration]:
    owner = await asyncpg.connect(owner_url, timeout=_CONNECT_SECONDS)
    try:
        if (version := owner.get_server_version()).major < OLDEST_POSTGRES:
            raise UsageError(f"This is PostgreSQL {version.major}; the service needs {OLDEST_POSTGRES} or later.")
        role = await _role_of(runtime_url) if runtime_url != owner_url else None
        packages = [Path(str(package.__file__)).parent for package in PACKAGES]
        return await migrate(owner, find_migrations(packages), role)
    finally:
        await owner.close(timeout=_CONNECT_SECONDS)


async def _role_of(url: str) -> str:
    connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    try:
        return await connection.fetchval("select current_user")
    finally:
        await connection.close(timeout=_CONNECT_SECONDS)


def _told(problem: BaseException) -> str:
    return str(problem).rstrip(".") or "it does not answer in time"
