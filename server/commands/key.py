"""`baodanh key`: the secret keys of this service."""

import asyncio
import os
from datetime import datetime
from typing import Literal

import asyncpg
from cyclopts import App

from kit import clock
from kit.keys import Key, KeyRing
from lookup.sealed.building import list_sealed_with_pins
from lookup.sealed.seal_job import SealJob, leave_seal_job
from server.running.service import connect
from server.settings import Settings, load_settings

app = App(
    name="key", help="Secret keys: pin (lookup codes), cache (what Redis holds), release (wraps the keys of releases)."
)


@app.command
def rotate(name: Literal["pin", "cache", "release"]) -> None:
    """Make a newer key of this name; older ones go on being recognised. Takes effect when the service starts again.

    A new `pin` key changes the codes that are handed out from now on; codes printed before go on working. Releases that
    are asked for by code are sealed anew.
    """
    settings = load_settings(os.environ)
    key = asyncio.run(_rotate_pin(settings)) if name == "pin" else _rotate(settings, name)
    print(f"{name}.{key.id} is current from the next start on. Copy it to every node, and back it up.")


def _rotate(settings: Settings, name: str) -> Key:
    return KeyRing(settings.keys_folder, may_create=settings.keys_dir is None).rotate(name)


async def _rotate_pin(settings: Settings) -> Key:
    """Together with what has to be sealed anew: in the files of today nobody finds codes of tomorrow."""
    async with connect(settings) as connection:
        key = _rotate(settings, "pin")
        await _seal_anew(connection, await clock.now(connection))
    return key


async def _seal_anew(connection: asyncpg.Connection, now: datetime) -> None:
    async with connection.transaction():
        for exam, generation in await list_sealed_with_pins(connection):
            await leave_seal_job(connection, SealJob(exam, generation, begun_after=now))
