"""The officers' pages on which results are handed in for approval, and batches taken back."""

from datetime import datetime
from functools import partial
from typing import Any

import asyncpg
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import InvalidForm
from kit.mail.post import Post
from kit.pages import Pages, see_other
from lookup.exam_approvals import RELEASE, release_payload
from lookup.exam_batches import BatchNotFound, hold_batches, list_batches, list_unreleased, take_back_batch
from lookup.exam_desk import ONE, address_of, find_seen, form_of, render, require_editor
from lookup.exams import Exam
from lookup.form_fields import Form
from units.approvals import approvals
from units.approvals.kinds import Kinds, Prepared
from units.approvals.lists import find_waiting
from units.approvals.places import is_staffed
from units.officers.doorkeeper import read_form
from units.officers.sessions import Session
from units.record.entries import Actor, actor_of
from units.unit_tree import UnitTree

_LONGEST_NOTE = 2000


@get(f"{ONE}/trinh-cong-bo")
async def show_hand_in(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What would become public, and when it is to."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    ids = [batch.id for batch in await list_unreleased(desk_pool, exam.code, now)]
    desk = _Desk(request, session, tree, desk_pool, kinds, pages, now)
    return await desk.show_hand_in(exam, ids, form_of({"when": "moment" if exam.announced_at else "now"}))


@post(f"{ONE}/trinh-cong-bo")
async def hand_in(
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
    """Hand just the batches in that the page has shown."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    fields = await read_form(request, session)
    form, ids = Form(fields), _read_ids(fields.get("batches"))
    opens_at, note = _read_when(form, now), form.passage("note", _LONGEST_NOTE)
    if form.errors:
        desk = _Desk(request, session, tree, desk_pool, kinds, pages, now)
        return await desk.show_hand_in(exam, ids, form_of(fields, InvalidForm(form.errors)), status=422)
    async with desk_pool.transaction() as connection:
        await hold_batches(connection, exam.code)
        approval = await approvals.hand_in(
            connection,
            kinds,
            RELEASE,
            exam.code,
            release_payload(ids, opens_at, now),
            unit_code=exam.unit.code,
            takes_effect_at=opens_at,
            note=note,
            officer_id=session.officer.id,
            tree=tree,
            actor=actor_of(request, session.officer.id),
            now=now,
            post=post,
        )
    return see_other(f"/can-bo/phe-duyet/{approval.id}?vua=trinh")


@get(f"{ONE}/dot/{{batch_id:int}}/hoan-tac")
async def ask_to_take_back(
    request: Request,
    exam_code: FromPath[str],
    batch_id: FromPath[int],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Whether the batch is really to go, and what goes with it."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    batch = next((each for each in await list_batches(desk_pool, exam.code) if each.id == batch_id), None)
    if batch is None:
        raise BatchNotFound(exam=exam.code)
    waits = await find_waiting(desk_pool, RELEASE, exam.code)
    handed_in = bool(waits and batch_id in waits.payload["batches"])
    return render(request, pages, "take_back", session, exam, now, batch=batch, handed_in=handed_in)


@post(f"{ONE}/dot/{{batch_id:int}}/hoan-tac")
async def take_back(
    request: Request,
    exam_code: FromPath[str],
    batch_id: FromPath[int],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    kinds: NamedDependency[Kinds],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response:
    """Remove a batch that nobody has released; an approval that waits for it is withdrawn with it."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    await read_form(request, session)
    actor = actor_of(request, session.officer.id)
    async with desk_pool.transaction() as connection:
        ending = partial(_end_waiting, connection, kinds, exam, batch_id, tree, actor, now, post)
        went_with_it = await ending()
        await take_back_batch(connection, exam, batch_id, actor=actor)
        # What a colleague handed in before this transaction held the batches.
        went_with_it = await ending() or went_with_it
    return see_other(f"{address_of(exam)}?vua={'hoan-tac-va-rut' if went_with_it else 'hoan-tac'}")


class _Desk:
    """What the pages of a handing in are made of, for one request."""

    def __init__(
        self,
        request: Request,
        session: Session,
        tree: UnitTree,
        pool: BoundedPool,
        kinds: Kinds,
        pages: Pages,
        now: datetime,
    ) -> None:
        self._request, self._session, self._tree = request, session, tree
        self._pool, self._kinds, self._pages, self._now = pool, kinds, pages, now

    async def show_hand_in(
        self, exam: Exam, ids: list[int], form: dict[str, Any], *, status: int = 200
    ) -> Response[bytes]:
        """The same preview that the second person will see, above the question when."""
        payload = release_payload(ids, None, self._now)
        async with self._pool.transaction() as connection:
            prepared = await self._kinds[RELEASE].prepare(connection, exam.code, payload)
            staffed = await self._is_staffed(connection, exam, prepared)
        return render(
            self._request,
            self._pages,
            "hand_in",
            self._session,
            exam,
            self._now,
            status=status,
            preview=prepared.preview,
            staffed=staffed,
            waits=await find_waiting(self._pool, RELEASE, exam.code),
            ids=ids,
            form=form,
        )

    async def _is_staffed(self, connection: asyncpg.Connection, exam: Exam, prepared: Prepared) -> bool:
        authors = [self._session.officer.id, *prepared.prepared_by]
        return await is_staffed(connection, self._tree, exam.unit.code, RELEASE, authors)


async def _end_waiting(
    connection: asyncpg.Connection,
    kinds: Kinds,
    exam: Exam,
    batch_id: int,
    tree: UnitTree,
    actor: Actor,
    now: datetime,
    post: Post,
) -> bool:
    """What waits with this batch in it waits no more; says whether anything did."""
    waits = await find_waiting(connection, RELEASE, exam.code)
    if waits is None or batch_id not in waits.payload["batches"]:
        return False
    reason = "Một đợt nhập trong nội dung trình đã được hoàn tác."
    await approvals.withdraw(
        connection, kinds, waits.id, reason, officer=None, tree=tree, actor=actor, now=now, post=post
    )
    return True


def _read_ids(text: Any) -> list[int]:
    return [int(part) for part in str(text or "").split(",") if part.isdecimal() and len(part) < 16]  # noqa: PLR2004 - a bigint


def _read_when(form: Form, now: datetime) -> datetime | None:
    if form.choice("when", ("now", "moment")) != "moment":
        return None
    opens_at = form.moment("opens")
    if opens_at is None and not form.errors:
        form.wrong("opens_day", "exam_required")
    if opens_at is not None and opens_at <= now:
        form.wrong("opens_day", "exam_moment_past")
    return opens_at


release_routes = [show_hand_in, hand_in, ask_to_take_back, take_back]
