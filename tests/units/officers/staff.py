"""An office with people in it, and what changes of staff need: the tree, the post, a moment."""

import re
from datetime import datetime

import asyncpg
import msgspec

from kit.keys import KeyRing
from kit.mail.post import Letter, Post, unseal
from kit.pages import Pages
from server.app import _TEMPLATES
from tests.officers import given_officer, given_unit
from tests.people import MORNING
from units.officers.invitations import invite
from units.officers.officers import Held, Officer, find_officer
from units.officers.staffing import disable, grant, reset_two_factor, revoke
from units.record.entries import COMMAND, Actor
from units.unit_tree import UnitTree
from units.units import list_units

_PAGES = Pages(_TEMPLATES)


class Office:
    """The department, a ward, the ward's school, and a THPT school that stands in the ward."""

    def __init__(self, connection: asyncpg.Connection, keys: KeyRing, tree: UnitTree) -> None:
        self.connection, self.keys, self.tree, self.now = connection, keys, tree, MORNING
        self.post = Post(_PAGES, keys, home="https://diemthi.example", sender="a@diemthi.example")
        self.works: list = []

    def by(self, officer: Officer | None) -> dict:
        """Who changes something, as keywords; None is the command line."""
        actor = Actor(officer.id, "web", "203.0.113.7") if officer else COMMAND
        return {"by": officer, "tree": self.tree, "actor": actor, "post": self.post, "now": self.now}

    async def invite(self, by, email, unit_code="phuong", role="editor", **card):
        async with self.connection.transaction():
            return await invite(self.connection, email, unit_code, role, card, **self.by(by))

    async def grant(self, by, officer, unit_code, role):
        async with self.connection.transaction():
            await grant(self.connection, officer.id, unit_code, role, **self.by(by))
        return await self.seen(officer)

    async def revoke(self, by, officer, unit_code, role, **choices):
        async with self.connection.transaction():
            await revoke(
                self.connection, officer.id, Held(unit_code, role), works=self.works, choices=choices, **self.by(by)
            )
        return await self.seen(officer)

    async def disable(self, by, officer, reason="Chuyển công tác", **choices):
        async with self.connection.transaction():
            await disable(self.connection, officer.id, reason, works=self.works, choices=choices, **self.by(by))
        return await self.seen(officer)

    async def reset_two_factor(self, by, officer, reason="Mất điện thoại"):
        async with self.connection.transaction():
            await reset_two_factor(self.connection, officer.id, reason, **self.by(by))
        return await self.seen(officer)

    async def seen(self, officer: Officer) -> Officer:
        """As she is now."""
        return await find_officer(self.connection, officer.id)

    async def letters(self, to: str) -> list[Letter]:
        """What was queued for an address, in order."""
        rows = await self.connection.fetch("select key, sealed from kit.mails where recipient = $1 order by ctid", to)
        return [msgspec.json.decode(unseal(self.keys, row["key"], row["sealed"]), type=Letter) for row in rows]

    async def entries(self, action: str) -> list[tuple]:
        """What the record tells of an action: whose, which officer by, details."""
        rows = await self.connection.fetch(
            "select unit_code, officer_id::text, object_id, details from units.record_entries"
            " where action = $1 order by id",
            action,
        )
        return [
            (row["unit_code"], row["officer_id"], row["object_id"], msgspec.json.decode(row["details"])) for row in rows
        ]


async def given_office(connection: asyncpg.Connection, keys: KeyRing) -> Office:
    await given_unit(connection, "phuong", kind="commune", commune_code="99001")
    await given_unit(connection, "xa", kind="commune", commune_code="99002")
    await given_unit(connection, "thcs", kind="lower-secondary", managed_by="phuong", commune_code="99001")
    await given_unit(connection, "thpt", commune_code="99001")
    return Office(connection, keys, UnitTree(await list_units(connection)))


async def given_administrator(connection, unit_code="so", name="ha") -> Officer:
    return await given_officer(connection, name, (unit_code, "administrator"), full_name="Lê Thị Minh Hạ")


def link_in(letter: Letter) -> str:
    """The address that the letter's button leads to."""
    found = re.search(r'href="(https://[^"]*)"', letter.html)
    assert found
    return found[1]


async def given_session(connection, officer: Officer, now: datetime = MORNING) -> None:
    await connection.execute(
        "insert into units.sessions (token_hash, officer_id, stage, began_at, seen_at, address, device)"
        " values (sha256(convert_to(clock_timestamp()::text, 'UTF8')), $1::text::uuid, 'full', $2, $2, '203.0.113.7',"
        " 'test')",
        officer.id,
        now,
    )


async def running_sessions(connection, officer: Officer) -> int:
    return await connection.fetchval(
        "select count(*) from units.sessions where officer_id = $1::text::uuid and ended_at is null", officer.id
    )
