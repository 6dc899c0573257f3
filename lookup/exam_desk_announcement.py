"""The officers' pages on which an exam is handed in to become known, or to say something else than it does."""

from datetime import datetime

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import InvalidForm
from kit.mail.post import Post
from kit.pages import Pages, see_other
from lookup.exam_approvals import ANNOUNCEMENT, announcement_payload
from lookup.exam_desk import ONE, address_of, find_seen, form_of, render, require_editor
from lookup.exam_desk_forms import values_of
from lookup.exam_drafts import Announced, read_announced
from lookup.exams import Exam
from lookup.form_fields import Form
from units.approvals import approvals
from units.approvals.kinds import Kinds
from units.approvals.lists import find_waiting
from units.officers.doorkeeper import read_form
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

_LONGEST_NOTE = 2000


@get(f"{ONE}/trinh-thong-tin")
async def show_announcement(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """A draft: what the public will read. A listed exam: its facts, to be typed anew."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    waits = await find_waiting(desk_pool, ANNOUNCEMENT, exam.code)
    return render(request, pages, "announce", session, exam, now, form=form_of(values_of(exam)), waits=waits)


@post(f"{ONE}/trinh-thong-tin")
async def hand_in_announcement(
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
    """Hand it in; the public hears of it when somebody else has approved it."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    fields = await read_form(request, session)
    form = Form(fields)
    facts, note = _facts(exam, form), form.passage("note", _LONGEST_NOTE)
    if form.errors:
        told = form_of(fields, InvalidForm(form.errors))
        return render(request, pages, "announce", session, exam, now, form=told, waits=None, status=422)
    async with desk_pool.transaction() as connection:
        await approvals.hand_in(
            connection,
            kinds,
            ANNOUNCEMENT,
            exam.code,
            announcement_payload(facts),
            unit_code=exam.unit.code,
            takes_effect_at=None,
            note=note,
            officer_id=session.officer.id,
            tree=tree,
            actor=actor_of(request, session.officer.id),
            now=now,
            post=post,
        )
    return see_other(address_of(exam))


def _facts(exam: Exam, form: Form) -> Announced:
    """Of a draft what was saved: it is put right on a page of its own."""
    return Announced.of(exam) if exam.listed_at is None else read_announced(form)


announcement_routes = [show_announcement, hand_in_announcement]
