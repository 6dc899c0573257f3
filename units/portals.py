"""Which web sites may ask on a family's behalf: our own pages, and the portals that a unit has registered."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kit.errors import DomainError


class PortalNotRegistered(DomainError):
    """A page of a site that no unit has registered asked with a person's data in hand."""

    code = "portal_not_registered"
    status = 403


def comes_from_elsewhere(connection: ASGIConnection) -> bool:
    """Whether a browser says that another site's page makes this request."""
    headers = connection.headers
    return is_foreign(
        headers.getall("origin", []),
        headers.get("sec-fetch-site"),
        host=headers.get("host", ""),
        public_url=connection.app.state.public_url,
    )


def is_foreign(origins: Sequence[str], fetch_site: str | None, *, host: str, public_url: str) -> bool:
    """Whether these headers are of a request that another site's page makes.

    Programs send no Origin and are met by the rate limits alone. A form on another site posts with an Origin, or at
    least with `Sec-Fetch-Site`.
    """
    if fetch_site in ("cross-site", "same-site"):
        return True
    if not origins:
        return False
    return len(origins) > 1 or not _is_ours(origins[0], host, public_url)


def _is_ours(origin: str, host: str, public_url: str) -> bool:
    # Where PUBLIC_URL says who we are, a Host header that somebody else's name resolved to does not.
    if public_url:
        return origin == public_url
    return bool(host) and _host(origin) == host.lower()


def require_known_origin(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard: pages of unregistered sites may not post lookups. Raises PortalNotRegistered."""
    if comes_from_elsewhere(connection):
        raise PortalNotRegistered


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
