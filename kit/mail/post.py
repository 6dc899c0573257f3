"""Letters to people: written from a template, queued in the transaction of what they tell of."""

import hashlib
import re
import secrets
from datetime import datetime
from email.utils import parseaddr
from typing import Any

import asyncpg
import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kit import sql
from kit.keys import KeyRing
from kit.pages import Pages
from kit.queue import leave_job

mails = sql.load(__file__, "mails")

JOB = "mail"
_NONCE = 12
# Official addresses are plain ASCII; above all no line break, which would begin a header of somebody's own.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")


class Letter(msgspec.Struct, frozen=True):
    """What a person reads: one subject line, and the same words as text and as HTML."""

    subject: str
    text: str
    html: str


class Post:
    """Writes letters and queues them. `home` is the address of our pages; never taken from a request's Host."""

    def __init__(self, pages: Pages, keys: KeyRing, *, home: str, sender: str) -> None:
        self._pages, self._keys = pages, keys
        self.home, self.sender = home.rstrip("/"), sender

    def link(self, path: str) -> str:
        """The full address of one of our pages, for a letter."""
        return f"{self.home}{path}"

    async def send(
        self, transaction: asyncpg.Connection, letter: str, /, *, to: str, key: str, now: datetime, **facts: Any
    ) -> None:
        """Queue the letter `templates/mail/{letter}.html` to one address; `facts` fill it in.

        `key` is unique for the occasion (`invitation:<id>`): the same key again sends nothing. The letter leaves only
        if the transaction commits. ValueError for what is no address: forms have checked theirs before.
        """
        if not _ADDRESS.fullmatch(to):
            raise ValueError("not an address")
        written = self._pages.letter(letter, home=self.home, link=self.link, now=now, **facts)
        sealed = seal(self._keys, key, msgspec.json.encode(Letter(*written)))
        added = await mails.add_mail(
            transaction, key=key, message_id=self._message_id(key), recipient=to, sealed=sealed, queued_at=now
        )
        if added != "INSERT 0 0":
            await leave_job(transaction, JOB, key.encode())

    def _message_id(self, key: str) -> str:
        # Tells nothing of whom it is for, and is the same over every attempt.
        domain = parseaddr(self.sender)[1].rpartition("@")[2] or "localhost"
        salt = self._keys.current("mail").value
        return f"<{hashlib.blake2b(key.encode(), key=salt, digest_size=16).hexdigest()}@{domain}>"


def seal(keys: KeyRing, key: str, text: bytes) -> bytes:
    """Text that only a holder of the `mail` keys can read, bound to the mail's own `key`."""
    newest = keys.current("mail")
    nonce = secrets.token_bytes(_NONCE)
    return newest.id.to_bytes(4, "big") + nonce + AESGCM(newest.value).encrypt(nonce, text, key.encode())


def unseal(keys: KeyRing, key: str, sealed: bytes) -> bytes:
    """What `seal` was given. Raises cryptography's InvalidTag, or LookupError for a key that is gone."""
    number, nonce, text = int.from_bytes(sealed[:4], "big"), sealed[4 : 4 + _NONCE], sealed[4 + _NONCE :]
    for held in keys.all("mail"):
        if held.id == number:
            return AESGCM(held.value).decrypt(nonce, text, key.encode())
    raise LookupError(f"mail.{number}")
