"""Real servers for every test: PostgreSQL, Valkey, a fresh database each, the web service on a free port."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path

import asyncpg
import httpx
import msgspec
import pytest
import uvicorn

from kit.keys import KeyRing
from kit.migrator import find_migrations, migrate
from server.embedded.postgres import RUNTIME, EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from server.migrate import PACKAGES
from server.running.patience import PatientProtocol
from server.settings import Settings, load_settings
from tests.mailbox import Mailbox, open_mailbox
from tests.people import MORNING
from tests.quickly import ReadyRoutes, Server, folder_of_servers, tls

TEMPLATE = "baodanh_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def servers_folder() -> Iterator[Path]:
    with folder_of_servers() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(servers_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(servers_folder / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def valkey(servers_folder: Path) -> Iterator[EmbeddedValkey]:
    server = EmbeddedValkey(servers_folder / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
async def template(postgres: EmbeddedPostgres) -> str:
    """A migrated database from which each test's own is copied."""
    # Test databases are thrown away: nobody waits for the disk.
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        await _as_superuser(postgres, f"alter system set {setting} = off")
    await _as_superuser(postgres, "select pg_reload_conf()")
    await _as_superuser(postgres, f"create database {TEMPLATE} owner baodanh_owner")
    owner = await asyncpg.connect(on_database(postgres.owner_url, TEMPLATE))
    packages = [Path(package.__file__).parent for package in PACKAGES]
    await migrate(owner, find_migrations(packages), RUNTIME)
    await owner.close()
    return TEMPLATE


class Database(msgspec.Struct):
    """A database of one test. `url`: the run-time role; `owner_url`: the one that migrates."""

    url: str
    owner_url: str


@pytest.fixture
async def database(postgres: EmbeddedPostgres, template: str) -> AsyncIterator[Database]:
    name = f"test_{next(_numbers)}"
    # Files are copied: that what is in them went through the log would take three times as long.
    await _as_superuser(postgres, f"create database {name} template {template} owner baodanh_owner strategy file_copy")
    yield Database(on_database(postgres.runtime_url, name), on_database(postgres.owner_url, name))
    await _as_superuser(postgres, f"drop database {name} with (force)")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database.url)
    yield opened
    await opened.close()


@pytest.fixture
async def pool(database: Database) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database.url, min_size=0, max_size=5) as opened:
        yield opened


class Clock:
    """The service's clock, moved by the test."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock(MORNING)


@pytest.fixture
def settings(database: Database, valkey: EmbeddedValkey, tmp_path: Path) -> Settings:
    return load_settings(
        {
            "STATE_DIR": str(tmp_path),
            "DATABASE_URL": database.url,
            "DATABASE_OWNER_URL": database.owner_url,
            "REDIS_URL": valkey.url,
            # Crowds in tests come from varied addresses through a trusted proxy.
            "TRUSTED_PROXIES": "127.0.0.1",
            "LOG_LEVEL": "ERROR",
        }
    )


@pytest.fixture
def pin_key(settings: Settings) -> bytes:
    return KeyRing(settings.keys_folder).current("pin").value


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    """A mail server; `await mailbox.receive(settings)` delivers what waits and gives it to the test."""
    async with open_mailbox() as opened:
        yield opened


@pytest.fixture
def caught_mail() -> Path | None:
    """Where the service keeps letters that it does not send on; a test of that has a folder."""
    return None


class Service(msgspec.Struct):
    """The running web service. `visitor(address)` is a browserless client that comes from that address."""

    url: str
    settings: Settings
    visitor: Callable[..., httpx.AsyncClient]

    async def hears_all_changes(self) -> None:
        """Wait until the worker has applied the last change."""
        connection = await asyncpg.connect(self.settings.database_url)
        try:
            last = await connection.fetchval("select coalesce(max(number), 0) from units.changes")
            async with asyncio.timeout(10):
                while await connection.fetchval("select max(applied_change) from units.nodes") != last:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        finally:
            await connection.close()


@pytest.fixture(scope="session")
def ready_routes() -> ReadyRoutes:
    return ReadyRoutes()


@pytest.fixture
async def service(
    settings: Settings, clock: Clock, caught_mail: Path | None, ready_routes: ReadyRoutes
) -> AsyncIterator[Service]:
    """The whole application on a free port of the loopback address."""
    with (
        ready_routes.lent() as create_app,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening,
    ):
        # The protocol is named, else asyncio leaves Nagle on and every answer waits 40 ms for an acknowledgement.
        listening.bind(("127.0.0.1", 0))
        listening.listen(512)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(
            create_app(settings, clock=clock, caught_mail=caught_mail),
            http=PatientProtocol,
            ws="none",
            server_header=False,
            access_log=False,
            log_config=None,
            proxy_headers=False,
        )
        server = Server(config)
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        async with asyncio.timeout(10):
            while not server.started:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        clients: list[httpx.AsyncClient] = []

        def visitor(address: str = "203.0.113.7", **options) -> httpx.AsyncClient:
            headers = {"X-Real-IP": address} | options.pop("headers", {})
            client = options.pop("client", httpx.AsyncClient)
            clients.append(client(base_url=url, headers=headers, timeout=20, **{"verify": tls()} | options))
            return clients[-1]

        running = Service(url, settings, visitor)
        await running.hears_all_changes()
        yield running
        for client in clients:
            await client.aclose()
        server.end()
        await serving


@pytest.fixture
def visitor(service: Service) -> httpx.AsyncClient:
    return service.visitor()


def on_database(url: str, name: str) -> str:
    """The same server and role, another database."""
    return url.replace("/baodanh?", f"/{name}?")


async def _as_superuser(postgres: EmbeddedPostgres, statement: str) -> None:
    connection = await asyncpg.connect(on_database(postgres.owner_url, "postgres"), user="postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
