"""Around the staff of a unit: an officer's public card, and the mail domains that count as official."""

from litestar import Request, Response, get, post
from litestar.params import FromPath

from kit.errors import InvalidForm
from kit.pages import see_other
from units.officers.allowed_domains import USUAL, find_domains, may_set_domains, set_domains
from units.officers.officers import NotPermitted, Officer
from units.officers.public_cards import FIELDS, SALUTATIONS, change_card, read_card
from units.officers.staff_desk import HOME, StaffDesk, staff_desk
from units.officers.staff_page import may_describe
from units.units import Unit

_SALUTATIONS = [(each, each) for each in SALUTATIONS]


@get("/nhan-su/{officer_id:str}/the")
async def show_card(request: Request, officer_id: FromPath[str]) -> Response[bytes]:
    """The public card, to be changed by its owner or by whoever administers her."""
    desk = staff_desk(request)
    officer = await _find_describable(desk, officer_id)
    values = {name: getattr(officer, name) for name in FIELDS}
    return desk.show("staff_card", values=values, officer=officer, salutation_choices=_SALUTATIONS)


@post("/nhan-su/{officer_id:str}/the")
async def give_card(request: Request, officer_id: FromPath[str]) -> Response:
    """The card anew."""
    desk = staff_desk(request)
    fields = await desk.fields()
    officer = await _find_describable(desk, officer_id)
    try:
        card = read_card(fields)
    except InvalidForm as refused:
        return desk.show(
            "staff_card", values=fields, errors=refused.errors, officer=officer, salutation_choices=_SALUTATIONS
        )  # fmt: skip
    key = request.app.state.key_ring.current("record").value
    async with desk.pool.transaction() as transaction:
        await change_card(transaction, officer, card, actor=desk.actor, key=key)
    return see_other(f"{HOME}/{officer.id}")


@get("/nhan-su/ten-mien/{unit_code:str}")
async def show_domains(request: Request, unit_code: FromPath[str]) -> Response[bytes]:
    """The mail domains of a unit's officers."""
    desk = staff_desk(request)
    unit = _find_governed(desk, unit_code)
    values = {"domains": "\n".join(await find_domains(desk.pool, unit.code))}
    return desk.show("staff_domains", values=values, of=unit, usual=USUAL)


@post("/nhan-su/ten-mien/{unit_code:str}")
async def give_domains(request: Request, unit_code: FromPath[str]) -> Response:
    """The domains anew; none: the usual ones."""
    desk = staff_desk(request)
    fields = await desk.fields()
    unit = _find_governed(desk, unit_code)
    typed = fields.get("domains", "").replace(",", "\n").splitlines()
    try:
        async with desk.pool.transaction() as transaction:
            await set_domains(transaction, unit.code, typed, by=desk.viewer, tree=desk.tree, actor=desk.actor)
    except InvalidForm as refused:
        return desk.show("staff_domains", values=fields, errors=refused.errors, of=unit, usual=USUAL)
    return see_other(f"{HOME}?don-vi={unit.code}")


async def _find_describable(desk: StaffDesk, officer_id: str) -> Officer:
    """Raises OfficerNotFound, NotPermitted."""
    officer = (await desk.find_member(officer_id)).officer
    if not may_describe(desk.viewer, officer, desk.tree):
        raise NotPermitted
    return officer


def _find_governed(desk: StaffDesk, unit_code: str) -> Unit:
    """A unit below one that the viewer administers. Raises UnitNotFound, NotPermitted."""
    unit = desk.tree.current(unit_code)
    if not may_set_domains(desk.viewer, unit.code, desk.tree):
        raise NotPermitted
    return unit


officer_routes = [show_card, give_card, show_domains, give_domains]
