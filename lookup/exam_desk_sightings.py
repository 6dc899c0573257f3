"""The officers' pages on collecting and guessing: when, what it looked like, how much of it was answered."""

from datetime import datetime

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.pages import Pages
from lookup.exam_desk import ONE, find_watched, list_watched, render
from lookup.gate.sightings import list_sightings
from units.officers.sessions import Session
from units.unit_tree import UnitTree

ALL = "/dau-hieu-do-tim"


@get(ALL)
async def show_all_sightings(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Of all exams that the officer sees; those who run the service watch over all that are listed."""
    watched = {exam.code: exam for exam in await list_watched(desk_pool, session, tree)}
    return pages.render(
        request,
        "lookup/desk/sightings.html",
        unit=next(iter(tree)),
        now=now,
        session=session,
        exam=None,
        exams=watched,
        sightings=await list_sightings(desk_pool, list(watched)),
    )


@get(f"{ONE}/dau-hieu-do-tim")
async def show_sightings(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Of one exam."""
    exam = await find_watched(desk_pool, exam_code, session, tree)
    sightings = await list_sightings(desk_pool, [exam.code])
    return render(request, pages, "sightings", session, exam, now, exams={exam.code: exam}, sightings=sightings)


sighting_routes = [show_all_sightings, show_sightings]
