"""The officers' pages on which results are taken down, and on which one sees which nodes have followed."""

import contextlib
from datetime import datetime

import asyncpg
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import DomainError, InvalidForm
from kit.mail.post import Post
from kit.pages import Pages, see_other
from lookup import releases
from lookup.exam_approvals import RELEASE
from lookup.exam_desk import ONE, address_of, find_seen, form_of, render
from lookup.exams import Exam
from lookup.form_fields import Form
from lookup.sealed.holdings import list_holding_what_is_down
from units.approvals import approvals
from units.approvals.kinds import Kinds
from units.approvals.lists import list_of_thing
from units.changes import Node, list_nodes
from units.officers.doorkeeper import read_form
from units.officers.sessions import Session
from units.record.entries import Actor, actor_of
from units.unit_tree import UnitTree

_LONGEST_REASON = 2000


@get(f"{ONE}/go-bo")
async def ask_to_withdraw(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Why the results are to be taken down; it happens as soon as that is said."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    session.officer.require("take_down", exam.unit.code, tree)
    return render(request, pages, "withdraw", session, exam, now, form=form_of())


@post(f"{ONE}/go-bo")
async def withdraw(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response:
    """Take the results down on every node; one person is enough."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    session.officer.require("take_down", exam.unit.code, tree)
    fields = await read_form(request, session)
    form = Form(fields)
    reason = form.passage("reason", _LONGEST_REASON, required=True)
    if form.errors:
        told = form_of(fields, InvalidForm(form.errors))
        return render(request, pages, "withdraw", session, exam, now, form=told, status=422)
    actor = actor_of(request, session.officer.id)
    async with desk_pool.transaction() as connection:
        await _end_approvals(connection, kinds, exam, reason, tree, actor, now, post)
        change = await releases.withdraw(connection, exam.code, reason=reason, actor=actor)
    return see_other(address_of(exam, "go-bo", str(change)))


@get(f"{ONE}/go-bo/{{change:int}}")
async def show_followers(
    request: Request,
    exam_code: FromPath[str],
    change: FromPath[int],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Which nodes have taken the results down, and which have not said so yet."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    nodes: list[Node] = await list_nodes(desk_pool)
    behind = [node for node in nodes if node.applied_change < change]
    done = [node for node in nodes if node.applied_change >= change]
    holding = await list_holding_what_is_down(desk_pool, exam.code)
    return render(request, pages, "withdrawal", session, exam, now, behind=behind, done=done, holding=holding)


async def _end_approvals(
    connection: asyncpg.Connection,
    kinds: Kinds,
    exam: Exam,
    reason: str,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> None:
    """What waits or has a moment goes too. Whatever stands against that does not keep the results up."""
    for approval in await list_of_thing(connection, RELEASE, exam.code):
        if approval.can_be_withdrawn(now):
            with contextlib.suppress(DomainError):
                async with connection.transaction():
                    await approvals.withdraw(
                        connection, kinds, approval.id, reason, officer=None, tree=tree, actor=actor, now=now, post=post
                    )


withdrawal_routes = [ask_to_withdraw, withdraw, show_followers]
