"""My account: my card, my password, my second factor, and where I am signed in."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.errors import DomainError, FieldError, InvalidForm
from kit.pages import see_other
from units.officers import account, passwords, public_cards, recovery_codes, sessions
from units.officers.doorkeeper import read_form
from units.officers.first_steps_page import picture_of
from units.officers.open_forms import knock_of
from units.officers.sessions import Session
from units.officers.sign_in import porter_of

_ACCOUNT, _SET_UP = "/can-bo/tai-khoan", "/can-bo/tai-khoan/ung-dung-xac-thuc/moi"


class SessionNotFound(DomainError):
    """None of one's own sessions that still run has this id."""

    code = "session_not_found"
    status = 404


@get("/tai-khoan")
async def show_account(request: Request, session: NamedDependency[Session]) -> Response[bytes]:
    """Everything about oneself on one page."""
    pool, now = request.app.state.desk_pool, request.app.state.clock()
    return _page(
        request,
        session,
        "account",
        open_sessions=await sessions.list_open(pool, session.officer, now),
        codes_left=await recovery_codes.count_left(pool, session.officer.id),
        few=recovery_codes.FEW,
        done=str(request.query_params.get("xong") or ""),
    )


@get("/tai-khoan/the")
async def show_card(request: Request, session: NamedDependency[Session]) -> Response[bytes]:
    """My public card."""
    return _card_page(request, session)


@post("/tai-khoan/the")
async def change_card(request: Request, session: NamedDependency[Session]) -> Response:
    """Write it anew."""
    fields = await read_form(request, session)
    porter, officer = porter_of(request.app.state), session.officer
    try:
        card = public_cards.read_card(fields)
    except InvalidForm as refused:
        return _card_page(request, session, status=422, typed=fields, errors=refused.errors)
    async with porter.pool.transaction() as transaction:
        actor, key = knock_of(request).as_officer(officer.id), porter.keys.current("record").value
        await public_cards.change_card(transaction, officer, card, actor=actor, key=key)
    return see_other(f"{_ACCOUNT}?xong=the")


@get("/tai-khoan/mat-khau")
async def show_password(request: Request, session: NamedDependency[Session]) -> Response[bytes]:
    """Another password."""
    return _page(request, session, "account_password", form=_form())


@post("/tai-khoan/mat-khau")
async def change_password(request: Request, session: NamedDependency[Session]) -> Response:
    """Other sessions end; this one goes on."""
    fields = await read_form(request, session)
    typed = [str(fields.get(name) or "") for name in ("current", "password", "repeated")]
    try:
        await account.choose_password(porter_of(request.app.state), session, *typed, knock=knock_of(request))
    except InvalidForm as refused:
        return _page(request, session, "account_password", status=422, form=_form(refused.errors))
    return see_other(f"{_ACCOUNT}?xong=mat-khau")


@get("/tai-khoan/ung-dung-xac-thuc")
async def show_renewal(request: Request, session: NamedDependency[Session]) -> Response[bytes]:
    """Password and code once more, before another authenticator."""
    return _page(request, session, "account_proof", form=_form(), wanted="authenticator")


@post("/tai-khoan/ung-dung-xac-thuc")
async def begin_renewal(request: Request, session: NamedDependency[Session]) -> Response:
    """Then the new one is shown."""
    refused = await _prove(request, session, "authenticator")
    if refused:
        return refused
    await account.begin_renewal(porter_of(request.app.state), session)
    return see_other(_SET_UP)


@get("/tai-khoan/ung-dung-xac-thuc/moi")
async def show_new_authenticator(request: Request, session: NamedDependency[Session]) -> Response:
    """The QR code of the new one."""
    if session.totp_draft is None:
        return see_other(_ACCOUNT)
    return _page(request, session, "account_authenticator", form=_form(), **picture_of(request, session))


@post("/tai-khoan/ung-dung-xac-thuc/moi")
async def confirm_new_authenticator(request: Request, session: NamedDependency[Session]) -> Response:
    """Its first code makes it the one."""
    fields = await read_form(request, session)
    code = str(fields.get("code") or "")
    try:
        codes = await account.renew_second_factor(porter_of(request.app.state), session, code, knock_of(request))
    except InvalidForm as refused:
        if session.totp_draft is None:
            return see_other(_ACCOUNT)
        form, picture = _form(refused.errors), picture_of(request, session)
        return _page(request, session, "account_authenticator", status=422, form=form, **picture)
    return _page(request, session, "account_codes", codes=codes)


@get("/tai-khoan/ma-du-phong")
async def show_codes_form(request: Request, session: NamedDependency[Session]) -> Response[bytes]:
    """Password and code once more, before new recovery codes."""
    return _page(request, session, "account_proof", form=_form(), wanted="codes")


@post("/tai-khoan/ma-du-phong")
async def renew_codes(request: Request, session: NamedDependency[Session]) -> Response:
    """The codes are in the answer, and nowhere afterwards."""
    refused = await _prove(request, session, "codes")
    if refused:
        return refused
    codes = await account.renew_codes(porter_of(request.app.state), session, knock_of(request))
    return _page(request, session, "account_codes", codes=codes)


@post("/tai-khoan/phien/{session_id:str}")
async def end_session(request: Request, session_id: FromPath[str], session: NamedDependency[Session]) -> Response[None]:
    """End one of my sessions, this one too."""
    await read_form(request, session)
    if not await account.end_session(porter_of(request.app.state), session, session_id, knock_of(request)):
        raise SessionNotFound
    return see_other(f"{_ACCOUNT}?xong=phien")


@post("/tai-khoan/phien-khac")
async def end_other_sessions(request: Request, session: NamedDependency[Session]) -> Response[None]:
    """End all but this one."""
    await read_form(request, session)
    await account.end_other_sessions(porter_of(request.app.state), session, knock_of(request))
    return see_other(f"{_ACCOUNT}?xong=phien")


async def _prove(request: Request, session: Session, wanted: str) -> Response[bytes] | None:
    fields = await read_form(request, session)
    current, code = (str(fields.get(name) or "") for name in ("current", "code"))
    try:
        await account.prove_both(porter_of(request.app.state), session, current, code, knock_of(request))
    except InvalidForm as refused:
        form = _form(refused.errors)
        return _page(request, session, "account_proof", status=422, form=form, wanted=wanted)
    return None


def _card_page(
    request: Request,
    session: Session,
    *,
    status: int = 200,
    typed: dict[str, Any] | None = None,
    errors: list[FieldError] | None = None,
) -> Response[bytes]:
    officer = session.officer
    values = {name: str((typed or {}).get(name, getattr(officer, name))) for name in public_cards.FIELDS}
    form = {"values": values, "errors": errors or []}
    return _page(
        request,
        session,
        "account_card",
        status=status,
        form=form,
        salutations=[(each, each) for each in public_cards.SALUTATIONS],
    )


def _page(request: Request, session: Session, template: str, *, status: int = 200, **context: Any) -> Response[bytes]:
    state = request.app.state
    return state.pages.render(
        request,
        f"officers/{template}.html",
        status=status,
        unit=next(iter(state.catalogue.units)),
        now=state.clock(),
        session=session,
        shortest=passwords.SHORTEST,
        **context,
    )


def _form(errors: list[FieldError] | None = None) -> dict[str, Any]:
    return {"values": {}, "errors": errors or []}


officer_routes = [
    show_account, show_card, change_card, show_password, change_password, show_renewal, begin_renewal,
    show_new_authenticator, confirm_new_authenticator, show_codes_form, renew_codes, end_session, end_other_sessions,
]  # fmt: skip
