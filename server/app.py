"""The web application: routes of all packages, what they share, and the doors in front of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

import asyncpg
from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from kit.bounded_pool import BoundedPool
from kit.cache import Cache
from kit.client_address import ClientAddress
from kit.clock import utc_now
from kit.keys import KeyRing
from kit.limit_sync import LimitSync
from kit.mail.post import Post
from kit.node_limits import NodeLimiter
from kit.pages import Pages
from kit.rate_limit import RateLimiter
from kit.redis_servers import RedisServer
from kit.shared_counters import CounterTable
from kit.sql import UNREACHABLE
from lookup.catalogue import Catalogue
from lookup.catalogue_snapshot import SnapshotFile
from lookup.gate.gate import Gate
from lookup.gate.limits import Limits
from lookup.gate.sightings import Sightings, keep_writing
from lookup.gate.spent import SpentSolutions
from lookup.gate.watch import Watch
from lookup.offers import exams_of
from lookup.openapi import DecimalIsNumber
from lookup.score_api import api_routes
from lookup.score_page import page_routes
from lookup.scores import ScoreDesk
from lookup.sealed.key_hearing import KeyHearing
from lookup.sealed.key_message import CHANNEL
from lookup.sealed.vault import Vault
from server.api_reference import api_reference_routes
from server.approval_kinds import KINDS
from server.doorway import Doorway
from server.front import Front
from server.health import show_health, show_readiness
from server.home_parts import HOME
from server.logs import set_up_logs
from server.metrics import show_metrics
from server.officers_area import officers_routes
from server.open_work import OPEN_WORK
from server.problems import EXCEPTION_HANDLERS
from server.settings import Settings
from server.site_pages import site_routes
from units.approvals.kinds import Kinds
from units.directory.directory_page import Offer, directory_routes
from units.directory.shelf import UnitShelf
from units.officers.doorkeeper import provide_session
from units.officers.hashing import PasswordHashing
from units.officers.home_page import Home
from units.officers.throttle import Slowness
from units.unit_tree import UnitTree

# A lookup is a few dozen bytes; uploads will have a door of their own.
_LARGEST_BODY = 16 * 1024
# A lookup takes a millisecond; one that takes this long will not be answered.
_ANSWER_SECONDS = 2.0
_WAIT_SECONDS = 1.0
_FIRST_LOAD_SECONDS = 1.0
# An officer's page may count a country of results.
_DESK_SECONDS = 30.0
_DESK_WAIT_SECONDS = 5.0
# What routes ask for by these names.
_SHARED = ("catalogue", "pages", "desk", "limiter", "gate", "post", "desk_pool", "unit_shelf", "offers")
# In the tree and in a wheel alike, `templates` lies beside the packages.
_TEMPLATES = Path(__file__).parents[1] / "templates"

Application = Callable[..., Awaitable[None]]


def create_app(
    settings: Settings,
    *,
    worker: int = 1,
    clock: Callable[[], datetime] = utc_now,
    caught_mail: Path | None = None,
    has_mail: bool = True,
    has_front: bool = True,
) -> Application:
    """The ASGI application of one web worker, known to others as `NODE/worker`.

    It starts with settings and local files alone: pools open lazily. `caught_mail` is where a service that is only
    tried keeps its letters; without `has_mail` they wait for somebody to set a server. Without `has_front` every
    lookup takes the framework's way, for comparison.
    """
    set_up_logs(settings.log_level)
    litestar = Litestar(
        route_handlers=[
            *site_routes,
            *directory_routes,
            *page_routes,
            *api_routes,
            *api_reference_routes,
            *officers_routes(),
            show_health,
            show_readiness,
            show_metrics,
        ],
        dependencies=_dependencies(),
        exception_handlers=EXCEPTION_HANDLERS,  # type: ignore[arg-type]  # Litestar wants one type of error each
        lifespan=[_lifespan],
        state=_state(settings, worker, clock, caught_mail=caught_mail, has_mail=has_mail),
        openapi_config=_OPENAPI,
        plugins=[DecimalIsNumber()],
        compression_config=CompressionConfig(backend="gzip", minimum_size=1000, exclude=["^/static/"]),
        request_max_body_size=_LARGEST_BODY,
        logging_config=None,
    )
    client = ClientAddress(cast("Application", litestar), settings.trusted_proxies)
    doorway = Doorway(client)
    return Front(doorway, litestar, client, longest_body=_LARGEST_BODY) if has_front else doorway


_OPENAPI = OpenAPIConfig(
    title="Báo Danh",
    version="1",
    summary="Exams and results, looked up by the public.",
    path="/schema",
    render_plugins=[JsonRenderPlugin(path="/openapi.json")],
    use_handler_docstrings=True,
)


# What Redis holds; second factors; fingerprints in the record; letters that wait.
_KEYS = ("cache", "totp", "record", "mail")
# Lookup codes are derived from it: a node that answers them from sealed files alone is not given it.
_PIN = "pin"


def _state(settings: Settings, worker: int, clock: Callable[[], datetime], **more: Any) -> State:
    keys = KeyRing(settings.keys_folder, may_create=settings.keys_dir is None)
    # At the start, not at the first letter: then the folder can be copied whole, and one that lacks a key says so.
    for name in (*_KEYS, *([_PIN] if keys.holds(_PIN) else [])):
        keys.current(name)
    redis = RedisServer(settings.redis_url)
    counting = NodeLimiter(CounterTable(settings.counts_file), key=keys.current("cache").value)
    return State(
        {
            "settings": settings,
            "node": f"{settings.node}/{worker}",
            "clock": clock,
            "public_url": settings.public_url,
            "metrics_from": settings.metrics_from,
            "cache_key": keys.current("cache").value,
            "key_ring": keys,
            "hashing": PasswordHashing(),
            "slowness": Slowness(),
            "redis": redis,
            "limiter": RateLimiter(redis, key=keys.current("cache").value, rates=settings.rates),
            "limit_sync": LimitSync(
                counting, redis, key=keys.current("cache").value, node=settings.node, worker=worker
            ),
            "sightings": (sightings := Sightings(key=keys.current("cache").value)),
            "gate": Gate(
                Limits(counting, settings.rates),
                watch := Watch.over(
                    counting, sightings, key=keys.current("cache").value, rate=settings.rates["lookup"]
                ),
            ),
            "spent_solutions": SpentSolutions(watch.challenger, redis, settings.redis_url),
            "pages": (pages := Pages(_TEMPLATES)),
            "open_work": OPEN_WORK,
            "post": Post(pages, keys, home=settings.home, sender=settings.mail_from),
            **more,
        }
    )


def _dependencies() -> dict[str, Provide]:
    def from_state(name: str) -> Provide:
        def provide(state: State) -> Any:
            return state[name]

        return Provide(provide, sync_to_thread=False)

    def now(state: State) -> datetime:
        return state.clock()

    def tree(state: State) -> UnitTree:
        return state.catalogue.units

    def kinds() -> Kinds:
        return KINDS

    def home_of_officers() -> Home:
        return HOME

    shared = {name: from_state(name) for name in _SHARED}
    return shared | {
        "now": Provide(now, sync_to_thread=False),
        "tree": Provide(tree, sync_to_thread=False),
        "kinds": Provide(kinds, sync_to_thread=False),
        "home_of_officers": Provide(home_of_officers, sync_to_thread=False),
        "session": Provide(provide_session, sync_to_thread=False),
    }


@contextlib.asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncGenerator[None, None]:
    state = app.state
    # Connects when first asked: a worker must come up while PostgreSQL is dead.
    state.pool = asyncpg.create_pool(
        state.settings.database_url, min_size=0, max_size=8, command_timeout=_ANSWER_SECONDS, timeout=_ANSWER_SECONDS
    )
    await state.pool
    # Officers wait for one another, never a lookup for them.
    officers_pool = asyncpg.create_pool(
        state.settings.database_url, min_size=0, max_size=4, command_timeout=_DESK_SECONDS, timeout=_ANSWER_SECONDS
    )
    await officers_pool
    cache = Cache(state.redis, key=state.cache_key, version="1", clock=lambda: state.clock().timestamp())
    state.vault = Vault(state.settings.releases_folder, state.clock)
    state.catalogue = Catalogue(
        state.pool,
        state.node,
        state.vault,
        snapshot=SnapshotFile(state.settings.releases_folder, state.settings.database_url),
        clock=state.clock,
    )
    hearing = KeyHearing(state.vault, state.pool, state.key_ring, state.clock)
    state.catalogue.also_hear(CHANNEL, hearing.hear_notification)
    bounded = BoundedPool(state.pool, patience=_WAIT_SECONDS, is_away=lambda: not state.catalogue.hears_postgresql)
    state.desk_pool = BoundedPool(
        officers_pool, patience=_DESK_WAIT_SECONDS, is_away=lambda: not state.catalogue.hears_postgresql
    )
    state.desk = ScoreDesk(bounded, cache, state.key_ring)
    state.unit_shelf = UnitShelf(bounded, cache)
    state.offers = [Offer("lookup/unit_exams.html", partial(exams_of, state.catalogue))]
    await _know_the_exams_first(state.catalogue)
    watch = asyncio.create_task(state.catalogue.watch())
    hear = asyncio.create_task(hearing.listen(state.settings.redis_url))
    hear_spent = asyncio.create_task(state.spent_solutions.keep_hearing())
    tell_spent = asyncio.create_task(state.spent_solutions.keep_telling())
    in_step = asyncio.create_task(state.limit_sync.keep_in_step())
    writing = asyncio.create_task(keep_writing(state.sightings, bounded))
    try:
        yield
    finally:
        in_step.cancel()
        writing.cancel()
        await _end(hear, hear_spent, tell_spent, watch)
        state.vault.close()
        state.pool.terminate()
        officers_pool.terminate()
        await state.redis.close()


async def _end(*tasks: asyncio.Task) -> None:
    # Told again: libraries may lose a cancellation that comes together with a failure.
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=1)


async def _know_the_exams_first(catalogue: Catalogue) -> None:
    # The first visitors of a worker that was started again are not turned away; a dead PostgreSQL is not waited for.
    catalogue.load_snapshot()
    with contextlib.suppress(*UNREACHABLE):
        await asyncio.wait_for(catalogue.refresh(), timeout=_FIRST_LOAD_SECONDS)
