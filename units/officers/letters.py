"""Letters to officers about their account: each is sent once for its occasion, to the official address."""

import secrets
from datetime import datetime
from typing import Any

import asyncpg

from kit.mail.post import Post
from units.officers.officers import Officer


async def send_letter(
    transaction: asyncpg.Connection, post: Post, letter: str, officer: Officer, now: datetime, **facts: Any
) -> None:
    """Queue `templates/mail/{letter}.html` for the officer; its template has her as `officer`."""
    occasion = facts.pop("occasion", None) or secrets.token_hex(8)
    key = f"{letter.replace('_', '-')}:{officer.id}:{occasion}"
    await post.send(transaction, letter, to=officer.email, key=key, now=now, officer=officer, **facts)
