"""The officers' page of deputies, `/can-bo/phe-duyet/uy-quyen`: who decides while an approver is away."""

from datetime import date, datetime, timedelta
from typing import Any

from litestar import Request, Response, get
from litestar import post as posted
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.dates import NotADate, parse_birth_date
from kit.errors import FieldError, InvalidForm
from kit.mail.post import Post
from kit.pages import Pages, see_other
from units.approvals.deputies import Period, add_deputy, end_deputy, list_candidates, list_deputies
from units.officers.doorkeeper import read_form
from units.officers.officers import Officer, find_officers
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

HERE = "/can-bo/phe-duyet/uy-quyen"
_REMEMBERED = timedelta(days=90)
_TYPED = ("unit", "deputy", "first_day", "last_day", "reason")


@get("/phe-duyet/uy-quyen")
async def show_deputies(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Who stands in for me, for whom I stand in, and a form for the next absence."""
    return await _show(request, session, tree, pages, desk_pool, now, {"values": {}, "errors": []})


@posted("/phe-duyet/uy-quyen")
async def appoint(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response[Any]:
    """Let somebody decide for me from one day to another."""
    fields = await read_form(request, session)
    typed = {name: str(fields.get(name, "")).strip() for name in _TYPED}
    try:
        period, unit_code = _read_period(typed), _read_unit(typed["unit"], session.officer, tree)
        async with desk_pool.transaction() as connection:
            await add_deputy(
                connection, session.officer, unit_code, typed["deputy"], period, typed["reason"], tree=tree,
                actor=actor_of(request, session.officer.id), now=now, post=post,
            )  # fmt: skip
    except InvalidForm as refused:
        form = {"values": typed, "errors": refused.errors}
        return await _show(request, session, tree, pages, desk_pool, now, form)
    return see_other(HERE)


@posted("/phe-duyet/uy-quyen/{delegation_id:str}/ket-thuc")
async def end_early(
    request: Request,
    delegation_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[Any]:
    """Back at work, or not willing: a delegation ends today."""
    await read_form(request, session)
    async with desk_pool.transaction() as connection:
        await end_deputy(
            connection, delegation_id, officer=session.officer, tree=tree,
            actor=actor_of(request, session.officer.id), now=now,
        )  # fmt: skip
    return see_other(HERE)


def units_of(officer: Officer, tree: UnitTree) -> list[str]:
    """Where the officer is an approver and may let somebody stand in, in the tree's order."""
    return officer.units_where("delegate_approval", tree)


async def _show(
    request: Request,
    session: Session,
    tree: UnitTree,
    pages: Pages,
    desk_pool: BoundedPool,
    now: datetime,
    form: dict[str, Any],
) -> Response[bytes]:
    officer, units = session.officer, units_of(session.officer, tree)
    found = await list_deputies(desk_pool, officer.id, now - _REMEMBERED)
    candidates = {code: await list_candidates(desk_pool, officer, code, tree) for code in units}
    people = await find_officers(desk_pool, sorted({each for one in found for each in (one.absent_id, one.deputy_id)}))
    return pages.render(
        request, "approvals/deputies.html", unit=next(iter(tree)), now=now, session=session, tree=tree, units=units,
        found=found, people=people, form=form, status=422 if form["errors"] else 200,
        candidates=list({each.id: each for those in candidates.values() for each in those}.values()),
    )  # fmt: skip


def _read_unit(code: str, officer: Officer, tree: UnitTree) -> str:
    """The unit that was chosen; who is an approver in one alone need not choose."""
    units = units_of(officer, tree)
    if code in units:
        return code
    if len(units) == 1 and not code:
        return units[0]
    if not units:
        # Nothing to delegate: `add_deputy` refuses by the role.
        return next(iter(tree)).code
    raise InvalidForm([FieldError("unit", "required")])


def _read_period(typed: dict[str, str]) -> Period:
    days, mistakes = {}, []
    for name in ("first_day", "last_day"):
        try:
            days[name] = _read_day(typed[name])
        except NotADate:
            mistakes.append(FieldError(name, "date_unreadable" if typed[name] else "required"))
    if mistakes:
        missing = [name for name in ("deputy", "reason") if not typed[name]]
        raise InvalidForm([*mistakes, *(FieldError(name, "required") for name in missing)])
    return Period(days["first_day"], days["last_day"])


def _read_day(text: str) -> date:
    """A day as the browser's calendar writes it, or as people do."""
    return parse_birth_date(text)


officer_routes = [show_deputies, appoint, end_early]
