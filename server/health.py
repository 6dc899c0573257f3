"""Is this worker alive, and can it serve lookups: the two questions of a balancer."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
from litestar import Response, get
from litestar.datastructures import State

from lookup.catalogue import Catalogue
from lookup.sealed.vault import LATE, Vault


class Readiness(msgspec.Struct, frozen=True, omit_defaults=True):
    """`ready`: all that should be open is answered by this process. `problems`: why it is not, in words and codes.

    `degraded`: what is missing but can be done without for a while.
    """

    ready: bool
    degraded: list[str]
    problems: list[str] = []


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
    problems = list(_problems(catalogue, state.vault, state.clock()))
    degraded = [] if catalogue.is_loaded and catalogue.hears_postgresql else ["postgresql"]
    if state.redis.is_away:
        degraded.append("redis")
    if not state.has_mail:
        degraded.append("mail")
    return Readiness(ready=not problems, degraded=degraded, problems=problems)


def _problems(catalogue: Catalogue, vault: Vault, now: datetime) -> Iterator[str]:
    """Why others should answer in place of this process."""
    if not catalogue.is_loaded:
        yield "exams_not_known"
        return
    if catalogue.own_clock.differs:
        yield "clock_differs"
    yield from (f"file_broken:{code}" for code in vault.broken())
    for exam in catalogue.exams():
        due = exam.newest_due(now)
        if due is None or due.is_open_here:
            continue
        if due.sealed_in_time:
            # The key is on its way for some milliseconds, on all nodes together.
            if now >= due.opens_at + LATE:
                yield f"release_not_open:{exam.code}"
        elif not catalogue.hears_postgresql:
            yield f"postgresql_needed:{exam.code}"
