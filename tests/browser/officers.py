"""A signed-in officer in a real browser."""

from datetime import datetime

import asyncpg
from playwright.async_api import BrowserContext

from tests.people import MORNING
from units.officers import sessions
from units.officers.officers import Officer
from units.officers.sessions import COOKIE


async def come_in(context: BrowserContext, service, officer: Officer, *, now: datetime = MORNING) -> None:
    """A session that began at `now`, as its cookie; whoever was signed in there is not any more."""
    connection = await asyncpg.connect(service.settings.database_url)
    try:
        secret = await sessions.begin(connection, officer.id, "full", address="127.0.0.1", device="Chromium", now=now)
    finally:
        await connection.close()
    # Chromium takes loopback for safe: it sends on http what was set for https.
    home = service.url.replace("http:", "https:")
    await context.add_cookies([{"name": COOKIE, "value": secret, "url": home, "secure": True, "httpOnly": True}])
