"""Bring the database to what this version of the code expects: forward only, one at a time, never edited."""

import hashlib
from pathlib import Path

import asyncpg
import msgspec

from kit.errors import UsageError

# Any number will do, as long as every node uses the same.
_LOCK = 7_202_611

_BOOKS = """
create schema if not exists kit;
create table if not exists kit.migrations (
    package text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    primary key (package, name)
)
"""


class Migration(msgspec.Struct, frozen=True):
    """One `.sql` file: its package, its name (`0001_create_units`), its text and the text's SHA-256 in hex."""

    package: str
    name: str
    sql: str
    checksum: str


def find_migrations(packages: list[Path]) -> list[Migration]:
    """All migrations of the package folders, in the order of the packages and then of their numbers."""
    return [
        Migration(
            package=folder.name,
            name=path.stem,
            sql=(text := path.read_text(encoding="utf-8")),
            checksum=hashlib.sha256(text.encode()).hexdigest(),
        )
        for folder in packages
        for path in sorted((folder / "migrations").glob("[0-9][0-9][0-9][0-9]_*.sql"))
    ]


async def migrate(owner: asyncpg.Connection, migrations: list[Migration], runtime_role: str | None) -> list[Migration]:
    """Apply what is missing and return it. `runtime_role` then may read and write, but not change the tables.

    Raises UsageError when an applied file was edited since, when the database is newer than this code, or when
    somebody else holds the migration lock for more than ten seconds.
    """
    await owner.execute("set lock_timeout = '10s'")
    try:
        await owner.execute("select pg_advisory_lock($1)", _LOCK)
    except asyncpg.LockNotAvailableError:
        raise UsageError("Another process is migrating this database. Wait for it, then try again.") from None
    try:
        await owner.execute(_BOOKS)
        missing = await _missing(owner, migrations)
        for migration in missing:
            await _apply(owner, migration)
        if runtime_role:
            await _grant(owner, list(dict.fromkeys(["kit", *(m.package for m in migrations)])), runtime_role)
        return missing
    finally:
        await owner.execute("select pg_advisory_unlock($1)", _LOCK)


async def _missing(owner: asyncpg.Connection, migrations: list[Migration]) -> list[Migration]:
    applied = {
        (row["package"], row["name"]): row["checksum"]
        for row in await owner.fetch("select package, name, checksum from kit.migrations")
    }
    known = {(m.package, m.name): m for m in migrations}
    if newer := sorted(applied.keys() - known.keys()):
        raise UsageError(f"The database is newer than this program: it knows {newer[-1][0]}/{newer[-1][1]}.")
    for key, checksum in applied.items():
        if known[key].checksum != checksum:
            raise UsageError(f"Migration {key[0]}/{key[1]} was edited after it was applied. Add a new one instead.")
    return [m for m in migrations if (m.package, m.name) not in applied]


async def _apply(owner: asyncpg.Connection, migration: Migration) -> None:
    async with owner.transaction():
        await owner.execute(migration.sql)
        await owner.execute(
            "insert into kit.migrations (package, name, checksum) values ($1, $2, $3)",
            migration.package,
            migration.name,
            migration.checksum,
        )


async def _grant(owner: asyncpg.Connection, schemas: list[str], role: str) -> None:
    """Rows may be read and written; a table whose comment begins with `rights: ` says itself what may be done."""
    quoted = await owner.fetchval("select quote_ident($1)", role)
    for schema in schemas:
        await owner.execute(f"grant usage on schema {schema} to {quoted}")
        await owner.execute(f"grant usage, select on all sequences in schema {schema} to {quoted}")
        for table in await owner.fetch(_TABLES, schema):
            await owner.execute(f"revoke all on {table['name']} from {quoted}")
            await owner.execute(f"grant {table['rights']} on {table['name']} to {quoted}")


_TABLES = """
select c.oid::regclass::text as name,
       coalesce(substring(obj_description(c.oid, 'pg_class') from '^rights: ([a-z, ]+)'),
                case when c.oid = 'kit.migrations'::regclass then 'select'
                     else 'select, insert, update, delete' end) as rights
from pg_class c
where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
"""
