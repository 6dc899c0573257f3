"""What pages say of a unit beyond the tree: its board, its history and its logo, asked for once, then at hand."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from kit import sql
from kit.cache import Cache
from kit.errors import ServiceUnavailable
from kit.sql import UNREACHABLE, Database
from units import places
from units.directory.search import Directory
from units.faces.contacts import Contact, find_contacts
from units.faces.editorial_board import Board, find_board
from units.faces.pictures import find_picture
from units.history.events import FormerName, UnitEvent, list_events, list_former_names
from units.unit_tree import UnitTree
from units.units import Unit

directory = sql.load(__file__, "shelf")

# A picture's hash is its name: it never changes.
_LOGO_SECONDS = 86_400
# Whoever leaves the unit is no longer named, without a change of the unit being announced.
_CONTACTS_LAST = timedelta(seconds=3)
_AWAY = (ServiceUnavailable, *UNREACHABLE)


class Story(msgspec.Struct, frozen=True):
    """What a unit's page tells beyond the tree. `is_whole`: False while PostgreSQL could not be asked."""

    board: Board | None = None
    events: list[UnitEvent] = []
    former_names: list[FormerName] = []
    contacts: list[Contact] = []
    is_whole: bool = True


class UnitShelf:
    """Kept as long as the tree is the same one: every change to a unit brings a new tree to every node.

    So PostgreSQL is asked once for each unit and change, and a page never shows a board that was taken down. Contact
    persons are asked for again after seconds: they go with their accounts and roles, of which no tree tells.
    """

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database, self._cache = database, cache
        self._tree: UnitTree | None = None
        self._directory: Directory | None = None
        self._stories: dict[str, Story] = {}
        self._contacts: dict[str, tuple[datetime, asyncio.Task[list[Contact] | None]]] = {}
        self._making = asyncio.Lock()

    async def directory(self, tree: UnitTree) -> Directory:
        """The directory of this tree; without former names while PostgreSQL is away."""
        async with self._making:
            self._turn_to(tree)
            if self._directory is None:
                try:
                    names = [(row["unit_code"], row["name"]) for row in await directory.list_names(self._database)]
                except _AWAY:
                    return await asyncio.to_thread(Directory, tree, (), _commune_name)
                # Sorting thousands of names takes a while: nobody who looks up a score waits for it.
                made = await asyncio.to_thread(Directory, tree, names, _commune_name)
                # A newer tree may have come meanwhile.
                if self._tree is not tree:
                    return made
                self._directory = made
            return self._directory

    async def story(self, tree: UnitTree, unit: Unit, now: datetime) -> Story:
        """What there is to tell of a unit of this tree; little while PostgreSQL is away."""
        story = await self._lasting_story(tree, unit)
        if unit.closed_on is not None or not story.is_whole:
            return story
        contacts = await self._contacts_of(tree, unit.code, now)
        return msgspec.structs.replace(story, contacts=contacts or [], is_whole=contacts is not None)

    async def _contacts_of(self, tree: UnitTree, code: str, now: datetime) -> list[Contact] | None:
        """Whom to ask there; None while PostgreSQL is away. Many who ask at the same time ask once."""
        self._turn_to(tree)
        known = self._contacts.get(code)
        if known is None or not known[0] <= now < known[0] + _CONTACTS_LAST:
            known = self._contacts[code] = now, asyncio.create_task(self._ask_for_contacts(code))
        # A visitor who leaves does not take the answer away from the others.
        return await asyncio.shield(known[1])

    async def _ask_for_contacts(self, code: str) -> list[Contact] | None:
        try:
            return await find_contacts(self._database, code)
        except _AWAY:
            return None

    async def _lasting_story(self, tree: UnitTree, unit: Unit) -> Story:
        self._turn_to(tree)
        if (known := self._stories.get(unit.code)) is not None:
            return known
        try:
            story = Story(
                await find_board(self._database, unit.code),
                await list_events(self._database, unit.code),
                await list_former_names(self._database, unit.code),
            )
        except _AWAY:
            return Story(is_whole=False)
        # A newer tree may have come meanwhile.
        if self._tree is tree:
            self._stories[unit.code] = story
        return story

    async def logo(self, unit: Unit) -> bytes | None:
        """The unit's logo as PNG; None when it has none."""
        if (digest := unit.logo) is None:
            return None
        return await self._cache.get_or_make(
            "logo",
            (unit.code, digest),
            lambda: find_picture(self._database, unit.code, digest),
            ttl=_LOGO_SECONDS,
            negative_ttl=0,
        )

    def _turn_to(self, tree: UnitTree) -> None:
        if self._tree is not tree:
            self._tree, self._directory, self._stories, self._contacts = tree, None, {}, {}


def _commune_name(code: str) -> str | None:
    try:
        return places.commune(code).name
    except places.PlaceNotFound:
        return None
