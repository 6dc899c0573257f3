"""The officers' pages on sealed releases: which nodes hold them and have opened them, and the key on paper."""

from datetime import datetime

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bounded_pool import BoundedPool
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from lookup.exam_desk import ONE, find_seen, find_watched, list_watched, render
from lookup.sealed.holdings import find_holdings, list_workers
from lookup.sealed.slip_keeping import SlipNotThere, fetch_slip, find_slip, tell_of_slip
from units.changes import list_nodes
from units.officers.doorkeeper import read_form
from units.officers.officers import find_officers
from units.officers.sessions import Session
from units.record.entries import actor_of
from units.unit_tree import UnitTree

NODES = "/may-chu"
# Nobody looks further back; the page stays short when years of exams have passed.
_MOST = 12


@get(NODES)
async def show_nodes(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """All nodes, and the releases that are open or coming: what the people who run the service look at."""
    watched = await list_watched(desk_pool, session, tree)
    coming = [(exam, holding) for exam in watched for holding in await find_holdings(desk_pool, exam, now)]
    return pages.render(
        request,
        "lookup/desk/nodes.html",
        unit=next(iter(tree)),
        now=now,
        session=session,
        coming=sorted(coming, key=lambda each: abs(each[1].release.opens_at - now))[:_MOST],
        workers=await list_workers(desk_pool),
        processes=await list_nodes(desk_pool),
    )


@get(f"{ONE}/may-chu")
async def show_holders(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """How far the sealed file of an exam is: built, on which nodes, opened where; and what is wrong."""
    exam = await find_watched(desk_pool, exam_code, session, tree)
    return render(
        request,
        pages,
        "holders",
        session,
        exam,
        now,
        holdings=await find_holdings(desk_pool, exam, now),
        slip=await find_slip(desk_pool, exam.code),
        may_hold_key=session.officer.may("hold_key", exam.unit.code, tree),
    )


@get(f"{ONE}/ma-mo-du-phong")
async def ask_for_key(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Whether a key on paper lies ready, and what it means to fetch it."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    session.officer.require("hold_key", exam.unit.code, tree)
    slip = await find_slip(desk_pool, exam.code)
    fetched_by = [slip.fetched_by] if slip and slip.fetched_by else []
    people = await find_officers(desk_pool, fetched_by)
    return render(request, pages, "key_slip", session, exam, now, slip=slip, people=people, text="")


@post(f"{ONE}/ma-mo-du-phong")
async def fetch_key(
    request: Request,
    exam_code: FromPath[str],
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    pages: NamedDependency[Pages],
    post: NamedDependency[Post],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The key, shown this once: from here on it is nowhere but on this page. Raises SlipNotThere."""
    exam = await find_seen(desk_pool, exam_code, session, tree)
    session.officer.require("hold_key", exam.unit.code, tree)
    await read_form(request, session)
    slip = await find_slip(desk_pool, exam.code)
    if slip is None or slip.bundle_id is None:
        raise SlipNotThere
    ring: KeyRing = request.app.state.key_ring
    officer_id, actor = session.officer.id, actor_of(request, session.officer.id)
    async with desk_pool.transaction() as connection:
        text = await fetch_slip(
            connection, ring, slip.bundle_id, officer_id=officer_id, unit_code=exam.unit.code, actor=actor, now=now
        )
        await tell_of_slip(connection, exam, slip.bundle_id, session.officer, tree, post, now)
    return render(request, pages, "key_slip", session, exam, now, slip=slip, people={}, text=text)


node_routes = [show_nodes, show_holders, ask_for_key, fetch_key]
