"""The officers' pages on which an exam is set up, put right and, as long as it is a draft, removed."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.clock import VIETNAM
from kit.errors import InvalidForm
from kit.pages import Pages, see_other
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_desk import LIST, ONE, address_of, find_seen, form_of, render, require_editor, require_nothing_waits
from lookup.exam_drafts import (
    Announced,
    ExamIsListed,
    add_draft,
    edit_draft,
    has_batches,
    make_exam,
    read_announced,
    read_code,
    read_shape,
)
from lookup.exam_kinds import exam_kinds
from lookup.exam_setup import remove_exam
from lookup.exams import RATES, Exam, find_exam
from lookup.form_fields import Form
from units.officers.doorkeeper import read_form
from units.officers.officers import NotPermitted
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree


@get(f"{LIST}/tao")
async def show_new_exam(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The form for a new exam."""
    return _new_exam(request, pages, session, tree, now, form_of({"year": str(now.astimezone(VIETNAM).year)}))


@post(f"{LIST}/tao")
async def add_new_exam(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """Set a draft up; nobody outside hears of it."""
    fields = await read_form(request, session)
    units = _units(session, tree)
    form = Form(fields)
    unit_code, code = form.choice("unit", units), read_code(form)
    facts, shape = read_announced(form), read_shape(form)
    try:
        form.check()
        exam = make_exam(code, tree.current(unit_code), facts, shape)
        async with desk_pool.transaction() as connection:
            await add_draft(connection, exam, actor=actor_of(request, session.officer.id), now=now)
    except InvalidForm as refused:
        return _new_exam(request, pages, session, tree, now, form_of(fields, refused), status=422)
    return see_other(address_of(exam))


@get(f"{ONE}/sua")
async def show_edit(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The facts of a draft, or those of a listed exam that may be proposed anew."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    shaped = exam.listed_at is not None or await has_batches(desk_pool, exam.code)
    return render_edit(request, pages, session, exam, now, form_of(values_of(exam)), shaped=shaped)


@post(f"{ONE}/sua")
async def edit_exam(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """Put a draft right at once."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    fields = await read_form(request, session)
    if exam.listed_at is not None:
        raise ExamIsListed(exam=exam.code)
    shaped = await has_batches(desk_pool, exam.code)
    form = Form(fields)
    facts, shape = read_announced(form), None if shaped else read_shape(form)
    try:
        form.check()
    except InvalidForm as refused:
        return render_edit(request, pages, session, exam, now, form_of(fields, refused), shaped=shaped, status=422)
    async with desk_pool.transaction() as connection:
        await require_nothing_waits(connection, exam)
        actor = actor_of(request, session.officer.id)
        await edit_draft(connection, exam, facts, shape, actor=actor, now=now)
    return see_other(address_of(exam))


@get(f"{ONE}/xoa")
async def ask_to_remove(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Whether the draft is really to go."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    if exam.listed_at is not None:
        raise ExamIsListed(exam=exam.code)
    return render(request, pages, "remove", session, exam, now)


@post(f"{ONE}/xoa")
async def remove_draft(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response:
    """Remove a draft with everything that was brought in."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    await read_form(request, session)
    async with desk_pool.transaction() as connection:
        if (await find_exam(connection, exam.code)).listed_at is not None:
            raise ExamIsListed(exam=exam.code)
        await require_nothing_waits(connection, exam)
        await remove_exam(connection, exam.code, now, actor=actor_of(request, session.officer.id))
    return see_other("/can-bo/ky-thi")


def values_of(exam: Exam) -> dict[str, Any]:
    """What the form shows of an exam as it stands."""
    facts = Announced.of(exam)
    announced = facts.announced_at and facts.announced_at.astimezone(VIETNAM)
    regrade = msgspec.structs.asdict(facts.regrade) if facts.regrade else {}
    return {
        "name": facts.name,
        "name_en": facts.name_en,
        "announced_day": announced and announced.date().isoformat(),
        "announced_hour": announced and f"{announced:%H:%M:%S}".removesuffix(":00"),
        "regrade_from": regrade.get("from_") and regrade["from_"].isoformat(),
        "regrade_to": regrade.get("to") and regrade["to"].isoformat(),
        "regrade_where": regrade.get("where"),
        "regrade_fee": regrade.get("fee"),
        "year": str(exam.year),
        "kind": exam.kind,
        "policy": exam.policy,
        "number_format": exam.number_format,
        "show_name": exam.show_name,
        **{name: getattr(exam, name) for name in RATES},
    }


def _units(session: Session, tree: UnitTree) -> list[str]:
    units = session.officer.units_where("prepare_exam", tree)
    if not units:
        raise NotPermitted
    return units


def _new_exam(
    request: Request,
    pages: Pages,
    session: Session,
    tree: UnitTree,
    now: datetime,
    form: dict[str, Any],
    *,
    status: int = 200,
) -> Response[bytes]:
    units = [tree.current(code) for code in _units(session, tree)]
    return pages.render(
        request,
        "lookup/desk/new_exam.html",
        status=status,
        unit=units[0],
        now=now,
        session=session,
        form=form,
        units=units,
        **_choices(),
    )


def render_edit(
    request: Request, pages: Pages, session: Session, exam: Exam, now: datetime, form: dict[str, Any], **context: Any
) -> Response[bytes]:
    """The page with everything about an exam that can be put right."""
    return render(request, pages, "edit", session, exam, now, form=form, **context, **_choices())


def _choices() -> dict[str, Any]:
    examples = {code: CandidateNumberFormat(kind.number_format).example for code, kind in exam_kinds().items()}
    return {"kinds": list(exam_kinds().values()), "examples": examples}


exam_form_routes = [show_new_exam, add_new_exam, show_edit, edit_exam, ask_to_remove, remove_draft]
