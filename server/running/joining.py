"""A further node on the servers of a service that runs in this STATE_DIR: what it shares, and what is its own.

Its own are the folder `STATE_DIR/nodes/NAME` with sealed releases and run-time files, its port and its processes. It
uses the servers of the first, and copies of its keys, less those that a node which answers lookups never has: the one
that wraps the keys of releases, and the one from which lookup codes follow.
"""

import asyncio
import contextlib
import os
import shutil
import time
from collections.abc import AsyncGenerator, Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import msgspec

from kit.errors import UsageError
from kit.sql import UNREACHABLE
from server.running import announcements
from server.running.claims import FolderTakenError, claim_folder, is_claimed
from server.running.service import Service, service_file
from server.settings import Settings
from units.changes import NODE_IS_SILENT_AFTER, Node, list_nodes

# Needed by whoever makes releases and sends their keys, derives lookup codes, invents the demo.
_KEYS_OF_THE_FIRST = ("release", "pin", "demo")
_FIRST_START_SECONDS = 120.0
_KEYS_SECONDS = 1.0
# A living web process shows itself every second.
_SIGN_OF_LIFE_SECONDS = 3.0
_LOOK_SECONDS = 0.2
_CONNECT_SECONDS = 3


class Joined(msgspec.Struct, frozen=True):
    """A node beside the first. `settings` are its own, `first` is what it joined, whose keys lie in `keys`."""

    settings: Settings
    first: Service
    keys: Path


@contextlib.asynccontextmanager
async def claim_place(settings: Settings, *, may_join: bool) -> AsyncGenerator[Joined | None, None]:
    """Hold a place while the block runs: that of the first node in STATE_DIR (None) or, with `may_join`, one beside it.

    Raises UsageError where there is none: it is held, the first does not come up, or a living node has this name.
    """
    with contextlib.ExitStack() as held:
        yield await _claim(held, settings, may_join=may_join)


async def _claim(held: contextlib.ExitStack, settings: Settings, *, may_join: bool) -> Joined | None:
    while True:
        try:
            held.enter_context(claim_folder(settings.state_dir, settings.port))
        except FolderTakenError:
            if not may_join:
                raise
            if joined := await _find_first(settings):
                held.enter_context(_claim_node(joined))
                return joined
        else:
            if is_claimed(settings.state_dir / "nodes" / settings.node):
                raise _name_taken(settings.node)
            return None


async def _find_first(settings: Settings) -> Joined | None:
    """The place beside whoever holds STATE_DIR, once it has come up; None when it has let go meanwhile."""
    deadline, told = time.monotonic() + _FIRST_START_SECONDS, False
    while is_claimed(settings.state_dir):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            return _beside(settings, msgspec.json.decode(service_file(settings).read_bytes(), type=Service))
        if time.monotonic() > deadline:
            raise UsageError(
                f"The service on {settings.state_dir} does not come up, so there is none to join: "
                "see what it says, or stop it and start this node as the first."
            )
        if not told:
            announcements.say(f"Waiting for the service on {settings.state_dir} ...")
            told = True
        await asyncio.sleep(_LOOK_SECONDS)
    return None


def _beside(settings: Settings, first: Service) -> Joined:
    if settings.node == first.node:
        raise _name_taken(settings.node)
    folder = settings.state_dir / "nodes" / settings.node
    own = msgspec.structs.replace(
        settings,
        state_dir=folder,
        keys_dir=folder / "keys",
        database_url=settings.database_url or first.database_url,
        database_owner_url=settings.database_owner_url or first.database_owner_url,
        redis_url=settings.redis_url or first.redis_url,
    )
    return Joined(own, first, settings.keys_folder)


@contextlib.contextmanager
def _claim_node(joined: Joined) -> Iterator[None]:
    own = joined.settings
    try:
        with claim_folder(own.state_dir, own.port):
            copy_keys(joined)
            try:
                yield
            finally:
                shutil.rmtree(own.keys_folder, ignore_errors=True)
    except FolderTakenError:
        raise _name_taken(own.node) from None


async def refuse_living_name(settings: Settings) -> None:
    """Raises UsageError when web processes of this name show themselves in the database, from wherever they run.

    What a killed run of our own left there falls silent. A database that is away is not waited for.
    """
    began = time.monotonic()
    with contextlib.suppress(*UNREACHABLE):
        connection = await asyncpg.connect(settings.database_url, timeout=_CONNECT_SECONDS)
        try:
            while True:
                # Before it is asked: who was heard of since then is alive.
                elapsed = timedelta(seconds=time.monotonic() - began)
                heard = await _heard_lately(connection, settings.node)
                if any(node.silent_for < elapsed for node in heard):
                    raise _name_taken(settings.node)
                if not heard or elapsed.total_seconds() > _SIGN_OF_LIFE_SECONDS:
                    return
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            connection.terminate()


async def _heard_lately(connection: asyncpg.Connection, name: str) -> list[Node]:
    nodes = await list_nodes(connection)
    return [node for node in nodes if node.name.startswith(f"{name}/") and node.silent_for < NODE_IS_SILENT_AFTER]


def copy_keys(joined: Joined) -> None:
    """Bring the node's keys to what the first has, less those that are the first's alone. Raises OSError."""
    target = joined.settings.keys_folder
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    wanted = {path.name: path for path in joined.keys.iterdir() if _is_for_all(path)}
    for path in target.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name in wanted.keys() - {path.name for path in target.iterdir()}:
        _copy_key(wanted[name], target / name)


async def follow_keys(joined: Joined) -> None:
    """A newer key of the first is here within seconds; what cannot be read now is here already."""
    while True:
        await asyncio.sleep(_KEYS_SECONDS)
        with contextlib.suppress(OSError):
            copy_keys(joined)


def _is_for_all(path: Path) -> bool:
    name, _, number = path.name.partition(".")
    return number.isdecimal() and name not in _KEYS_OF_THE_FIRST


def _copy_key(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(source.read_bytes())
    draft.replace(target)


def _name_taken(name: str) -> UsageError:
    return UsageError(f"A node named {name} is running already: choose another name (--node, or NODE).")
