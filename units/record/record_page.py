"""The officers' page of the record, `/can-bo/nhat-ky`: who did what; looking is on the record too."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar import post as posted
from litestar.di import NamedDependency
from litestar.response import Stream

from kit.bounded_pool import BoundedPool
from kit.clock import VIETNAM
from kit.errors import InvalidForm
from kit.pages import Pages, see_other
from units.approvals.approval import Approval
from units.approvals.authority import may_see
from units.approvals.lists import find_approvals
from units.officers.doorkeeper import read_form
from units.officers.officers import find_officers
from units.officers.sessions import Session
from units.record.entries import actor_of, write
from units.record.export import stream_csv, stream_workbook
from units.record.sealer import find_head
from units.record.search import PAGE, Filter, Reach, count_waiting, list_entries, reach_of, read_filter
from units.record.verify import find_last_check
from units.record.words import ACTIONS, is_id, people_in, tell, unit_name
from units.unit_tree import UnitTree

HERE = "/can-bo/nhat-ky"
_TYPED = ("tu", "den", "can-bo", "thu", "don-vi", "viec", "doi-tuong", "yeu-cau")
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A select of more would be longer than anybody scrolls.
_MOST_CHOICES = 200


@get("/nhat-ky")
async def show_record(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The newest entries that match, of the units that I answer for, and whether the record is well."""
    reach = reach_of(session.officer, tree)
    asked = {name: request.query_params.get(name, "") for name in (*_TYPED, "sau") if name != "thu"}
    try:
        wanted, errors = await read_filter(desk_pool, reach, asked), []
    except InvalidForm as refused:
        wanted, errors = None, refused.errors
    page = _Page(request, session, tree, pages, desk_pool, now, reach)
    return await page.show(wanted, asked, errors, after=asked["sau"] or None)


@posted("/nhat-ky")
async def look_up(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    pages: NamedDependency[Pages],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Response[Any]:
    """What the form asks for, as an address: an officer's mail address becomes a number first."""
    reach = reach_of(session.officer, tree)
    fields = await read_form(request, session)
    typed = {name: str(fields.get(name, "")) for name in _TYPED}
    try:
        wanted = await read_filter(desk_pool, reach, typed)
    except InvalidForm as refused:
        page = _Page(request, session, tree, pages, desk_pool, now, reach)
        return await page.show(None, typed, refused.errors, after=None)
    return see_other(f"{HERE}?{urlencode(wanted.query)}" if wanted.query else HERE)


@posted("/nhat-ky/tai-ve")
async def export_record(
    request: Request,
    session: NamedDependency[Session],
    tree: NamedDependency[UnitTree],
    desk_pool: NamedDependency[BoundedPool],
    now: NamedDependency[datetime],
) -> Stream:
    """Everything that matches, as CSV or XLSX."""
    reach = reach_of(session.officer, tree, "export_record")
    fields = await read_form(request, session)
    wanted = await read_filter(desk_pool, reach, {name: str(fields.get(name, "")) for name in _TYPED})
    kind = "xlsx" if fields.get("dang") == "xlsx" else "csv"
    async with desk_pool.transaction() as connection:
        await write(
            connection, actor_of(request, session.officer.id), "record.exported", ("record", "all"),
            unit=_home(session, reach), format=kind, **_filters(wanted),
        )  # fmt: skip
    stream = stream_workbook if kind == "xlsx" else stream_csv
    name = f"nhat-ky-{now.astimezone(VIETNAM):%Y%m%d-%H%M}.{kind}"
    return Stream(
        stream(desk_pool, reach, wanted, tree),
        media_type=_WORKBOOK if kind == "xlsx" else "text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


class _Page:
    """The page for one officer."""

    def __init__(
        self, request: Request, session: Session, tree: UnitTree, pages: Pages, pool: BoundedPool, now: datetime,
        reach: Reach,
    ) -> None:  # fmt: skip
        self._request, self._session, self._tree, self._pages = request, session, tree, pages
        self._pool, self._now, self._reach = pool, now, reach

    async def show(
        self, wanted: Filter | None, typed: dict[str, str], errors: list[Any], *, after: str | None
    ) -> Response[bytes]:
        """With what was found, and a word in the record that somebody looked."""
        found = await list_entries(self._pool, self._reach, wanted, after=after, at_most=PAGE + 1) if wanted else []
        entries = found[:PAGE]
        people = await find_officers(
            self._pool, people_in(entries) + ([typed["can-bo"]] if typed.get("can-bo") else [])
        )
        names = {officer_id: officer.name for officer_id, officer in people.items()}
        if wanted:
            await self._note(wanted, len(entries), after)
        values = typed | {"thu": typed.get("thu") or _email(people, typed.get("can-bo"))}
        return self._pages.render(
            self._request,
            "record/list.html",
            status=422 if errors else 200,
            unit=next(iter(self._tree)),
            now=self._now,
            session=self._session,
            form={"values": values, "errors": errors},
            entries=[(entry, tell(entry, names, self._tree)) for entry in entries],
            approvals=await self._approvals(entries),
            query=wanted.query if wanted else {},
            after=after,
            more=urlencode(wanted.query | {"sau": entries[-1].place}) if wanted and len(found) > PAGE else None,
            units=[(code, unit_name(code, self._tree)) for code in self._reach.units[:_MOST_CHOICES]],
            actions=sorted(ACTIONS.items(), key=lambda each: each[1]),
            state=await self._state(),
        )

    async def _approvals(self, entries: Sequence[Any]) -> dict[str, Approval]:
        """Those which the entries are about, as far as this officer may open them."""
        ids = {entry.object_id for entry in entries if entry.object_kind == "approval"}
        found = await find_approvals(self._pool, sorted(id_ for id_ in ids if is_id(id_)))
        return {id_: each for id_, each in found.items() if may_see(each, self._session.officer, self._tree)}

    async def _note(self, wanted: Filter, shown: int, after: str | None) -> None:
        told = _filters(wanted) | {"shown": shown} | ({"page": True} if after else {})
        async with self._pool.transaction() as connection:
            await write(
                connection, actor_of(self._request, self._session.officer.id), "record.searched", ("record", "all"),
                unit=_home(self._session, self._reach), **told,
            )  # fmt: skip

    async def _state(self) -> dict[str, Any]:
        return {
            "head": await find_head(self._pool),
            "waiting": await count_waiting(self._pool),
            "check": await find_last_check(self._pool),
        }


def _filters(wanted: Filter) -> dict[str, Any]:
    return {"filters": wanted.facts} if wanted.facts else {}


def _home(session: Session, reach: Reach) -> str:
    """Under which unit a look at the record is found: the first where the officer may look."""
    held = [role.unit_code for role in session.officer.roles if role.role == "auditor"]
    return held[0] if held else reach.units[0]


def _email(people: dict[str, Any], officer_id: str | None) -> str:
    return people[officer_id].email if officer_id in people else ""


officer_routes = [show_record, look_up, export_record]
