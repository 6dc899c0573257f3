"""The public pages of units: the directory, each unit's page, its logo and its colours."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery

from kit.locale import in_locale, locale_of
from kit.pages import Pages
from kit.vietnamese import sort_key
from units.directory.search import read_wanted
from units.directory.shelf import UnitShelf
from units.faces.look import style_of
from units.unit_tree import UnitTree
from units.units import Unit, UnitNotFound

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"
_MOST_BELOW = 12
_WEB = ("http", "https")


class Offer(msgspec.Struct, frozen=True):
    """A part of the service that units offer, for their pages: what one of them has, and how it is shown.

    `template` is included where `find(unit, tree)` finds `things`.
    """

    template: str
    find: Callable[[Unit, UnitTree], list[Any]]


class Offered(msgspec.Struct, frozen=True):
    """What one unit offers of one part."""

    template: str
    things: list[Any]


@get(["/don-vi", "/en/don-vi"], include_in_schema=False)
async def show_directory(
    request: Request,
    tree: NamedDependency[UnitTree],
    unit_shelf: NamedDependency[UnitShelf],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """Who takes part: by place, level and kind, by names of today and before."""
    directory = await unit_shelf.directory(tree)
    listing = directory.find(read_wanted(request.query_params))
    return pages.render(request, "units/directory.html", unit=next(iter(tree)), now=now, listing=listing)


@get(["/don-vi/{unit_code:str}", "/en/don-vi/{unit_code:str}"], include_in_schema=False)
async def show_unit(
    request: Request,
    unit_code: FromPath[str],
    tree: NamedDependency[UnitTree],
    unit_shelf: NamedDependency[UnitShelf],
    offers: NamedDependency[list[Offer]],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response:
    """One unit: what it is, how to reach it, who answers for it, what it offers. A merged one leads to its heir."""
    unit = tree.current(unit_code)
    if unit.code != unit_code:
        return _moved(request, unit)
    below = sorted(tree.managed_by(unit.code), key=lambda each: sort_key(each.name))
    managers = tree.managers(unit.code)
    return pages.render(
        request,
        "units/unit.html",
        unit=unit,
        now=now,
        manager=managers[0] if managers else None,
        commune=(await unit_shelf.directory(tree)).commune_name(unit.commune_code),
        website=web_address(unit.website),
        story=await unit_shelf.story(tree, unit, now),
        offers=[Offered(offer.template, things) for offer in offers if (things := offer.find(unit, tree))],
        below=below[:_MOST_BELOW],
        below_count=len(below),
        name_of_code=name_finder(tree),
    )


def _moved(request: Request, heir: Unit) -> Response[None]:
    # For good: a merger does not end, and search engines and portals should take up the new address. Kept for a day
    # only, so that a merger which was recorded by mistake and followed by another does not live on in browsers.
    address = in_locale(f"/don-vi/{heir.code}", locale_of(request.scope["path"]))
    return Response(None, status_code=301, headers={"Location": address, "Cache-Control": _FOR_A_DAY})


@get("/don-vi/{unit_code:str}/logo.png", include_in_schema=False)
async def send_logo(
    unit_code: FromPath[str],
    tree: NamedDependency[UnitTree],
    unit_shelf: NamedDependency[UnitShelf],
    v: FromQuery[str] = "",
) -> Response[bytes]:
    """The logo that was approved last; kept by browsers for good under the address with its hash."""
    unit = tree.find(unit_code)
    content = await unit_shelf.logo(unit)
    if content is None:
        raise NotFoundException
    kept = _FOR_GOOD if v == unit.logo else "no-store"
    return Response(content, media_type="image/png", headers={"Cache-Control": kept})


@get("/don-vi/{unit_code:str}/mau.css", include_in_schema=False)
async def send_style(
    unit_code: FromPath[str], tree: NamedDependency[UnitTree], v: FromQuery[str] = ""
) -> Response[bytes]:
    """The unit's accent colour, by light and by dark, as a style sheet: pages hold no style of their own."""
    unit = tree.find(unit_code)
    if unit.accent is None:
        raise NotFoundException
    kept = _FOR_GOOD if f"#{v}" == unit.accent else "no-store"
    return Response(style_of(unit.accent).encode(), media_type="text/css", headers={"Cache-Control": kept})


def web_address(website: str | None) -> str | None:
    """The address, if it is one of the web: whatever else was stored becomes no link."""
    try:
        parts = urlsplit(website or "")
    except ValueError:
        return None
    return website if parts.scheme in _WEB and parts.netloc else None


def name_finder(tree: UnitTree) -> Callable[[str | None], str]:
    """Names by code, for what a template tells of other units."""

    def name_of_code(code: str | None) -> str:
        try:
            return tree.find(code or "").name
        except UnitNotFound:
            return code or ""

    return name_of_code


directory_routes = [show_directory, show_unit, send_logo, send_style]
