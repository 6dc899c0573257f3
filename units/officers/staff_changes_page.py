"""Changes of staff as forms: invite, give and take a role, hand over, set two factors up anew, end an account."""

from collections.abc import Sequence

from litestar import Request, Response, get, post
from litestar.params import FromPath

from kit.errors import FieldError, InvalidForm
from kit.pages import see_other
from units.officers.allowed_domains import read_official_address
from units.officers.handover import Pile, SuccessorNeeded, SuccessorUnfit, find_piles, hand_over
from units.officers.invitations import invite, invite_again
from units.officers.officers import Held, NotPermitted, Officer, OfficerNotFound
from units.officers.public_cards import SALUTATIONS, read_card
from units.officers.roles import ROLE_NAMES
from units.officers.staff_desk import HOME, StaffDesk, staff_desk
from units.officers.staff_list import Member, role_choices
from units.officers.staff_page import officer_page
from units.officers.staffing import (
    disable,
    grant,
    leaves_unit,
    lock_staff,
    may_end,
    read_reason,
    read_role,
    reset_two_factor,
    revoke,
)

_SALUTATIONS = [(each, each) for each in SALUTATIONS]


@get("/nhan-su/moi")
async def show_invitation(request: Request) -> Response[bytes]:
    """Whom to invite, to which role, where."""
    desk = staff_desk(request)
    unit_code = request.query_params.get("don-vi", "")
    return _invitation_page(desk, {"unit": unit_code, "role": "editor"})


@post("/nhan-su/moi")
async def give_invitation(request: Request) -> Response:
    """The letter goes out, or the role to whoever has the address already."""
    desk = staff_desk(request)
    fields = await desk.fields()
    card, errors = await _read_invitation(desk, fields)
    if errors:
        return _invitation_page(desk, fields, errors)
    async with desk.pool.transaction() as transaction:
        role = read_role(fields["role"])
        invited = await invite(transaction, fields["email"], fields["unit"], role, card, **desk.change)
    return see_other(f"{HOME}/{invited.officer_id}")


@post("/nhan-su/{officer_id:str}/moi-lai")
async def invite_once_more(request: Request, officer_id: FromPath[str]) -> Response:
    """The letter again, with another link."""
    desk = staff_desk(request)
    await desk.fields()
    officer = (await desk.find_member(officer_id)).officer
    async with desk.pool.transaction() as transaction:
        await invite_again(transaction, officer.id, **desk.change)
    return _back_to(officer)


@post("/nhan-su/{officer_id:str}/vai-tro")
async def give_role(request: Request, officer_id: FromPath[str]) -> Response:
    """Another role."""
    desk = staff_desk(request)
    fields = await desk.fields()
    member = await desk.find_member(officer_id)
    errors = _missing(fields, "unit", "role")
    if errors:
        return await officer_page(desk, member, values=fields, errors=errors)
    async with desk.pool.transaction() as transaction:
        await grant(transaction, officer_id, fields["unit"], read_role(fields["role"]), **desk.change)
    return _back_to(member.officer)


@get("/nhan-su/{officer_id:str}/thu-hoi/{unit_code:str}/{role:str}")
async def show_revocation(
    request: Request, officer_id: FromPath[str], unit_code: FromPath[str], role: FromPath[str]
) -> Response[bytes]:
    """What taking the role would mean, and who takes over."""
    desk = staff_desk(request)
    return await _revocation_page(desk, await desk.find_member(officer_id), _held(unit_code, role))


@post("/nhan-su/{officer_id:str}/thu-hoi/{unit_code:str}/{role:str}")
async def give_revocation(
    request: Request, officer_id: FromPath[str], unit_code: FromPath[str], role: FromPath[str]
) -> Response:
    """The role is taken; open work goes over in the same step."""
    desk = staff_desk(request)
    fields = await desk.fields()
    member, held = await desk.find_member(officer_id), _held(unit_code, role)
    try:
        async with desk.pool.transaction() as transaction:
            await revoke(transaction, officer_id, held, works=desk.works, choices=fields, **desk.change)
    except (SuccessorNeeded, SuccessorUnfit):
        return await _revocation_page(desk, member, held, fields)
    return _back_to(member.officer)


@get("/nhan-su/{officer_id:str}/ngung")
async def show_leaving(request: Request, officer_id: FromPath[str]) -> Response[bytes]:
    """What ending the account would mean, and who takes over."""
    desk = staff_desk(request)
    return await _leaving_page(desk, await _find_endable(desk, officer_id))


@post("/nhan-su/{officer_id:str}/ngung")
async def give_leaving(request: Request, officer_id: FromPath[str]) -> Response:
    """The account ends; open work goes over in the same step."""
    desk = staff_desk(request)
    fields = await desk.fields()
    member = await _find_endable(desk, officer_id)
    reason = fields.get("reason", "")
    try:
        async with desk.pool.transaction() as transaction:
            await disable(transaction, officer_id, reason, works=desk.works, choices=fields, **desk.change)
    except (InvalidForm, SuccessorNeeded, SuccessorUnfit):
        return await _leaving_page(desk, member, fields)
    return _back_to(member.officer)


@get("/nhan-su/{officer_id:str}/xac-thuc-hai-lop")
async def show_two_factor_reset(request: Request, officer_id: FromPath[str]) -> Response[bytes]:
    """What forgetting a second factor would mean."""
    desk = staff_desk(request)
    return desk.show("staff_two_factor", officer=(await _find_endable(desk, officer_id)).officer)


@post("/nhan-su/{officer_id:str}/xac-thuc-hai-lop")
async def give_two_factor_reset(request: Request, officer_id: FromPath[str]) -> Response:
    """The second factor is forgotten, with a reason."""
    desk = staff_desk(request)
    fields = await desk.fields()
    officer = (await _find_endable(desk, officer_id)).officer
    try:
        async with desk.pool.transaction() as transaction:
            await reset_two_factor(transaction, officer_id, fields.get("reason", ""), **desk.change)
    except InvalidForm as refused:
        return desk.show("staff_two_factor", values=fields, errors=refused.errors, officer=officer)
    return _back_to(officer)


@get("/nhan-su/{officer_id:str}/ban-giao")
async def show_handover(request: Request, officer_id: FromPath[str]) -> Response[bytes]:
    """Open work in the units that the viewer administers, and who could take it."""
    desk = staff_desk(request)
    return await _handover_page(desk, await desk.find_member(officer_id))


@post("/nhan-su/{officer_id:str}/ban-giao")
async def give_handover(request: Request, officer_id: FromPath[str]) -> Response:
    """Open work goes over, the officer stays."""
    desk = staff_desk(request)
    fields = await desk.fields()
    member = await desk.find_member(officer_id)
    units = _managed_units(desk, member.officer)
    try:
        async with desk.pool.transaction() as transaction:
            await lock_staff(transaction)
            piles = await find_piles(transaction, desk.works, officer_id, units, desk.tree, desk.now)
            # Delegations only end with whoever leaves.
            given = [pile for pile in piles if pile.work.role]
            await hand_over(transaction, given, officer_id, fields, desk.actor, desk.now)
    except (SuccessorNeeded, SuccessorUnfit):
        return await _handover_page(desk, member, fields)
    return _back_to(member.officer)


def _invitation_page(desk: StaffDesk, values: dict[str, str], errors: Sequence[FieldError] = ()) -> Response[bytes]:
    units = [(code, desk.tree.find(code).name) for code in desk.viewer.units_where("manage_officers", desk.tree)]
    if not units:
        raise NotPermitted
    return desk.show(
        "staff_invitation", values=values, errors=errors, unit_choices=units, role_choices=role_choices(),
        salutation_choices=_SALUTATIONS,
    )  # fmt: skip


async def _read_invitation(desk: StaffDesk, fields: dict[str, str]) -> tuple[dict[str, str], list[FieldError]]:
    """The card of whoever is invited, and everything that is wrong with the form. Raises NotPermitted, UnitNotFound."""
    errors, card = _missing(fields, "unit", "role"), {}
    unit_code = fields.get("unit")
    if unit_code:
        desk.viewer.require("manage_officers", unit_code, desk.tree)
    try:
        # Without a unit nobody knows its domains, and the address is only looked at.
        code = desk.tree.current(unit_code).code if unit_code else None
        await read_official_address(desk.pool, code, fields.get("email"))
    except InvalidForm as refused:
        errors += refused.errors
    try:
        card = read_card(fields)
    except InvalidForm as refused:
        errors += refused.errors
    return card, errors


def _missing(fields: dict[str, str], *names: str) -> list[FieldError]:
    errors = [FieldError(name, "required") for name in names if not fields.get(name)]
    if fields.get("role") and fields["role"] not in ROLE_NAMES:
        errors.append(FieldError("role", "role_unknown"))
    return errors


async def _revocation_page(
    desk: StaffDesk, member: Member, held: Held, typed: dict[str, str] | None = None
) -> Response[bytes]:
    officer, tree = member.officer, desk.tree
    desk.viewer.require("manage_officers", held.unit_code, tree)
    piles: list[Pile] = []
    if held in officer.roles and leaves_unit(officer, held, tree):
        piles = await find_piles(desk.pool, desk.works, officer.id, [held.unit_code], tree, desk.now)
    return desk.show(
        "staff_revocation", values=typed, errors=_mistakes(piles, typed), officer=officer, held=held,
        role_name=ROLE_NAMES[held.role][0], of=tree.current(held.unit_code), piles=piles,
        is_the_last=len(officer.roles) == 1,
    )  # fmt: skip


async def _leaving_page(desk: StaffDesk, member: Member, typed: dict[str, str] | None = None) -> Response[bytes]:
    officer = member.officer
    units = {held.unit_code for held in officer.roles}
    piles = await find_piles(desk.pool, desk.works, officer.id, units, desk.tree, desk.now)
    errors = _mistakes(piles, typed)
    if typed is not None:
        try:
            read_reason(typed.get("reason", ""))
        except InvalidForm as refused:
            errors = [*refused.errors, *errors]
    return desk.show("staff_leaving", values=typed, errors=errors, officer=officer, member=member, piles=piles)


async def _handover_page(desk: StaffDesk, member: Member, typed: dict[str, str] | None = None) -> Response[bytes]:
    officer = member.officer
    units = _managed_units(desk, officer)
    piles = await find_piles(desk.pool, desk.works, officer.id, units, desk.tree, desk.now)
    piles = [pile for pile in piles if pile.work.role]
    return desk.show("staff_handover", values=typed, errors=_mistakes(piles, typed), officer=officer, piles=piles)


def _held(unit_code: str, role: str) -> Held:
    """A role as an address names it. Raises OfficerNotFound."""
    try:
        return Held(unit_code, read_role(role))
    except InvalidForm:
        raise OfficerNotFound from None


def _managed_units(desk: StaffDesk, officer: Officer) -> set[str]:
    """Codes of the officer's units that the viewer administers. Raises NotPermitted for none."""
    units = {
        held.unit_code for held in officer.roles if desk.viewer.may("manage_officers", held.unit_code, desk.tree)
    }  # fmt: skip
    if not units:
        raise NotPermitted
    return units


def _mistakes(piles: Sequence[Pile], typed: dict[str, str] | None) -> list[FieldError]:
    """Where a successor is missing or may not do it any more; none before anything was typed."""
    if typed is None:
        return []
    errors = []
    for pile in piles:
        named, fitting = typed.get(pile.field, ""), {each.id for each in pile.successors}
        if fitting and not named:
            errors.append(FieldError(pile.field, "successor_needed"))
        elif named and named not in fitting:
            errors.append(FieldError(pile.field, "successor_unfit"))
    return errors


async def _find_endable(desk: StaffDesk, officer_id: str) -> Member:
    """Raises OfficerNotFound, NotPermitted."""
    member = await desk.find_member(officer_id)
    if not may_end(desk.viewer, member.officer, desk.tree):
        raise NotPermitted
    return member


def _back_to(officer: Officer) -> Response[None]:
    return see_other(f"{HOME}/{officer.id}")


officer_routes = [
    show_invitation, give_invitation, invite_once_more, give_role, show_revocation, give_revocation, show_leaving,
    give_leaving, show_two_factor_reset, give_two_factor_reset, show_handover, give_handover,
]  # fmt: skip
