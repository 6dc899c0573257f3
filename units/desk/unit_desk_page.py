"""The officers' pages of units, `/can-bo/don-vi`: those one may see, each with its facts, and its page to be edited."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar import post as posted
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kit import sql
from kit.bounded_pool import BoundedPool
from kit.mail.post import Post
from kit.pages import Pages, see_other
from kit.vietnamese import sort_key
from units.approvals import approvals
from units.approvals.approval import AlreadyWaiting, Approval
from units.approvals.kinds import Kinds
from units.desk.unit_forms import Reading, form, page_as_typed, read_page
from units.directory.directory_page import name_finder
from units.directory.search import read_wanted
from units.directory.shelf import UnitShelf
from units.faces.contacts import find_eligible
from units.faces.page_approval import PARTS, change_between, find_page
from units.faces.pictures import LARGEST, PictureRefused, find_picture, keep_picture, remake
from units.officers.doorkeeper import check_token
from units.officers.officers import Officer
from units.officers.sessions import Session
from units.record.entries import actor_of, write
from units.unit_tree import UnitTree
from units.units import Unit, UnitNotFound, UnitRefused

unit_desk = sql.load(__file__, "unit_desk")

HERE = "/can-bo/don-vi"
# A logo, and the rest of the form around it.
_LARGEST_FORM = LARGEST + 64 * 1024


class Waiting(msgspec.Struct, frozen=True):
    """What of a unit waits for a second person."""

    page: Approval | None
    change: Approval | None


def visible_unit(tree: UnitTree, officer: Officer, code: str) -> Unit:
    """The unit, if the officer may see it; for everybody else it does not exist. Raises UnitNotFound."""
    unit = tree.find(code)
    if not officer.may("see_unit", code, tree):
        raise UnitNotFound(unit=code)
    return unit


def editable_unit(tree: UnitTree, officer: Officer, code: str) -> Unit:
    """The unit, if the officer may prepare its page. Raises UnitNotFound, NotPermitted, UnitRefused."""
    unit = visible_unit(tree, officer, code)
    officer.require("describe_unit", code, tree)
    if unit.closed_on:
        raise UnitRefused(rule="a_closed_unit_stays_as_it_was", unit=code)
    return unit


def may_change(tree: UnitTree, officer: Officer, unit: Unit) -> bool:
    """Whether the officer administers whoever manages the unit: names, places and ends are decided there."""
    return unit.closed_on is None and officer.may("change_units", unit.managed_by or unit.code, tree)


@get("/don-vi")
async def list_units_page(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    unit_shelf: NamedDependency[UnitShelf],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Every unit one may see, narrowed like the public directory."""
    among = {unit.code for unit in tree if session.officer.may("see_unit", unit.code, tree)}
    directory = await unit_shelf.directory(tree)
    listing = directory.find(read_wanted(request.query_params), among=among)
    return pages.render(
        request, "units/desk_list.html", unit=next(iter(tree)), now=now, session=session, listing=listing, tree=tree,
        commune_name=directory.commune_name,
    )  # fmt: skip


@get("/don-vi/{unit_code:str}")
async def show_unit(
    request: Request,
    unit_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    unit_shelf: NamedDependency[UnitShelf],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """One unit: what the public reads of it, its history, how many officers it has, and what one may do."""
    officer = session.officer
    shown = visible_unit(tree, officer, unit_code)
    managers = tree.managers(unit_code) if not shown.closed_on else []
    return pages.render(
        request, "units/desk_unit.html", unit=next(iter(tree)), now=now, session=session, shown=shown, tree=tree,
        manager=managers[0] if managers else None,
        commune=(await unit_shelf.directory(tree)).commune_name(shown.commune_code),
        story=await unit_shelf.story(tree, shown, now),
        parts=PARTS,
        below=[] if shown.succeeded_by else sorted(tree.managed_by(unit_code), key=lambda each: sort_key(each.name)),
        officers=await unit_desk.count_officers(desk_pool, unit_code=unit_code),
        waiting=await find_waiting(desk_pool, unit_code),
        name_of_code=name_finder(tree),
        may_describe=shown.closed_on is None and officer.may("describe_unit", unit_code, tree),
        may_change=may_change(tree, officer, shown),
        may_found=shown.closed_on is None and officer.may("change_units", unit_code, tree),
        sees_officers=officer.may("see_officers", unit_code, tree),
        just=request.query_params.get("vua", ""),
    )  # fmt: skip


async def find_waiting(desk_pool: BoundedPool, code: str) -> Waiting:
    """What of the unit waits."""
    return Waiting(
        await approvals.find_waiting(desk_pool, "unit-page", code),
        await approvals.find_waiting(desk_pool, "unit-change", code),
    )


@get("/don-vi/{unit_code:str}/hinh/{name:str}")
async def send_picture(
    unit_code: FromPath[str],
    name: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
) -> Response[bytes]:
    """A picture of the unit, approved or not, for those who work on it."""
    visible_unit(tree, session.officer, unit_code)
    content = await find_picture(desk_pool, unit_code, name.removesuffix(".png"))
    if content is None:
        raise NotFoundException
    return Response(content, media_type="image/png", headers={"Cache-Control": "private, max-age=3600"})


@get("/don-vi/{unit_code:str}/sua")
async def show_page_form(
    request: Request,
    unit_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The unit's page as a form."""
    shown = editable_unit(tree, session.officer, unit_code)
    page = await find_page(desk_pool, unit_code)
    waiting = await approvals.find_waiting(desk_pool, "unit-page", unit_code)
    return pages.render(
        request, "units/desk_edit.html", unit=next(iter(tree)), now=now, session=session, shown=shown,
        form=form(page_as_typed(page)), waiting=waiting, eligible=await find_eligible(desk_pool, unit_code),
    )  # fmt: skip


@posted("/don-vi/{unit_code:str}/sua", request_max_body_size=_LARGEST_FORM)
async def hand_in_page(
    request: Request,
    unit_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response:
    """Hand in what is different, or show the form again with every mistake and all that was typed."""
    shown = editable_unit(tree, session.officer, unit_code)
    typed = await read_upload_form(request, session)
    page = await find_page(desk_pool, unit_code)
    reading = Reading(typed)
    logo = await _read_logo(reading, typed, desk_pool, session, request, unit_code, now)
    eligible = await find_eligible(desk_pool, unit_code)
    wanted = read_page(reading, page, now, logo, eligible)
    change = change_between(page, wanted)
    if not reading.errors and change.is_empty:
        reading.wrong("short_name", "page_unchanged")
    if not reading.errors:
        try:
            approval_id = await _hand_in(request, session, tree, kinds, desk_pool, post, now, unit_code, change, typed)
            return see_other(f"/can-bo/phe-duyet/{approval_id}?vua=trinh")
        except AlreadyWaiting:
            reading.wrong("short_name", "page_waits_already")
    return pages.render(
        request, "units/desk_edit.html", status=422, unit=next(iter(tree)), now=now, session=session, shown=shown,
        form=form(typed | {"logo_kept": logo or ""}, reading.errors), eligible=eligible,
        waiting=await approvals.find_waiting(desk_pool, "unit-page", unit_code),
    )  # fmt: skip


async def _hand_in(
    request: Request,
    session: Session,
    tree: UnitTree,
    kinds: Kinds,
    desk_pool: BoundedPool,
    post: Post,
    now: datetime,
    unit_code: str,
    change: msgspec.Struct,
    typed: dict[str, Any],
) -> str:
    async with desk_pool.transaction() as transaction:
        approval = await approvals.hand_in(
            transaction,
            kinds,
            "unit-page",
            unit_code,
            msgspec.to_builtins(change),
            unit_code=unit_code,
            takes_effect_at=None,
            note=str(typed.get("note") or ""),
            officer_id=session.officer.id,
            tree=tree,
            actor=actor_of(request, session.officer.id),
            now=now,
            post=post,
        )
    return approval.id


async def read_upload_form(request: Request, session: Session) -> dict[str, Any]:
    """The fields and files of a form that carries the session's token. Raises FormExpired."""
    typed = dict((await request.form()).items())
    check_token(typed.pop("csrf", ""), session)
    return typed


async def _read_logo(
    reading: Reading,
    typed: dict[str, Any],
    desk_pool: BoundedPool,
    session: Session,
    request: Request,
    unit_code: str,
    now: datetime,
) -> str | None:
    """The hash of the logo that the form shows: a new one, the one it showed before, or none."""
    if typed.get("logo_removed"):
        return None
    upload = typed.get("logo")
    content = await upload.read() if isinstance(upload, UploadFile) else b""
    kept = reading.text("logo_kept") or None
    if not content:
        known = kept and await find_picture(desk_pool, unit_code, kept)
        return kept if known else None
    try:
        painted = await remake(content)
    except PictureRefused as refused:
        reading.errors.append(refused.mistake)
        return kept
    async with desk_pool.transaction() as transaction:
        digest = await keep_picture(transaction, unit_code, painted, now)
        actor = actor_of(request, session.officer.id)
        await write(transaction, actor, "unit_picture.uploaded", ("unit", unit_code), unit=unit_code, hash=digest)
    return digest


officer_routes = [list_units_page, show_unit, send_picture, show_page_form, hand_in_page]
