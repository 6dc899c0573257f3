"""Mail leaves the house: handed to the mail server once, tried again while it hesitates, given up where it says no."""

import re
import socket
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, Literal

import aiosmtplib
import asyncpg
import msgspec

from kit import sql
from kit.keys import KeyRing
from kit.mail.message import compose
from kit.mail.post import Letter, unseal
from kit.mail.smtp_server import SmtpServer
from kit.queue import TryAgain

mails = sql.load(__file__, "mails")

Outcome = Literal["sent", "given_up", "was_done"]

_SERVER_SECONDS = 30.0
_POOL_SECONDS = 10.0
_MINUTES = (1, 2, 5, 15, 60)
# Two days: a mail server that is away over a weekend's Sunday is back by then.
_MOST_TRIES = 52
_KEPT = timedelta(days=90)
_REFUSED = 500
_ENHANCED_CODE = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")


class MailRefused(Exception):
    """The server will not take this mail, now or later; says why by the codes it gave, never by its words."""


async def deliver(
    pool: asyncpg.Pool, keys: KeyRing, server: SmtpServer, key: str, *, sender: str, now: datetime
) -> Outcome:
    """Send the mail `key` unless that is done. Raises TryAgain when the server cannot take it yet.

    Whoever is killed between the server's yes and our note of it sends the mail once more, under the same Message-ID.
    """
    async with pool.acquire(timeout=_POOL_SECONDS) as connection:
        if not await mails.lock_mail(connection, key=key):
            raise TryAgain(timedelta(minutes=1), "somebody else is sending it")
        try:
            return await _deliver(connection, keys, server, key, sender=sender, now=now)
        finally:
            await mails.end_lock(connection, key=key)


async def forget_old_mails(database: sql.Database, *, now: datetime) -> None:
    """Delete what was sent or given up long ago: whom we wrote to is nobody's business for ever."""
    await mails.end_old_mails(database, before=now - _KEPT)


class MailsOnTheirWay(msgspec.Struct, frozen=True):
    """How many mails wait for a server to take them, and since when."""

    mails: int
    oldest: datetime | None


async def count_mails(database: sql.Database) -> MailsOnTheirWay:
    """What has not left yet."""
    return MailsOnTheirWay(**await mails.count_on_their_way(database))


async def _deliver(
    connection: Any, keys: KeyRing, server: SmtpServer, key: str, *, sender: str, now: datetime
) -> Outcome:
    mail = await mails.find_mail(connection, key=key)
    if mail is None or mail["sealed"] is None:
        return "was_done"
    letter = msgspec.json.decode(unseal(keys, key, mail["sealed"]), type=Letter)
    message = compose(
        letter, sender=sender, recipient=mail["recipient"], message_id=mail["message_id"], at=mail["queued_at"]
    )
    try:
        await _hand_over(server, parseaddr(sender)[1], mail["recipient"], bytes(message))
    except MailRefused as refusal:
        await mails.mark_given_up(connection, key=key, problem=str(refusal), now=now)
        return "given_up"
    except (aiosmtplib.SMTPException, OSError) as problem:
        return await _not_yet(connection, key, mail["attempts"] + 1, _in_codes(problem), now)
    await mails.mark_sent(connection, key=key, now=now)
    return "sent"


async def _not_yet(connection: Any, key: str, tries: int, problem: str, now: datetime) -> Outcome:
    if tries >= _MOST_TRIES:
        await mails.mark_given_up(connection, key=key, problem=problem, now=now)
        return "given_up"
    await mails.mark_tried(connection, key=key, problem=problem)
    raise TryAgain(timedelta(minutes=_MINUTES[min(tries, len(_MINUTES)) - 1]), problem)


async def _hand_over(server: SmtpServer, sender: str, recipient: str, message: bytes) -> None:
    client = aiosmtplib.SMTP(
        hostname=None if server.socket else server.host,
        port=None if server.socket else server.port,
        socket_path=server.socket,
        username=server.user,
        password=server.password,
        use_tls=server.encryption == "tls",
        start_tls=server.encryption == "starttls",
        # Else the library asks DNS for it, and waits.
        local_hostname=socket.gethostname() or "localhost",
        timeout=_SERVER_SECONDS,
    )
    async with client:
        try:
            await client.sendmail(sender, [recipient], message)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            _give_up_where_final(refused.recipients[0])
            raise
        except aiosmtplib.SMTPDataError as refused:
            _give_up_where_final(refused)
            raise


def _give_up_where_final(answer: aiosmtplib.SMTPResponseException) -> None:
    """A final no about recipient or content. One about ourselves (sign-in, sender) is for the operator to mend."""
    if answer.code >= _REFUSED:
        raise MailRefused(_in_codes(answer)) from None


def _in_codes(problem: Exception) -> str:
    """What happened without the server's own words: those name the recipient."""
    if isinstance(problem, aiosmtplib.SMTPRecipientsRefused):
        problem = problem.recipients[0]
    if isinstance(problem, aiosmtplib.SMTPResponseException):
        found = _ENHANCED_CODE.match(str(problem.message))
        return f"{type(problem).__name__} {problem.code} {found.group() if found else ''}".strip()
    return type(problem).__name__
