"""Decisions about units as administrators type them in: founding, name, place, merger, end, and whole lists."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar import post as posted
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.mail.post import Post
from kit.pages import Pages, see_other
from kit.tables import TableError
from units import places
from units.approvals import approvals
from units.approvals.approval import AlreadyWaiting
from units.approvals.kinds import Kinds
from units.desk.change_forms import READERS, Desk
from units.desk.unit_desk_page import read_upload_form, visible_unit
from units.desk.unit_forms import Reading, form
from units.directory.shelf import UnitShelf
from units.history.change_approval import TITLES, Add, Close, Import, Merge, Move, Rename, UnitChange
from units.lists.list_change import LARGEST_FILE, ListRefused, Trial, try_list
from units.officers.doorkeeper import read_form
from units.officers.officers import Officer
from units.officers.sessions import Session
from units.places import CommuneElsewhere, PlaceNotFound
from units.record.entries import actor_of
from units.unit_tree import UnitTree
from units.units import Unit, UnitCodeTaken, UnitNotFound, UnitRefused

# What can be done to a unit, by the last part of the address.
ACTS: Mapping[str, type] = {
    "them-don-vi": Add, "nhap-danh-sach": Import, "doi-ten": Rename, "dieu-chuyen": Move, "sap-nhap": Merge,
    "giai-the": Close,
}  # fmt: skip
# Done to what is below a unit, not to the unit itself.
_BELOW = (Add, Import)
# Beside which field a refusal stands that names none.
_FIELDS: Mapping[type, str] = {
    Add: "code", Import: "list", Rename: "name", Move: "managed_by", Merge: "into", Close: "decision_number",
}  # fmt: skip
_LARGEST_FORM = LARGEST_FILE + 64 * 1024
_MOST_PROBLEMS = 500


def changeable_unit(tree: UnitTree, officer: Officer, code: str, kind: type) -> Unit:
    """The unit, if the officer may change it this way. Raises UnitNotFound, NotPermitted, UnitRefused."""
    unit = visible_unit(tree, officer, code)
    officer.require("change_units", code if kind in _BELOW else unit.managed_by or code, tree)
    if unit.closed_on:
        raise UnitRefused(rule="a_closed_unit_stays_as_it_was", unit=code)
    return unit


@get("/don-vi/{unit_code:str}/{act:str}")
async def show_change_form(
    request: Request,
    unit_code: FromPath[str],
    act: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """A form for one kind of decision, filled with what is so today."""
    kind = _kind_of(act)
    shown = changeable_unit(tree, session.officer, unit_code, kind)
    return _page(request, pages, session, tree, now, shown, act, Reading({}), _as_it_is(kind, shown))


@get("/don-vi/{unit_code:str}/nhap-danh-sach")
async def show_list_form(
    request: Request,
    unit_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """A form for a file of units."""
    shown = changeable_unit(tree, session.officer, unit_code, Import)
    return _page(request, pages, session, tree, now, shown, "nhap-danh-sach", Reading({}), {})


@posted("/don-vi/{unit_code:str}/{act:str}")
async def hand_in_change(
    request: Request,
    unit_code: FromPath[str],
    act: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    kinds: NamedDependency[Kinds],
    unit_shelf: NamedDependency[UnitShelf],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response:
    """Hand a decision in, tried on the units as they are; or show the form again with every mistake."""
    kind = _kind_of(act)
    if kind not in READERS:
        raise NotFoundException
    shown = changeable_unit(tree, session.officer, unit_code, kind)
    typed = await read_form(request, session)
    reading = Reading(typed)
    desk = Desk(shown, session.officer, tree, await unit_shelf.directory(tree), now)
    change = READERS[kind](reading, desk)
    if change is not None and not reading.errors:
        hand_in = _HandIn(request, session, tree, kinds, desk_pool, post, now)
        if address := await _tried(hand_in, reading, shown, change, reading.text("note")):
            return see_other(address)
    return _page(request, pages, session, tree, now, shown, act, reading, typed, status=422)


@posted("/don-vi/{unit_code:str}/nhap-danh-sach", request_max_body_size=_LARGEST_FORM)
async def hand_in_list(
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
    """Hand a file of units in, or show everything that is wrong with it, by row and column."""
    shown = changeable_unit(tree, session.officer, unit_code, Import)
    typed = await read_upload_form(request, session)
    reading, upload = Reading(typed), typed.get("list")
    content = await upload.read() if isinstance(upload, UploadFile) else b""
    trial = await _try_list(reading, content, desk_pool, session.officer, tree, now)
    if trial and not reading.errors:
        hand_in = _HandIn(request, session, tree, kinds, desk_pool, post, now)
        if address := await _tried(hand_in, reading, shown, Import(content), reading.text("note")):
            return see_other(address)
    found = trial.summary.problems if trial else []
    return _page(
        request, pages, session, tree, now, shown, "nhap-danh-sach", reading, typed, status=422,
        problems=found[:_MOST_PROBLEMS], problem_count=len(found),
    )  # fmt: skip


async def _try_list(
    reading: Reading, content: bytes, desk_pool: BoundedPool, officer: Officer, tree: UnitTree, now: datetime
) -> Trial | None:
    if not content:
        reading.wrong("list", "list_missing")
        return None
    if len(content) > LARGEST_FILE:
        reading.wrong("list", "list_too_large", most=LARGEST_FILE // 2**20)
        return None
    try:
        async with desk_pool.transaction() as transaction:
            trial = await try_list(transaction, content, now)
    except TableError as refused:
        reading.wrong("list", "list_unreadable", why=refused.code)
        return None
    if trial.summary.error_count:
        reading.wrong("list", "list_with_mistakes", count=trial.summary.error_count)
    elif not trial.after:
        reading.wrong("list", "list_changes_nothing")
    elif beyond := _beyond_reach(trial, officer, tree):
        reading.wrong("list", "list_beyond_reach", names="; ".join(beyond[:5]))
    return trial


def _beyond_reach(trial: Trial, officer: Officer, tree: UnitTree) -> list[str]:
    """Names of units in the file that are not the officer's to change, before or after."""
    then = UnitTree(({unit.code: unit for unit in tree} | trial.after).values())

    def is_hers(unit: Unit | None, tree: UnitTree) -> bool:
        return unit is None or officer.may("change_units", unit.managed_by or unit.code, tree)

    return [
        unit.name
        for code, unit in trial.after.items()
        if not (is_hers(trial.before.get(code), tree) and is_hers(unit, then))
    ]


class _HandIn(msgspec.Struct, frozen=True):
    """What handing in needs besides the change itself."""

    request: Request
    session: Session
    tree: UnitTree
    kinds: Kinds
    desk_pool: BoundedPool
    post: Post
    now: datetime

    async def __call__(self, unit: Unit, change: UnitChange, note: str) -> str:
        """The address of the approval in which the change waits now."""
        about = _about(unit, change)
        officer_id = self.session.officer.id
        async with self.desk_pool.transaction() as transaction:
            approval = await approvals.hand_in(
                transaction, self.kinds, "unit-change", about, msgspec.to_builtins(change), unit_code=unit.code,
                takes_effect_at=None, note=note, officer_id=officer_id, tree=self.tree,
                actor=actor_of(self.request, officer_id), now=self.now, post=self.post,
            )  # fmt: skip
        return f"/can-bo/phe-duyet/{approval.id}?vua=trinh"


async def _tried(hand_in: _HandIn, reading: Reading, unit: Unit, change: UnitChange, note: str) -> str | None:
    """Hand in; a rule that refuses becomes a mistake beside its field."""
    field = _FIELDS[type(change)]
    try:
        return await hand_in(unit, change, note)
    except AlreadyWaiting:
        reading.wrong(field, "change_waits_already")
    except UnitCodeTaken:
        reading.wrong(field, "unit_code_taken")
    except (PlaceNotFound, CommuneElsewhere):
        reading.wrong("commune", "commune_unknown", names="")
    except UnitNotFound as unknown:
        reading.wrong(field, "unit_unknown", typed=unknown.facts["unit"])
    except UnitRefused as refused:
        words = refused.facts["sentence"]
        where = "decision_on" if refused.facts["rule"].startswith("a_decision") else field
        reading.wrong(where, "unit_rule", sentence=f"{words[:1].upper()}{words[1:]}.")
    except ListRefused as refused:
        reading.wrong(field, "list_with_mistakes", count=refused.facts["count"])
    return None


def _about(unit: Unit, change: UnitChange) -> str:
    match change:
        case Add(new):
            return f"{unit.code}:{new.code}"
        case Import():
            return f"{unit.code}:danh-sach"
        case _:
            return unit.code


def _kind_of(act: str) -> type:
    try:
        return ACTS[act]
    except KeyError:
        raise NotFoundException from None


def _as_it_is(kind: type, unit: Unit) -> dict[str, str]:
    if kind is Rename:
        return {"name": unit.name, "short_name": unit.short_name, "name_en": unit.name_en}
    if kind is Move:
        return {"address": unit.address, "commune": unit.commune_code or ""}
    return {}


def _commune_of(unit: Unit) -> str:
    """Its name, beside the code that the form is filled with."""
    try:
        return places.commune(unit.commune_code).name if unit.commune_code else ""
    except PlaceNotFound:
        return ""


def _page(
    request: Request,
    pages: Pages,
    session: Session,
    tree: UnitTree,
    now: datetime,
    shown: Unit,
    act: str,
    reading: Reading,
    typed: Mapping[str, Any],
    *,
    status: int = 200,
    **context: Any,
) -> Response[bytes]:
    found: dict[str, Any] = {"problems": [], "problem_count": 0}
    return pages.render(
        request, "units/desk_change.html", status=status, unit=next(iter(tree)), now=now, session=session, shown=shown,
        act=act, action=TITLES[ACTS[act]], form=form(typed, reading.errors), commune=_commune_of(shown),
        **(found | context),
    )  # fmt: skip


officer_routes = [show_change_form, show_list_form, hand_in_change, hand_in_list]
