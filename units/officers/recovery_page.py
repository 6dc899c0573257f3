"""Pages for the day when something is forgotten, and those that letters lead to."""

from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.params import FromPath

from kit.client_address import address_bucket
from kit.errors import FieldError, InvalidForm
from kit.pages import see_other
from units.officers import sessions
from units.officers.doorkeeper import check_token
from units.officers.open_forms import knock_of, limit_sign_ins, read_open_form, require_stage, show
from units.officers.recovery import ask_for_reset, open_link, reset_password
from units.officers.sign_in import porter_of, read_address
from units.officers.tokens import Purpose, link_path

_FORGOTTEN, _RESET, _WAKING = "/can-bo/quen-mat-khau", "/can-bo/dat-lai-mat-khau", "/can-bo/danh-thuc"
_BLANK = {"values": {}, "errors": []}


@get(_FORGOTTEN, include_in_schema=False)
async def show_forgotten(request: Request) -> Response[bytes]:
    """Where the letter shall go."""
    return show(request, "officers/recovery.html", form=_BLANK)


@post(_FORGOTTEN, include_in_schema=False, guards=[limit_sign_ins])
async def forgotten(request: Request) -> Response[bytes]:
    """One answer for every address, after the same work."""
    fields = await read_open_form(request)
    address = read_address(fields.get("email"))
    if "@" not in address:
        form = {
            "values": {"email": address},
            "errors": [FieldError("email", "email_malformed" if address else "required")],
        }
        return show(request, "officers/recovery.html", status=422, form=form)
    # Whoever asks too often hears the same, and no letter goes out.
    verdict = await request.app.state.limiter.hit("password_reset", address_bucket(knock_of(request).address))
    if verdict.allowed:
        await ask_for_reset(porter_of(request.app.state), address)
    return show(request, "officers/recovery_sent.html")


@get(f"{_RESET}/{{secret:str}}", include_in_schema=False)
async def land_on_reset(request: Request, secret: FromPath[str]) -> Response[bytes]:
    """Programs that look into letters open links: only the button uses this one up."""
    return show_landing(request, "password_reset", secret)


@post(f"{_RESET}/{{secret:str}}", include_in_schema=False, guards=[limit_sign_ins])
async def begin_reset(request: Request, secret: FromPath[str]) -> Response[None]:
    """The link becomes a session; its secret stands in no address from here on."""
    return await follow_link(request, "password_reset", secret, _RESET)


@get(_RESET, include_in_schema=False)
async def show_reset(request: Request) -> Response[bytes]:
    """Another password, twice."""
    return show(request, "officers/recovery_password.html", session=await require_stage(request, "reset"), form=_BLANK)


@post(_RESET, include_in_schema=False, guards=[limit_sign_ins])
async def reset(request: Request) -> Response:
    """The new password; the second factor is still asked for."""
    step = await require_stage(request, "reset")
    fields = await read_open_form(request)
    check_token(fields.get("csrf", ""), step)
    typed, repeated = (str(fields.get(name) or "") for name in ("password", "repeated"))
    try:
        secret = await reset_password(porter_of(request.app.state), step, typed, repeated, knock_of(request))
    except InvalidForm as refused:
        form = {"values": {}, "errors": refused.errors}
        return show(request, "officers/recovery_password.html", status=422, session=step, form=form)
    response = see_other("/can-bo/xac-thuc")
    response.set_cookie(sessions.cookie(secret))
    return response


@get(f"{_WAKING}/{{secret:str}}", include_in_schema=False)
async def land_on_waking(request: Request, secret: FromPath[str]) -> Response[bytes]:
    """As for every link in a letter."""
    return show_landing(request, "waking", secret)


@post(f"{_WAKING}/{{secret:str}}", include_in_schema=False, guards=[limit_sign_ins])
async def begin_waking(request: Request, secret: FromPath[str]) -> Response[None]:
    """The second factor follows."""
    return await follow_link(request, "waking", secret, "/can-bo/xac-thuc")


def show_landing(request: Request, purpose: Purpose, secret: str) -> Response[bytes]:
    """What the link is for, and the button that uses it up. Whether it is still good is not looked up here."""
    return show(request, "officers/recovery_landing.html", purpose=purpose, action=link_path(purpose, quote(secret)))


async def follow_link(request: Request, purpose: Purpose, secret: str, onward: str) -> Response[None]:
    """Exchange the link's secret for a session. Raises LinkExpired."""
    await read_open_form(request)
    cookie = await open_link(porter_of(request.app.state), secret, purpose, knock_of(request))
    response = see_other(onward)
    response.set_cookie(sessions.cookie(cookie))
    return response


open_routes = [
    show_forgotten, forgotten, land_on_reset, begin_reset, show_reset, reset, land_on_waking, begin_waking,
]  # fmt: skip
