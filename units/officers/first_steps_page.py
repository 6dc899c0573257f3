"""What somebody sees who was invited: who I am and a password, then the second factor, then the recovery codes."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from kit.errors import FieldError, InvalidForm
from kit.pages import see_other
from units.officers import sessions, two_factor
from units.officers.doorkeeper import check_token
from units.officers.first_steps import confirm, introduce, show_password_again
from units.officers.open_forms import knock_of, limit_sign_ins, read_open_form, require_stage, show
from units.officers.passwords import exists
from units.officers.public_cards import FIELDS, SALUTATIONS
from units.officers.recovery_page import follow_link, show_landing
from units.officers.sessions import Session
from units.officers.sign_in import porter_of
from units.officers.sign_in_page import let_in

_FIRST, _SECOND = "/can-bo/thiet-lap", "/can-bo/thiet-lap/xac-thuc"


@get(f"{_FIRST}/{{secret:str}}", include_in_schema=False)
async def land_on_invitation(request: Request, secret: FromPath[str]) -> Response[bytes]:
    """As for every link in a letter."""
    return show_landing(request, "invitation", secret)


@post(f"{_FIRST}/{{secret:str}}", include_in_schema=False, guards=[limit_sign_ins])
async def accept_invitation(request: Request, secret: FromPath[str]) -> Response[None]:
    """The link becomes a session; its secret stands in no address from here on."""
    return await follow_link(request, "invitation", secret, _FIRST)


@get(_FIRST, include_in_schema=False)
async def show_introduction(request: Request) -> Response[bytes]:
    """Card and password; the password alone for somebody who has one."""
    step = await require_stage(request, "invitation")
    return await _introduction_page(request, step)


@post(_FIRST, include_in_schema=False, guards=[limit_sign_ins])
async def give_introduction(request: Request) -> Response:
    """Both at once, with all mistakes at once."""
    step = await require_stage(request, "invitation")
    fields = await read_open_form(request)
    check_token(fields.get("csrf", ""), step)
    typed = {name: str(value or "") for name, value in fields.items()}
    porter, knock = porter_of(request.app.state), knock_of(request)
    try:
        if await exists(porter.pool, step.officer.id):
            secret = await show_password_again(porter, step, typed.get("current", ""), knock)
        else:
            secret = await introduce(porter, step, typed, knock)
    except InvalidForm as refused:
        return await _introduction_page(request, step, status=422, typed=typed, errors=refused.errors)
    response = see_other(_SECOND)
    response.set_cookie(sessions.cookie(secret))
    return response


@get(_SECOND, include_in_schema=False)
async def show_set_up(request: Request) -> Response[bytes]:
    """The QR code and the key to type where nothing can be scanned."""
    return _set_up_page(request, await require_stage(request, "set_up"))


@post(_SECOND, include_in_schema=False, guards=[limit_sign_ins])
async def give_first_code(request: Request) -> Response[bytes]:
    """The first code; the recovery codes are in the answer, and nowhere afterwards."""
    step = await require_stage(request, "set_up")
    fields = await read_open_form(request)
    check_token(fields.get("csrf", ""), step)
    try:
        signed, codes = await confirm(
            porter_of(request.app.state), step, str(fields.get("code") or ""), knock_of(request)
        )
    except InvalidForm as refused:
        return _set_up_page(request, step, status=422, errors=refused.errors)
    page = show(request, "officers/first_steps_codes.html", codes=codes, officer=step.officer)
    return let_in(page, signed)


def picture_of(request: Request, session: Session) -> dict[str, Any]:
    """The second factor that waits to be confirmed: as a picture, as a key, and as an address for the same phone."""
    officer = session.officer
    secret = two_factor.read_draft(request.app.state.key_ring, officer.id, session.totp_draft)
    if secret is None:
        return {"qr_code": None, "manual_key": "", "setup_address": ""}
    address = two_factor.setup_address(secret, officer.email)
    return {
        "qr_code": two_factor.qr_code(address),
        "manual_key": two_factor.manual_key(secret),
        "setup_address": address,
    }


async def _introduction_page(
    request: Request,
    step: Session,
    *,
    status: int = 200,
    typed: dict[str, str] | None = None,
    errors: list[FieldError] | None = None,
) -> Response[bytes]:
    officer = step.officer
    values = {name: (typed or {}).get(name, getattr(officer, name)) for name in FIELDS}
    return show(
        request,
        "officers/first_steps.html",
        status=status,
        session=step,
        form={"values": values, "errors": errors or []},
        salutations=[(each, each) for each in SALUTATIONS],
        has_password=await exists(porter_of(request.app.state).pool, officer.id),
    )


def _set_up_page(
    request: Request, step: Session, *, status: int = 200, errors: list[FieldError] | None = None
) -> Response[bytes]:
    return show(
        request,
        "officers/first_steps_code.html",
        status=status,
        session=step,
        form={"values": {}, "errors": errors or []},
        **picture_of(request, step),
    )


open_routes = [
    land_on_invitation, accept_invitation, show_introduction, give_introduction, show_set_up, give_first_code,
]  # fmt: skip
