"""The door of the officers' pages: who comes in, and whether a form is really theirs."""

import hmac
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from kit.bodies import read_fields
from kit.errors import DomainError
from units.officers import sessions
from units.officers.sessions import COOKIE, Session, Stage
from units.portals import comes_from_elsewhere

_ASKS_ONLY = frozenset({"GET", "HEAD", "OPTIONS"})


class SignInFirst(DomainError):
    """Nobody is signed in, or not any more. Answered by a way to the sign-in page, and back afterwards."""

    code = "sign_in_first"
    status = 303

    def __init__(self, path: str) -> None:
        super().__init__(headers={"Location": f"/can-bo/dang-nhap?tiep={quote(path, safe='/')}"})


class FormExpired(DomainError):
    """The form does not carry its session's token, or another site's page sent it: nothing was changed."""

    code = "form_expired"
    status = 403


async def require_session(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard of the officers' pages: sets `connection.state.session`. Raises SignInFirst, FormExpired.

    A request that changes something must come from our own pages: by its Origin here, by its token in `read_form`.
    """
    method = cast("HTTPScope", connection.scope)["method"]
    if method not in _ASKS_ONLY and comes_from_elsewhere(connection):
        raise FormExpired
    found = await find_session(connection, "full")
    if found is None:
        # Only a page that can be asked for again is worth coming back to.
        raise SignInFirst(connection.scope["path"] if method == "GET" else "/can-bo")
    connection.state.session = found


async def find_session(connection: ASGIConnection, *stages: Stage) -> Session | None:
    """The session of the request's cookie, if it stands at one of these stages."""
    state, secret = connection.app.state, connection.cookies.get(COOKIE)
    found = await sessions.find(state.desk_pool, secret, state.clock()) if secret else None
    return found if found and found.stage in stages else None


def provide_session(request: Request) -> Session:
    """The dependency `session` of the officers' routes."""
    return request.state.session


async def read_form(request: Request, session: Session) -> dict[str, Any]:
    """The fields of a posted form that carries the session's token (`csrf`). Raises FormExpired."""
    fields = await read_fields(request)
    check_token(fields.pop("csrf", ""), session)
    return fields


def check_token(token: Any, session: Session) -> None:
    """Raises FormExpired unless it is the session's token; for forms with files, whose fields are read elsewhere."""
    if not hmac.compare_digest(str(token).encode(), session.csrf.encode()):
        raise FormExpired


def moment_of(request: Request) -> datetime:
    """The time of the service's clock, for this request."""
    return request.app.state.clock()
