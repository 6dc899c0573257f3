"""Letters about approvals: to those who can decide, and to those whose work it is."""

from collections.abc import Iterable
from datetime import datetime

import asyncpg

from kit import sql
from kit.mail.post import Post
from units.approvals.approval import Approval
from units.approvals.kinds import Kinds
from units.approvals.places import all_codes, list_approvers
from units.approvals.steps import Step
from units.officers.officers import Officer, find_officers
from units.record.entries import Actor
from units.unit_tree import UnitTree

letters = sql.load(__file__, "letters")


async def tell_deciders(
    transaction: asyncpg.Connection, approval: Approval, kinds: Kinds, tree: UnitTree, now: datetime, post: Post
) -> None:
    """Write to everybody who can decide where it waits, deputies of today included; each once for each place."""
    authors = await find_officers(transaction, list(approval.prepared_by))
    for officer in await _list_deciders(transaction, approval, tree, now):
        await post.send(
            transaction,
            "approval_waits",
            to=officer.email,
            key=f"approval:{approval.id}:waits:{approval.decided_in}:{officer.id}",
            now=now,
            approval=approval,
            kind_title=kinds[approval.kind].title,
            unit_name=tree.current(approval.unit_code).name,
            authors=[author.name for author in authors.values()],
            officer=officer,
        )


async def tell_that_nothing_waits(
    transaction: asyncpg.Connection,
    approval: Approval,
    kinds: Kinds,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> None:
    """Write to those who could have decided: what they were asked to look at was withdrawn."""
    by = (await find_officers(transaction, [actor.officer_id])).get(actor.officer_id) if actor.officer_id else None
    for officer in await _list_deciders(transaction, approval, tree, now):
        if officer.id != actor.officer_id:
            await _tell(transaction, "withdrawn", approval, kinds, officer, now, post, by=by, absent=None)


async def tell_of_decision(
    transaction: asyncpg.Connection,
    approval: Approval,
    step: Step,
    kinds: Kinds,
    actor: Actor,
    now: datetime,
    post: Post,
) -> None:
    """Write to those whose work it is, and when it was withdrawn also to who had approved; not to who did it."""
    concerned = [*approval.prepared_by, *([approval.decided_by] if approval.decided_by else [])]
    involved = [*concerned, *([actor.officer_id] if actor.officer_id else []), approval.decided_for or ""]
    people = await find_officers(transaction, sorted(set(involved) - {""}))
    for officer in _reachable(people[each] for each in dict.fromkeys(concerned) if each != actor.officer_id):
        by, absent = people.get(actor.officer_id or ""), people.get(approval.decided_for or "")
        await _tell(transaction, step, approval, kinds, officer, now, post, by=by, absent=absent)


async def _tell(
    transaction: asyncpg.Connection,
    step: Step,
    approval: Approval,
    kinds: Kinds,
    officer: Officer,
    now: datetime,
    post: Post,
    *,
    by: Officer | None,
    absent: Officer | None,
) -> None:
    await post.send(
        transaction,
        "approval_decided",
        to=officer.email,
        key=f"approval:{approval.id}:{step}:{officer.id}",
        now=now,
        approval=approval,
        step=step,
        kind_title=kinds[approval.kind].title,
        officer=officer,
        by=by,
        absent=absent,
    )


async def _list_deciders(
    transaction: asyncpg.Connection, approval: Approval, tree: UnitTree, now: datetime
) -> list[Officer]:
    """Who can decide where it waits, deputies of today included, and can be written to."""
    approvers = await list_approvers(transaction, tree, [approval.decided_in], but=approval.prepared_by)
    deputies = await letters.list_deputies(
        transaction,
        unit_codes=all_codes(tree, [approval.decided_in]),
        absent=[approver.officer_id for approver in approvers],
        now=now,
    )
    wanted = {approver.officer_id for approver in approvers} | {row["deputy_id"] for row in deputies}
    people = await find_officers(transaction, sorted(wanted - set(approval.prepared_by)))
    return _reachable(people.values())


def _reachable(people: Iterable[Officer]) -> list[Officer]:
    return [officer for officer in people if officer.state in ("active", "asleep")]
