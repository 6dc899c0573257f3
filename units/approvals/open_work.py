"""What an officer who leaves has open: work handed in, which a colleague takes over; delegations, which end."""

# ruff: noqa: ARG002 - kinds of open work take what the protocol gives

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import asyncpg

from kit import sql
from kit.mail.post import Post
from kit.sql import Database
from units.approvals.deputies import end_delegation
from units.approvals.kinds import Kinds
from units.approvals.lists import find_approval
from units.approvals.rerouting import reroute
from units.approvals.steps import add_step
from units.officers.handover import OpenItem
from units.officers.roles import Role
from units.record.entries import Actor
from units.unit_tree import UnitTree

open_work = sql.load(__file__, "open_work")


class WorkHandedIn:
    """What waits for a second person, or came back, and somebody has to look after."""

    name = "approval"
    title = "Nội dung đã trình phê duyệt hoặc được trả lại"
    role: ClassVar[Role | None] = "editor"

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds

    async def list_open(
        self, transaction: Database, officer_id: str, unit_codes: Sequence[str], now: datetime
    ) -> list[OpenItem]:
        """What waits, or was sent back in the last months and not handed in anew."""
        rows = await open_work.list_looked_after(
            transaction, officer_id=officer_id, unit_codes=list(unit_codes), now=now
        )
        return [OpenItem(row["id"], row["unit_code"], row["title"], f"/can-bo/phe-duyet/{row['id']}") for row in rows]

    async def hand_over(
        self,
        transaction: asyncpg.Connection,
        item: OpenItem,
        officer_id: str,
        to: str | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """The successor looks after it from now on, and so can no longer approve it. With nobody it stays as it is."""
        if to is None:
            return
        await open_work.mark_looked_after(transaction, id=item.id, officer_id=to)
        await add_step(transaction, await find_approval(transaction, item.id), "handed_over", actor, now, to=to)

    async def settle(self, transaction: asyncpg.Connection, tree: UnitTree, now: datetime, post: Post) -> None:
        """What waited for the second person who left goes at once to where somebody else can decide."""
        await reroute(transaction, self._kinds, tree, now, post)


class Delegations:
    """Whom the officer stands in for, and who stands in for the officer: both end."""

    name = "deputy"
    title = "Ủy quyền phê duyệt"
    role: ClassVar[Role | None] = None

    async def list_open(
        self, transaction: Database, officer_id: str, unit_codes: Sequence[str], now: datetime
    ) -> list[OpenItem]:
        """Those that run or come."""
        rows = await open_work.list_delegations(
            transaction, officer_id=officer_id, unit_codes=list(unit_codes), now=now
        )
        return [
            OpenItem(row["id"], row["unit_code"], f"Ủy quyền phê duyệt tại {row['unit_name']}", _DEPUTIES)
            for row in rows
        ]

    async def hand_over(
        self,
        transaction: asyncpg.Connection,
        item: OpenItem,
        officer_id: str,
        to: str | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """End it."""
        await end_delegation(transaction, item.id, actor, now)

    async def settle(self, transaction: asyncpg.Connection, tree: UnitTree, now: datetime, post: Post) -> None:
        """Nothing is left: it has ended."""


_DEPUTIES = "/can-bo/phe-duyet/uy-quyen"
