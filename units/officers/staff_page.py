"""What an administrator sees of her staff: everybody of her units, and one of them closely.

When somebody last signed in and where sessions run is not public: whoever reads it stands on the record.
"""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from units.officers import sessions
from units.officers.allowed_domains import may_set_domains
from units.officers.officers import Officer
from units.officers.roles import ROLE_NAMES
from units.officers.staff_desk import StaffDesk, staff_desk
from units.officers.staff_list import (
    MOST,
    STATES,
    Member,
    UnitStaff,
    Wanted,
    count_states,
    list_staff,
    role_choices,
    seen_roles,
    seen_units,
)
from units.officers.staffing import may_end
from units.record.entries import write
from units.unit_tree import UnitTree
from units.units import Unit

_LONGEST_SEARCH = 100


@get("/nhan-su")
async def show_staff(request: Request) -> Response[bytes]:
    """Everybody; `don-vi`, `vai-tro` and `trang-thai` narrow it, and can be kept as a bookmark."""
    return await _staff_page(staff_desk(request), dict(request.query_params))


@post("/nhan-su", status_code=200)
async def search_staff(request: Request) -> Response[bytes]:
    """The same with a search for a person, whose name stands in no address."""
    desk = staff_desk(request)
    fields = await desk.fields()
    return await _staff_page(desk, fields, fields.get("tim", "")[:_LONGEST_SEARCH])


@get("/nhan-su/{officer_id:str}")
async def show_officer(request: Request, officer_id: FromPath[str]) -> Response[bytes]:
    """One officer: card, roles, state, when last seen, and what can be changed."""
    desk = staff_desk(request)
    member = await desk.find_member(officer_id)
    if member.officer.id != desk.viewer.id:
        await _note_reading(desk, member.officer)
    return await officer_page(desk, member)


async def officer_page(
    desk: StaffDesk, member: Member, *, values: dict[str, str] | None = None, errors: Sequence[Any] = ()
) -> Response[bytes]:
    """The page of one officer, with the mistakes of the form on it."""
    viewer, officer, tree = desk.viewer, member.officer, desk.tree
    managed = viewer.units_where("manage_officers", tree)
    has_left, seen = officer.state == "disabled", seen_roles(viewer, officer, tree)
    return desk.show(
        "staff_officer", values=values, errors=errors, member=member, officer=officer, state=STATES[member.state],
        roles=[(held, ROLE_NAMES[held.role][0], tree.current(held.unit_code)) for held in seen],
        is_elsewhere_too=len(seen) < len(officer.roles),
        running=await sessions.list_open(desk.pool, officer, desk.now),
        does_both=_units_of_both(officer, tree),
        is_oneself=officer.id == viewer.id,
        may_grant=bool(managed) and officer.id != viewer.id and not has_left,
        managed=set() if has_left else set(managed),
        may_invite_again=officer.state == "invited" and bool(managed),
        may_end=may_end(viewer, officer, tree) and not has_left,
        may_describe=may_describe(viewer, officer, tree),
        unit_choices=[(code, tree.find(code).name) for code in managed],
        role_choices=role_choices(),
    )  # fmt: skip


def may_describe(viewer: Officer, officer: Officer, tree: UnitTree) -> bool:
    """Whether the viewer may change the card: her own, or that of somebody who works for her units alone.

    A role here can be given to anybody; it must not make what other units say of her one's own.
    """
    return viewer.id == officer.id or all(viewer.may("manage_officers", each.unit_code, tree) for each in officer.roles)


async def _staff_page(desk: StaffDesk, asked: dict[str, str], text: str = "") -> Response[bytes]:
    wanted = Wanted(text, asked.get("don-vi", ""), asked.get("vai-tro", ""), asked.get("trang-thai", ""))
    viewer, tree = desk.viewer, desk.tree
    everybody = await list_staff(desk.pool, viewer, tree)
    staff = [each for unit in everybody if (each := wanted.of(unit, tree)).members]
    units = seen_units(viewer, tree)
    chosen = next((unit for unit in units if unit.code == wanted.unit), None)
    how_many = len({member.officer.id for each in staff for member in each.members})
    await _note_list(desk, chosen or units[0], how_many)
    return desk.show(
        "staff", staff=staff, wanted=wanted, units=units, most=MOST, states=STATES, role_names=ROLE_NAMES,
        how_many=how_many,
        counted=count_states(everybody),
        role_choices=role_choices(),
        without_approver=_without_approver(everybody, tree),
        may_invite=viewer.does("manage_officers"),
        domains_of=chosen if chosen and may_set_domains(viewer, chosen.code, tree) else None,
    )  # fmt: skip


async def _note_list(desk: StaffDesk, unit: Unit, how_many: int) -> None:
    """Under the unit that was asked for, else the viewer's own; what was typed to find somebody is not kept."""
    async with desk.pool.transaction() as transaction:
        await write(transaction, desk.actor, "staff.viewed", ("unit", unit.code), unit=unit.code, count=how_many)


async def _note_reading(desk: StaffDesk, officer: Officer) -> None:
    unit_code = seen_roles(desk.viewer, officer, desk.tree)[0].unit_code
    async with desk.pool.transaction() as transaction:
        await write(transaction, desk.actor, "officer.viewed", ("officer", officer.id), unit=unit_code)


def _without_approver(everybody: Sequence[UnitStaff], tree: UnitTree) -> list[Unit]:
    """Units that have an editor at work and nobody to approve: what they hand in goes further up."""
    found = []
    for each in everybody:
        at_work = {role for one in each.members if one.state == "active" for role in one.roles_in(each.unit.code, tree)}
        if "editor" in at_work and "approver" not in at_work:
            found.append(each.unit)
    return found


def _units_of_both(officer: Officer, tree: UnitTree) -> list[str]:
    """Names of units in which she prepares and approves: allowed, and worth a word."""
    held = {(tree.current(each.unit_code).code, each.role) for each in officer.roles}
    return [tree.find(code).name for code, role in sorted(held) if role == "editor" and (code, "approver") in held]


officer_routes = [show_staff, search_staff, show_officer]
