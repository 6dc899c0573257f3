"""The officers' first page, `/can-bo`: what waits for me, what is mine to look after, and where to begin."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from kit import sql
from kit.bounded_pool import BoundedPool
from kit.pages import Pages
from kit.sql import Database
from units.officers.officers import Officer
from units.officers.roles import ROLE_NAMES, Action
from units.officers.sessions import Session
from units.unit_tree import UnitTree

home = sql.load(__file__, "home")


class HomeItem(msgspec.Struct, frozen=True):
    """One thing on the page: where it leads, what it is, and a word on where it stands (`tone` as in tag.html).

    `when` says of what `at` is the moment ("Hiệu lực"); `by` and `since`: who handed it in, and when.
    """

    address: str
    title: str
    detail: str = ""
    at: datetime | None = None
    when: str = ""
    tag: str = ""
    tone: str = "plain"
    by: str = ""
    since: datetime | None = None


class HomeSection(msgspec.Struct, frozen=True):
    """Things of one sort. `more` is an address and a name for all of them; `aside`: good to know, nothing to do."""

    title: str
    items: list[HomeItem]
    more: tuple[str, str] | None = None
    aside: bool = False


# What a part of the service has for an officer; None for nothing.
HomePart = Callable[[Database, Officer, UnitTree, datetime], Awaitable[HomeSection | None]]


class QuickAction(msgspec.Struct, frozen=True):
    """A page where something begins, for whoever may do it somewhere."""

    action: Action
    address: str
    name: str


class Home(msgspec.Struct, frozen=True):
    """What the parts of the service bring to the page, in its order."""

    parts: Sequence[HomePart] = ()
    quick_actions: Sequence[QuickAction] = ()


class UnitRoles(msgspec.Struct, frozen=True):
    """What the officer is in one unit."""

    unit_code: str
    unit_name: str
    roles: list[str]


@get("/")
async def show_home(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    home_of_officers: NamedDependency[Home],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What waits for me; calm when nothing does."""
    officer = session.officer
    found = [await part(desk_pool, officer, tree, now) for part in home_of_officers.parts]
    sections = [section for section in found if section is not None and section.items]
    return pages.render(
        request, "officers/home.html", unit=next(iter(tree)), now=now, session=session,
        waiting=[section for section in sections if not section.aside],
        aside=[section for section in sections if section.aside],
        quick_actions=[each for each in home_of_officers.quick_actions if officer.does(each.action)],
        units=units_of(officer, tree),
        previous=await home.find_previous_sign_in(desk_pool, officer_id=officer.id, session_id=session.id),
    )  # fmt: skip


@get("/huong-dan")
async def show_guide(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """How editors and approvers work here, in a few words."""
    return pages.render(request, "officers/guide.html", unit=next(iter(tree)), now=now, session=session)


def units_of(officer: Officer, tree: UnitTree) -> list[UnitRoles]:
    """The officer's units with what she is there, in the order of her roles."""
    found: dict[str, UnitRoles] = {}
    for held in officer.roles:
        unit = tree.current(held.unit_code)
        roles = found.setdefault(unit.code, UnitRoles(unit.code, unit.name, [])).roles
        roles.append(ROLE_NAMES[held.role][0])
    return list(found.values())


officer_routes = [show_home, show_guide]
