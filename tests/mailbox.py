"""A mail server of the tests' own, and the letters that reached it."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import asyncpg
import msgspec
from aiosmtpd.smtp import SMTP

from kit.keys import KeyRing
from kit.mail.delivery import deliver
from kit.mail.smtp_server import read_smtp_url
from server.settings import Settings
from tests.people import MORNING


class Received(msgspec.Struct):
    """A letter as it came in."""

    to: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        return self.message.get_body(("plain",)).get_content().replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return self.message.get_body(("html",)).get_content()

    @property
    def links(self) -> list[str]:
        """The addresses in its text, in their order."""
        return re.findall(r"https?://\S*[^\s.,;:)]", self.text.partition("\n-- \n")[0])


class Mailbox:
    """Takes what is sent to `url`. `answers` are given to the next letters instead of a yes (`451 later`)."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.mails: list[Received] = []
        self.answers: list[str] = []
        self.refuses: dict[str, str] = {}
        self.took = asyncio.Event()
        # Set to hold the server's yes back until somebody lets it go.
        self.holds_back: asyncio.Event | None = None

    async def receive(self, settings: Settings, *, now: datetime = MORNING) -> list[Received]:
        """Let everything that waits be delivered, once; what came in by that, in the order of queueing."""
        before = len(self.mails)
        async with asyncpg.create_pool(settings.database_url, min_size=0, max_size=2) as pool:
            await deliver_all(pool, settings, self, now=now)
        return self.mails[before:]

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's word
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's word
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(Received(list(envelope.rcpt_tos), envelope.content))
        self.took.set()
        if self.holds_back:
            await self.holds_back.wait()
        return "250 2.0.0 taken"


async def deliver_all(pool: asyncpg.Pool, settings: Settings, mailbox: Mailbox, *, now: datetime = MORNING) -> None:
    """What the worker would do about the mails that wait now."""
    keys, server = KeyRing(settings.keys_folder), read_smtp_url(mailbox.url)
    for mail in await pool.fetch("select key from kit.mails where sealed is not null order by queued_at, key"):
        await deliver(pool, keys, server, mail["key"], sender=settings.mail_from, now=now)


@contextlib.asynccontextmanager
async def open_mailbox() -> AsyncIterator[Mailbox]:
    """A mailbox that listens on a free port of the loopback address."""
    logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
    loop, mailbox = asyncio.get_running_loop(), Mailbox()
    server = await loop.create_server(lambda: SMTP(mailbox, hostname="localhost", loop=loop), "127.0.0.1", 0)
    mailbox.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield mailbox
    finally:
        server.close()
