"""What lets thousands of tests each have a service and servers of their own: ends at once, routes and places ready."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from litestar import Litestar

import server.app
from kit.pages import Pages

# Where files are memory, making and dropping a database takes a fifth of the time. In containers it may be small.
_MEMORY = Path("/dev/shm")  # noqa: S108 - folders in it are made by mkdtemp
_ROOM = 2 << 30
_ALIVE = "alive"
_PREFIX = "bd-test-"


@cache
def quick_folder() -> str | None:
    """A folder on which thrown-away files are quick, when there is one with room; else None, for the usual one."""
    with contextlib.suppress(OSError):
        if os.access(_MEMORY, os.W_OK | os.X_OK) and shutil.disk_usage(_MEMORY).free >= _ROOM:
            return str(_MEMORY)
    return None


@contextlib.contextmanager
def folder_of_servers() -> Iterator[Path]:
    """Room for the servers of one test process. What a killed one left is removed: in memory it would be missed."""
    for leftover in Path(quick_folder() or tempfile.gettempdir()).glob(f"{_PREFIX}*/{_ALIVE}"):
        with contextlib.suppress(OSError), leftover.open() as theirs:
            fcntl.flock(theirs, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover.parent, ignore_errors=True)
    # Short: a unix socket's path has 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=quick_folder()))
    folder.chmod(0o755)
    with (folder / _ALIVE).open("w") as ours:
        fcntl.flock(ours, fcntl.LOCK_EX)
        yield folder
        shutil.rmtree(folder, ignore_errors=True)


@cache
def tls() -> ssl.SSLContext:
    """One for all clients: each would read the certificates of the world anew."""
    return ssl.create_default_context()


class Server(uvicorn.Server):
    """uvicorn's server, which looks ten times a second whether it should end, told of it instead."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Stop serving; what is being answered is answered."""
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._ending.wait()

    async def shutdown(self, sockets: Any = None) -> None:  # noqa: ARG002 - whoever opened them closes them
        for listening in self.servers:
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - as uvicorn does
            await asyncio.sleep(0.001)
        await self.lifespan.shutdown()


class ReadyRoutes:
    """Applications whose routes are put together already, lent to one service after the other.

    Only the state is a service's own; everything else must be what another service would get too.
    """

    def __init__(self) -> None:
        self._idle: dict[Any, list[Litestar]] = {}

    @contextlib.contextmanager
    def lent(self) -> Iterator[Callable[..., Any]]:
        """`create_app` for one service; afterwards the next may have its routes."""
        lent: list[tuple[Any, Litestar]] = []

        def lend(**options: Any) -> Litestar:
            kind = _kind_of(**options)
            idle = self._idle.setdefault(kind, [])
            application = idle.pop() if idle else Litestar(**options)
            application.state = options["state"]
            lent.append((kind, application))
            return application

        def create(*arguments: Any, **options: Any) -> Any:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(server.app, "Litestar", lend)
                patch.setattr(server.app, "Pages", _pages)
                return server.app.create_app(*arguments, **options)

        yield create
        for kind, application in lent:
            self._idle[kind].append(application)


@cache
def _pages(folder: Path) -> Pages:
    """Templates do not change while tests run: they are compiled once."""
    return Pages(folder)


def _kind_of(*, state: Any, route_handlers: list, **options: Any) -> Any:
    """What two applications must have in common for one to serve in the other's place."""
    routes = [getattr(route, "path", None) or sorted(route.paths) for route in route_handlers]
    values = {name: value for name, value in options.items() if isinstance(value, bool | int | str)}
    return repr((routes, sorted(options), values))
