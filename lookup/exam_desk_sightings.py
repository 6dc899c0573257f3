"""The officers' pages on collecting and guessing: when, what it looked like, how much of it was answered."""

from datetime import datetime

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.pages import Pages
from lookup.exam_desk import ONE, render
from lookup.exam_desk_nodes import find_watched
from lookup.exams import list_exams
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
    root = next(iter(tree))
    runs = session.officer.may("operate", root.code, tree)
    seen = {
        exam.code: exam
        for exam in await list_exams(desk_pool)
        if (runs and exam.listed_at) or session.officer.may("see_exams", exam.unit.code, tree)
    }
    return pages.render(
        request,
        "lookup/desk/sightings.html",
        unit=root,
        now=now,
        session=session,
        exam=None,
        exams=seen,
        sightings=await list_sightings(desk_pool, list(seen)),
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
