"""What a closed unit had does not end with it: its officers' roles and the work that waits go to whoever follows."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg

from kit import sql
from units.officers import sessions
from units.officers.roles import ALONE, Role
from units.record.entries import Actor, write

inheritance = sql.load(__file__, "inheritance")


async def hand_over(
    transaction: asyncpg.Connection, codes: Sequence[str], into: str, *, actor: Actor, now: datetime
) -> None:
    """The successor of these units gets their officers' roles and what waits for approval."""
    await _hand_over_roles(transaction, codes, into, actor=actor, now=now)
    await inheritance.mark_approvals_moved(transaction, codes=list(codes), into=into, at=now)


async def hand_up_approvals(transaction: asyncpg.Connection, code: str, manager: str, now: datetime) -> None:
    """What waited for an approver of a unit that nobody follows is decided by its manager."""
    await inheritance.mark_approvals_decided_above(transaction, code=code, manager=manager, at=now)


async def _hand_over_roles(
    transaction: asyncpg.Connection, codes: Sequence[str], into: str, *, actor: Actor, now: datetime
) -> None:
    held: dict[str, set[Role]] = defaultdict(set)
    for row in await inheritance.list_roles(transaction, codes=[into]):
        held[row["officer_id"]].add(row["role"])
    moving = await inheritance.list_roles(transaction, codes=list(codes))
    for row in moving:
        officer_id, role = row["officer_id"], row["role"]
        fits = _fits(role, held[officer_id])
        if fits and role not in held[officer_id]:
            held[officer_id].add(role)
            await inheritance.add_role(
                transaction, officer_id=officer_id, unit_code=into, role=role,
                granted_by=row["granted_by"], granted_at=row["granted_at"],
            )  # fmt: skip
        await write(
            transaction, actor, "officer.role_moved" if fits else "officer.role_revoked", ("officer", officer_id),
            unit=into, role=role, from_unit=row["unit_code"], because="unit_merged",
        )  # fmt: skip
    await inheritance.end_roles(transaction, codes=list(codes))
    # A change of role ends sessions, this one too: what an officer may do there is asked anew.
    for officer_id in dict.fromkeys(row["officer_id"] for row in moving):
        await sessions.end_all(transaction, officer_id, "roles_changed", now)


def _fits(role: Role, held: Iterable[Role]) -> bool:
    """Whoever checks the record of the successor holds nothing else there, and the other way round."""
    others = set(held) - {role}
    return not others or (role not in ALONE and not others & ALONE)
