"""Forms before anybody is signed in: they too must come from a page of ours, in the browser that got it."""

import base64
import hmac
import ipaddress
import re
import secrets
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from kit.bodies import read_fields
from kit.client_address import UNKNOWN, address_bucket, address_prefix
from kit.errors import DomainError
from units.officers import devices
from units.officers.doorkeeper import FormExpired, SignInFirst, find_session
from units.officers.sessions import Session, Stage
from units.officers.throttle import TooManySignIns
from units.portals import comes_from_elsewhere
from units.record.entries import Actor, actor_of

COOKIE = "__Host-baodanh-cua"
_SECRET = 24
_OURS = re.compile(r"[A-Za-z0-9_-]{32}")
# Paths of our own area, spelled plainly: nothing that a browser could take for another host.
_WAY_BACK = re.compile(r"/can-bo(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")
_LONGEST_WAY_BACK = 200
_HOME = "/can-bo"
_NOT_BACK_TO = ("/can-bo/dang-nhap", "/can-bo/dang-xuat", "/can-bo/xac-thuc", "/can-bo/thiet-lap")


class CookiesRefused(DomainError):
    """The browser did not bring back the cookie of the form: it keeps none, or not at this address."""

    code = "cookies_refused"
    status = 400


class Knock(msgspec.Struct, frozen=True):
    """Who stands at the door: address and its neighbourhood, browser in words, and what its device cookie holds."""

    actor: Actor
    address: str
    prefix: str
    device: str
    device_secret: str | None

    def as_officer(self, officer_id: str) -> Actor:
        """The same person, now that it is known who."""
        return msgspec.structs.replace(self.actor, officer_id=officer_id)


def knock_of(request: Request) -> Knock:
    """Who sends this request, as far as it tells."""
    address = request.client.host if request.client else UNKNOWN
    return Knock(
        actor_of(request, None),
        address,
        address_prefix(address),
        devices.describe(request.headers.get("user-agent", "")[:400]),
        request.cookies.get(devices.COOKIE),
    )


async def limit_sign_ins(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard of the open forms: one address tries only so many, whatever the accounts. Raises TooManySignIns."""
    if connection.scope["type"] == "http" and connection.scope["method"] != "POST":
        return
    host = connection.client.host if connection.client else UNKNOWN
    verdict = await connection.app.state.limiter.hit("sign_in", address_bucket(host))
    if not verdict.allowed:
        raise TooManySignIns(verdict.retry_after)


def way_back(typed: Any) -> str:
    """Where to go on after signing in: a page of ours, or home."""
    text = str(typed or "")
    if len(text) > _LONGEST_WAY_BACK or not _WAY_BACK.fullmatch(text) or text.startswith(_NOT_BACK_TO):
        return _HOME
    return text


async def read_open_form(request: Request) -> dict[str, Any]:
    """The fields of a form that this browser got from us. Raises FormExpired, CookiesRefused."""
    if comes_from_elsewhere(request):
        raise FormExpired
    fields = await read_fields(request)
    secret = request.cookies.get(COOKIE)
    if secret is None:
        raise CookiesRefused
    if not hmac.compare_digest(str(fields.pop("form", "")).encode(), _token(secret).encode()):
        raise FormExpired
    return fields


async def require_stage(request: Request, *stages: Stage) -> Session:
    """The session of somebody on the way in. Raises SignInFirst."""
    found = await find_session(request, *stages)
    if found is None:
        raise SignInFirst(_HOME)
    return found


def show(
    request: Request, template: str, *, status: int = 200, session: Session | None = None, **context: Any
) -> Response[bytes]:
    """A page before signing in. `form_token` goes into its form; the cookie it belongs to is set where it is missing.

    Whoever is on the way in is not shown as signed in: `step` is her session.
    """
    state = request.app.state
    secret = request.cookies.get(COOKIE)
    is_new = not (secret and _OURS.fullmatch(secret))
    if is_new:
        secret = secrets.token_urlsafe(_SECRET)
    response = state.pages.render(
        request,
        template,
        status=status,
        unit=next(iter(state.catalogue.units)),
        now=state.clock(),
        session=None,
        step=session,
        form_token=_token(str(secret)),
        **context,
    )
    if is_new:
        response.set_cookie(
            Cookie(key=COOKIE, value=secret, path="/", secure=True, httponly=True, samesite="lax", max_age=None)
        )
    return response


def drops_cookies(request: Request) -> bool:
    """Whether the page came in a way in which browsers keep no cookie of ours: plain http beyond this machine."""
    if request.headers.get("sec-fetch-site"):
        # Browsers say this only where the way is safe.
        return False
    home = urlsplit(request.app.state.public_url or f"{request.scope['scheme']}://{request.headers.get('host', '')}")
    try:
        return home.scheme == "http" and not _is_loopback(home.hostname or "")
    except ValueError:
        return True


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(secret: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), b"form", "sha256")[:18]).decode()
