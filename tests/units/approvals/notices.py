"""A tiny kind of thing that becomes public: a notice on a board, held in memory."""

# ruff: noqa: ARG002 - a kind takes what the protocol gives

from datetime import datetime, timedelta

import asyncpg
import msgspec

from kit.errors import DomainError
from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from server.app import _TEMPLATES
from tests.officers import given_officer, given_unit
from tests.people import MORNING
from units.approvals.approvals import hand_in
from units.approvals.deputies import Period, add_deputy
from units.approvals.kinds import Difference, Prepared, Preview
from units.record.entries import Actor
from units.unit_tree import UnitTree
from units.units import list_units


class NoticeRefused(DomainError):
    """The board takes no notice of that name."""

    code = "notice_refused"
    status = 409


class Notices:
    """What hangs on the board: texts by name, and from when. `writers` are those whose work a notice is, by name."""

    name = "notice"
    title = "Đăng thông báo"
    Refused = NoticeRefused
    refuses_effect = False

    def __init__(self) -> None:
        self.public: dict[str, tuple[str, datetime]] = {}
        self.writers: dict[str, list[str]] = {}
        self.refused: set[str] = set()

    async def prepare(self, transaction, about, payload):
        if about in self.refused:
            raise NoticeRefused
        before = self.public.get(about, ("(chưa có)", MORNING))[0]
        preview = Preview(
            title=f"Thông báo {about}",
            facts=[("Số chữ", str(len(payload["text"].split())))],
            differences=[Difference("Nội dung", before, payload["text"])],
            extra={"lengths": [len(before), len(payload["text"])]},
        )
        return Prepared(preview, prepared_by=self.writers.get(about, []))

    async def take_effect(self, transaction, about, payload, takes_effect_at, actor, now):
        if self.refuses_effect:
            raise NoticeRefused
        self.public[about] = (payload["text"], max(now, takes_effect_at or now))

    async def take_back(self, transaction, about, payload, actor, now):
        del self.public[about]

    def address(self, about):
        return f"/can-bo/thong-bao/{about}"


class Stage(msgspec.Struct):
    """Whatever a call wants besides its own: `deciding(officer)` and `handing_in(officer)` are keyword arguments."""

    notices: Notices
    kinds: dict[str, Notices]
    tree: UnitTree
    post: Post
    now: datetime = MORNING

    def deciding(self, officer, *, now: datetime | None = None) -> dict:
        actor = Actor(officer.id, "web") if officer else Actor(None, "command")
        return {"officer": officer, "tree": self.tree, "actor": actor, "now": now or self.now, "post": self.post}

    async def hand_in(self, connection: asyncpg.Connection, officer, about: str = "a", **facts):
        told = {"unit_code": "thpt-hoa-sua", "takes_effect_at": None, "note": ""} | facts
        payload = {"text": told.pop("text", "Nghỉ học ngày mai")}
        context = self.deciding(officer, now=told.pop("now", None))
        del context["officer"]
        return await hand_in(
            connection, self.kinds, "notice", about, payload,
            officer_id=officer.id if officer else None, **context, **told,
        )  # fmt: skip


async def given_stage(connection: asyncpg.Connection, settings) -> Stage:
    """A school below the department, one beside it, a commune with a school of its own; nobody works there yet."""
    await given_unit(connection, "thpt-hoa-sua")
    await given_unit(connection, "thpt-song-xanh")
    await given_unit(connection, "xa-an-binh", kind="commune")
    await given_unit(connection, "thcs-an-binh", kind="lower-secondary", managed_by="xa-an-binh")
    notices = Notices()
    post = Post(Pages(_TEMPLATES), KeyRing(settings.keys_folder), home="https://x.example", sender="a@x.example")
    return Stage(notices, {"notice": notices}, UnitTree(await list_units(connection)), post)


async def given_editor(connection, name: str = "lan", unit: str = "thpt-hoa-sua"):
    return await given_officer(connection, name, (unit, "editor"))


async def given_approver(connection, name: str = "hung", unit: str = "thpt-hoa-sua"):
    return await given_officer(connection, name, (unit, "approver"))


async def appoint(connection, stage: Stage, absent, deputy, *, days: int = 3, unit: str = "thpt-hoa-sua") -> str:
    """A delegation from today on."""
    period = Period(MORNING.date(), MORNING.date() + timedelta(days=days - 1))
    context = stage.deciding(absent)
    del context["officer"]
    return await add_deputy(connection, absent, unit, deputy.id, period, "Đi công tác", **context)
