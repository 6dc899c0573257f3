"""The officers' form by which an exam gets limits of its own: for a school's class, for a portal, against guessing."""

from datetime import datetime

from litestar import Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import InvalidForm
from kit.gcra import Pace, pace_of
from kit.pages import Pages, see_other
from lookup.exam_desk import ONE, address_of, find_seen, form_of, require_editor
from lookup.exam_desk_forms import render_edit, values_of
from lookup.exam_drafts import has_batches
from lookup.exam_rates import read_rate, set_rates
from lookup.exams import RATES
from lookup.form_fields import Form
from units.officers.doorkeeper import read_form
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree


@post(f"{ONE}/gioi-han")
async def set_exam_rates(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """Set an exam's own rates, or leave it to the service where a field is empty. They count at once."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    require_editor(exam, session, tree)
    fields = await read_form(request, session)
    form = Form(fields)
    rates = {name: _read(form, name) for name in RATES}
    guessing = rates["wrong_factor_rate"]
    if guessing and _is_looser(pace_of(guessing), Pace.of(request.app.state.settings.wrong_factor_rate)):
        form.wrong("wrong_factor_rate", "exam_rate_too_loose")
    try:
        form.check()
    except InvalidForm as refused:
        shaped = exam.listed_at is not None or await has_batches(desk_pool, exam.code)
        told = form_of(values_of(exam) | {name: fields.get(name) for name in RATES}, refused)
        return render_edit(request, pages, session, exam, now, told, shaped=shaped, status=422)
    async with desk_pool.transaction() as connection:
        await set_rates(connection, exam.code, rates, now, actor=actor_of(request, session.officer.id))
    return see_other(address_of(exam))


def _read(form: Form, name: str) -> str | None:
    text = form.text(name, 40, required=False)
    try:
        return read_rate(text) if text else None
    except ValueError:
        form.wrong(name, "exam_rate_unreadable")
        return None


def _is_looser(one: Pace, other: Pace) -> bool:
    """Whether a guesser may try more: who runs the service says how much that is, not who prepares an exam."""
    return one.burst > other.burst or one.interval < other.interval


rate_routes = [set_exam_rates]
