"""The pages around a lookup: home, guides, privacy, and the files that pages are dressed in."""

from datetime import datetime

from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from kit.clock import VIETNAM
from kit.pages import Pages
from kit.static_files import StaticFile
from lookup.catalogue import Catalogue
from server.legal_basis import laws_in_force

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
# Programs find results by their address only when they know a number: nothing there is for a search engine.
_ROBOTS = "User-agent: *\nDisallow: /api/\n"


@get(["/", "/en"], include_in_schema=False)
async def show_home(
    request: Request,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What can be looked up now, what comes next, and where to read on."""
    return pages.render(request, "server/home.html", unit=catalogue.root_unit, now=now, exams=catalogue.exams())


@get(["/huong-dan", "/en/huong-dan"], include_in_schema=False)
async def list_guides(
    request: Request,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The guides, each with whom it is for."""
    return pages.render(request, "server/guides.html", unit=catalogue.root_unit, now=now)


@get(["/huong-dan/tra-cuu-diem-thi", "/en/huong-dan/tra-cuu-diem-thi"], include_in_schema=False)
async def show_score_lookup_guide(
    request: Request,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """How to look up a score, step by step, with pictures."""
    return pages.render(request, "server/score_lookup_guide.html", unit=catalogue.root_unit, now=now)


@get(["/quyen-rieng-tu", "/en/quyen-rieng-tu"], include_in_schema=False)
async def show_privacy(
    request: Request,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """What becomes of what a visitor types, and the law it rests on."""
    laws = laws_in_force(now.astimezone(VIETNAM).date())
    return pages.render(request, "server/privacy.html", unit=catalogue.root_unit, now=now, legal_basis=laws)


@get("/static/{digest:str}/{name:path}", include_in_schema=False)
async def send_static_file(
    request: Request, digest: FromPath[str], name: FromPath[str], pages: NamedDependency[Pages]
) -> Response[bytes]:
    """A file of the pages, kept by browsers for good: its address changes when it does."""
    file = pages.static_files.find(name.lstrip("/"))
    if file is None:
        raise NotFoundException
    # While nodes are updated one after the other, a page of the other version is still dressed, though not for good.
    return _send(request, file, _FOR_GOOD if digest == file.digest else "no-store")


@get("/favicon.ico", include_in_schema=False)
async def send_favicon(request: Request, pages: NamedDependency[Pages]) -> Response[bytes]:
    """The mark that browsers ask for without being told to."""
    file = pages.static_files.find("favicon.ico")
    if file is None:
        raise NotFoundException
    return _send(request, file, _FOR_A_DAY)


@get("/robots.txt", include_in_schema=False, media_type=MediaType.TEXT)
async def send_robots() -> Response[str]:
    """What search engines may read."""
    return Response(_ROBOTS, media_type=MediaType.TEXT, headers={"Cache-Control": _FOR_A_DAY})


def _send(request: Request, file: StaticFile, kept: str) -> Response[bytes]:
    headers = {"Cache-Control": kept}
    content = file.content
    if file.gzipped is not None:
        headers["Vary"] = "Accept-Encoding"
        if "gzip" in request.headers.get("accept-encoding", ""):
            content, headers["Content-Encoding"] = file.gzipped, "gzip"
    return Response(content, media_type=file.media_type, headers=headers)


site_routes = [
    show_home,
    list_guides,
    show_score_lookup_guide,
    show_privacy,
    send_static_file,
    send_favicon,
    send_robots,
]
