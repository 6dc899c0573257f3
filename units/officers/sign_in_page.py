"""The door itself: the page with address and password, the one with the code, and the way out."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from kit.errors import FieldError, InvalidForm
from kit.pages import see_other
from units.officers import account, devices, sessions
from units.officers.doorkeeper import check_token, find_session, read_form
from units.officers.open_forms import (
    CookiesRefused,
    drops_cookies,
    knock_of,
    limit_sign_ins,
    read_open_form,
    require_stage,
    show,
    way_back,
)
from units.officers.sessions import Session
from units.officers.sign_in import Signed, check_code, check_password, porter_of, read_address

SIGN_IN, SECOND_FACTOR = "/can-bo/dang-nhap", "/can-bo/xac-thuc"


@get(SIGN_IN, include_in_schema=False)
async def show_sign_in(request: Request) -> Response:
    """Address and password; whoever is signed in goes on at once."""
    onward = way_back(request.query_params.get("tiep"))
    if await find_session(request, "full"):
        return see_other(onward)
    return _sign_in_page(request, onward)


@post(SIGN_IN, include_in_schema=False, guards=[limit_sign_ins])
async def sign_in(request: Request) -> Response:
    """The first factor; the second follows, or a letter."""
    try:
        fields = await read_open_form(request)
    except CookiesRefused:
        return _sign_in_page(request, "/can-bo", status=400, cookies_refused=True)
    onward, address, password = way_back(fields.get("tiep")), str(fields.get("email", "")), _text(fields, "password")
    try:
        _require(fields, "email", "password")
        secret = await check_password(porter_of(request.app.state), read_address(address), password, knock_of(request))
    except InvalidForm as refused:
        form = {"values": {"email": address[:254]}, "errors": refused.errors}
        return _sign_in_page(request, onward, status=422, form=form)
    if secret is None:
        return show(request, "officers/sign_in_letter.html")
    return await _go_on(request, secret, onward)


@get(SECOND_FACTOR, include_in_schema=False)
async def show_second_factor(request: Request) -> Response[bytes]:
    """The code of the authenticator, or a recovery code."""
    step = await require_stage(request, "password", "waking")
    return _second_factor_page(request, step, way_back(request.query_params.get("tiep")))


@post(SECOND_FACTOR, include_in_schema=False, guards=[limit_sign_ins])
async def give_second_factor(request: Request) -> Response:
    """The second factor; then the officer is in."""
    step = await require_stage(request, "password", "waking")
    fields = await read_open_form(request)
    check_token(fields.get("csrf", ""), step)
    onward = way_back(fields.get("tiep"))
    try:
        signed = await check_code(porter_of(request.app.state), step, _text(fields, "code"), knock_of(request))
    except InvalidForm as refused:
        return _second_factor_page(request, step, onward, status=422, errors=refused.errors)
    return let_in(see_other("/can-bo/tai-khoan#ma-du-phong" if signed.by_paper else onward), signed)


@post("/phien", status_code=204)
async def stay(request: Request, session: NamedDependency[Session]) -> None:
    """A sign of life from somebody who reads or types for long: like any request, it keeps the session."""
    await read_form(request, session)


@post("/dang-xuat")
async def sign_out(request: Request, session: NamedDependency[Session]) -> Response[None]:
    """End the session; the browser is still known."""
    await read_form(request, session)
    await account.end_session(porter_of(request.app.state), session, session.id, knock_of(request))
    response = see_other(SIGN_IN)
    response.set_cookie(sessions.no_cookie())
    return response


def let_in(response: Response, signed: Signed) -> Response:
    """The answer that signs somebody in: the cookies of the session and of the browser."""
    response.set_cookie(sessions.cookie(signed.secret))
    response.set_cookie(devices.cookie(signed.device_secret))
    return response


async def _go_on(request: Request, secret: str, onward: str) -> Response[None]:
    """To the next step with another session; whatever the browser held before is over."""
    porter = porter_of(request.app.state)
    if before := request.cookies.get(sessions.COOKIE):
        async with porter.pool.transaction() as transaction:
            await sessions.end_by_secret(transaction, before, "replaced", porter.now)
    response = see_other(SECOND_FACTOR if onward == "/can-bo" else f"{SECOND_FACTOR}?tiep={onward}")
    response.set_cookie(sessions.cookie(secret))
    return response


def _sign_in_page(
    request: Request,
    onward: str,
    *,
    status: int = 200,
    form: dict[str, Any] | None = None,
    cookies_refused: bool = False,
) -> Response[bytes]:
    return show(
        request,
        "officers/sign_in.html",
        status=status,
        onward=onward,
        form=form or {"values": {}, "errors": []},
        cookies_refused=cookies_refused or drops_cookies(request),
    )


def _second_factor_page(
    request: Request, step: Session, onward: str, *, status: int = 200, errors: list[FieldError] | None = None
) -> Response[bytes]:
    form = {"values": {}, "errors": errors or []}
    return show(request, "officers/second_factor.html", status=status, session=step, onward=onward, form=form)


def _require(fields: dict[str, Any], *names: str) -> None:
    if errors := [FieldError(name, "required") for name in names if not _text(fields, name).strip()]:
        raise InvalidForm(errors)


def _text(fields: dict[str, Any], name: str) -> str:
    return str(fields.get(name) or "")


open_routes = [show_sign_in, sign_in, show_second_factor, give_second_factor]
officer_routes = [stay, sign_out]
