"""Is this worker alive, and can it serve lookups: the two questions of a balancer."""

import msgspec
from litestar import Response, get
from litestar.datastructures import State

from lookup.catalogue import Catalogue


class Readiness(msgspec.Struct, frozen=True):
    """`ready`: lookups are answered. `degraded`: what is missing but can be done without for a while."""

    ready: bool
    degraded: list[str]


@get("/healthz", include_in_schema=False)
async def show_health() -> Response[dict[str, str]]:
    """Alive: the event loop turns."""
    return Response({"status": "alive"}, headers={"Cache-Control": "no-store"})


@get("/readyz", include_in_schema=False)
async def show_readiness(state: State) -> Response[Readiness]:
    """200 when lookups can be served, else 503; says what is degraded."""
    readiness = _readiness(state)
    status = 200 if readiness.ready else 503
    return Response(readiness, status_code=status, headers={"Cache-Control": "no-store"})


def _readiness(state: State) -> Readiness:
    catalogue: Catalogue = state.catalogue
    hears = catalogue.is_loaded and catalogue.hears_postgresql
    degraded = [] if hears else ["postgresql"]
    if state.redis.is_away:
        degraded.append("redis")
    if not state.has_mail:
        degraded.append("mail")
    return Readiness(ready=hears, degraded=degraded)
