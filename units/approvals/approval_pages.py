"""The officers' pages of approvals, `/can-bo/phe-duyet`: what waits, what it changes, and the decision."""

from datetime import datetime, timedelta
from typing import Any, Literal

from litestar import Request, Response, get
from litestar import post as posted
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.errors import DomainError, InvalidForm
from kit.mail.post import Post
from kit.pages import Pages, see_other
from units.approvals import approvals
from units.approvals.approval import AlreadyDecided, AlreadyInEffect, Approval, OwnWork
from units.approvals.approval_view import View, find_view
from units.approvals.kinds import Kinds
from units.approvals.lists import list_decided, list_handed_in, list_waiting_below, list_waiting_for
from units.approvals.rerouting import is_anything_misplaced, reroute
from units.officers.doorkeeper import read_form
from units.officers.officers import NotPermitted, find_officers
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

HERE = "/can-bo/phe-duyet"
_LATELY = timedelta(days=30)

Act = Literal["phe-duyet", "tra-lai", "rut-lai"]
_ACTS: dict[str, Act] = {"phe-duyet": "phe-duyet", "tra-lai": "tra-lai", "rut-lai": "rut-lai"}
_PARTS = ("cho-toi", "toi-trinh", "truc-thuoc", "da-xong")


@get("/phe-duyet")
async def show_list(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What waits for me, what I handed in, what was decided lately; narrowed by kind and unit."""
    await find_places(session, desk_pool, kinds, tree, now, post)
    part = _part(request.query_params.get("muc"), session)
    found = await _list(part, desk_pool, session, tree, now)
    chosen = {name: request.query_params.get(name, "") for name in ("loai", "don-vi")}
    shown = [each for each in found if _fits(each, chosen, tree)]
    named = {officer_id for each in shown for officer_id in (each.handed_in_by, each.decided_by) if officer_id}
    return pages.render(
        request, "approvals/list.html", unit=next(iter(tree)), now=now, session=session, tree=tree, kinds=kinds,
        part=part, found=found, shown=shown, chosen=chosen, people=await find_officers(desk_pool, sorted(named)),
        sees_below=any(held.role == "approver" and tree.managed_by(held.unit_code) for held in session.officer.roles),
    )  # fmt: skip


@get("/phe-duyet/{approval_id:str}")
async def show_one(
    request: Request,
    approval_id: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What would change for the public, when, by whom; and every step so far."""
    view = await find_view(desk_pool, kinds, approval_id, session.officer, tree, now)
    return pages.render(
        request, "approvals/one.html", unit=next(iter(tree)), now=now, session=session, tree=tree, view=view,
        just=request.query_params.get("vua", ""), refusal=_refusal(pages, view.refused),
    )  # fmt: skip


@get("/phe-duyet/{approval_id:str}/{act:str}")
async def ask_for_decision(
    request: Request,
    approval_id: FromPath[str],
    act: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The second look before anything is done: once more what, and when; and a place for the reason."""
    view = await find_view(desk_pool, kinds, approval_id, session.officer, tree, now)
    _require_open(_act(act), view, now)
    return _show_decision(request, pages, session, tree, now, act, view, {"values": {}, "errors": []})


@posted("/phe-duyet/{approval_id:str}/{act:str}")
async def decide(
    request: Request,
    approval_id: FromPath[str],
    act: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response[Any]:
    """Approve, send back or withdraw."""
    act, fields = _act(act), await read_form(request, session)
    reason = str(fields.get("reason", ""))
    told: dict[str, Any] = {
        "officer": session.officer, "tree": tree, "actor": actor_of(request, session.officer.id), "now": now,
        "post": post,
    }  # fmt: skip
    try:
        async with desk_pool.transaction() as connection:
            if act == "phe-duyet":
                wishes = [name for name, value in fields.items() if value == "1"]
                await approvals.approve(connection, kinds, approval_id, **told, wishes=wishes)
            elif act == "tra-lai":
                await approvals.send_back(connection, kinds, approval_id, reason, **told)
            else:
                await approvals.withdraw(connection, kinds, approval_id, reason, **told)
    except InvalidForm as refused:
        view = await find_view(desk_pool, kinds, approval_id, session.officer, tree, now)
        form = {"values": {"reason": reason}, "errors": refused.errors}
        return _show_decision(request, pages, session, tree, now, act, view, form)
    return see_other(f"{HERE}/{approval_id}?vua={act}")


async def find_places(
    session: Session, desk_pool: BoundedPool, kinds: Kinds, tree: UnitTree, now: datetime, post: Post
) -> None:
    """Before an approver looks at what waits: what waits where nobody is left moves to where somebody can decide."""
    if session.officer.does("approve") and await is_anything_misplaced(desk_pool):
        async with desk_pool.transaction() as connection:
            await reroute(connection, kinds, tree, now, post)


def _act(act: str) -> Act:
    if act not in _ACTS:
        raise NotFoundException
    return _ACTS[act]


def _part(asked: str | None, session: Session) -> str:
    if asked in _PARTS:
        return asked
    return "cho-toi" if session.officer.does("approve") or session.waiting else "toi-trinh"


async def _list(part: str, desk_pool: BoundedPool, session: Session, tree: UnitTree, now: datetime) -> list[Approval]:
    officer = session.officer
    if part == "toi-trinh":
        return await list_handed_in(desk_pool, officer.id, now - _LATELY)
    if part == "truc-thuoc":
        return await list_waiting_below(desk_pool, officer, tree)
    if part == "da-xong":
        return await list_decided(desk_pool, officer, tree, now - _LATELY)
    return await list_waiting_for(desk_pool, officer, tree, now)


def _fits(approval: Approval, chosen: dict[str, str], tree: UnitTree) -> bool:
    unit_code = tree.current(approval.unit_code).code
    return chosen["loai"] in ("", approval.kind) and chosen["don-vi"] in ("", unit_code)


def _require_open(act: Act, view: View, now: datetime) -> None:
    """Raises what `decide` would, before anybody has written a reason."""
    approval = view.approval
    if act == "rut-lai":
        if not view.may_withdraw:
            raise NotPermitted
        if approval.is_in_effect(now):
            raise AlreadyInEffect(approval_id=approval.id)
    elif view.own:
        raise OwnWork(approval_id=approval.id)
    elif view.authority is None:
        raise NotPermitted
    if not (approval.can_be_withdrawn(now) if act == "rut-lai" else approval.state == "waiting"):
        raise AlreadyDecided(approval_id=approval.id, state=approval.state)


def _show_decision(
    request: Request,
    pages: Pages,
    session: Session,
    tree: UnitTree,
    now: datetime,
    act: str,
    view: View,
    form: dict[str, Any],
) -> Response[bytes]:
    return pages.render(
        request, "approvals/decide.html", unit=next(iter(tree)), now=now, session=session, act=act, view=view,
        form=form, refusal=_refusal(pages, view.refused), status=422 if form["errors"] else 200,
    )  # fmt: skip


def _refusal(pages: Pages, refused: DomainError | None) -> str:
    return pages.sentence("vi", refused.code, **refused.facts)[1] if refused else ""


officer_routes = [show_list, show_one, ask_for_decision, decide]
