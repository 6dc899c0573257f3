"""Which web sites may ask on a family's behalf: our own pages, and the portals that a unit has registered."""

from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kit.errors import DomainError, TooManyRequests


class PortalNotRegistered(DomainError):
    """A page of a site that no unit has registered asked with a person's data in hand."""

    code = "portal_not_registered"
    status = 403


def comes_from_elsewhere(connection: ASGIConnection) -> bool:
    """Whether a browser says that another site's page makes this request.

    Programs send no Origin and are met by the rate limits alone. A form on another site posts with an Origin, or at
    least with `Sec-Fetch-Site`.
    """
    origins = connection.headers.getall("origin", [])
    if connection.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return True
    if not origins:
        return False
    return len(origins) > 1 or not _is_ours(connection, origins[0])


def _is_ours(connection: ASGIConnection, origin: str) -> bool:
    # Where PUBLIC_URL says who we are, a Host header that somebody else's name resolved to does not.
    if public_url := connection.app.state.public_url:
        return origin == public_url
    host = connection.headers.get("host", "").lower()
    return bool(host) and _host(origin) == host


def require_known_origin(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard: pages of unregistered sites may not post lookups. Raises PortalNotRegistered."""
    if comes_from_elsewhere(connection):
        raise PortalNotRegistered


async def share_foreign_limit(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard: readers on unregistered sites share one limit among them. Raises TooManyRequests."""
    if comes_from_elsewhere(connection):
        verdict = await connection.app.state.limiter.hit("foreign_origin", "all")
        if not verdict.allowed:
            raise TooManyRequests(verdict.retry_after)


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
