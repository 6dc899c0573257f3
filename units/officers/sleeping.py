"""An account that nobody uses falls asleep: told beforehand, and woken by mail and second factor."""

from datetime import datetime, timedelta

import asyncpg

from kit import sql
from kit.mail.post import Post
from units.officers import sessions
from units.officers.invitations import LIFETIME
from units.officers.letters import send_letter
from units.officers.officers import find_officer
from units.officers.tokens import end_tokens
from units.record.entries import SERVICE, write

sleeping = sql.load(__file__, "sleeping")

# Level-3 controls: 45 days; the letter leaves time for one more sign-in.
ASLEEP_AFTER, TOLD_AFTER = timedelta(days=45), timedelta(days=40)


async def look_after_idle_accounts(transaction: asyncpg.Connection, post: Post, now: datetime) -> None:
    """What is due today, all of it: letters at day 40, sleep at day 45, invitations that nobody took up."""
    await tell_who_sleeps_soon(transaction, post, now)
    await put_to_sleep(transaction, now)
    await expire_invitations(transaction, now)


async def tell_who_sleeps_soon(transaction: asyncpg.Connection, post: Post, now: datetime) -> int:
    """One letter for each silence of 40 days; returns how many officers are due one, told before or not."""
    rows = await sleeping.list_idle(transaction, idle_since=now - TOLD_AFTER, not_since=now - ASLEEP_AFTER)
    for row in rows:
        officer = await find_officer(transaction, row["id"])
        await send_letter(
            transaction, post, "soon_asleep", officer, now,
            occasion=row["used_at"].isoformat(), asleep_at=row["used_at"] + ASLEEP_AFTER,
        )  # fmt: skip
    return len(rows)


async def put_to_sleep(transaction: asyncpg.Connection, now: datetime) -> list[str]:
    """Accounts that were silent for 45 days sleep from now on; their ids. One is as safe as a disabled one."""
    asleep = [row["id"] for row in await sleeping.mark_asleep(transaction, idle_since=now - ASLEEP_AFTER)]
    for officer_id in asleep:
        await sessions.end_all(transaction, officer_id, "asleep", now)
        await write(transaction, SERVICE, "officer.fell_asleep", ("officer", officer_id))
    return asleep


async def expire_invitations(transaction: asyncpg.Connection, now: datetime) -> list[str]:
    """Invitations that nobody took up in time say so, and their links are ended; the officers' ids."""
    expired = [row["id"] for row in await sleeping.mark_expired(transaction, invited_before=now - LIFETIME)]
    for officer_id in expired:
        await end_tokens(transaction, officer_id, "invitation", now)
        await write(transaction, SERVICE, "officer.invitation_expired", ("officer", officer_id))
    return expired
