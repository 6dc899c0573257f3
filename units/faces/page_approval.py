"""A unit's own page, prepared by one person and approved by another: its facts, its board, its look."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from kit import locale, sql
from kit.errors import DomainError
from kit.sql import Database
from units.approvals.kinds import Difference, Prepared, Preview
from units.changes import Change, announce
from units.faces.contacts import Contact, choose_contacts, find_contacts, set_contacts
from units.faces.editorial_board import Board, find_board, set_board
from units.faces.look import Look, light_ratio, pair_of, set_look
from units.faces.pictures import find_picture
from units.record.entries import Actor, write
from units.units import UnitNotFound, describe_unit

page_approval = sql.load(__file__, "page_approval")

# What an officer changes on the page, and what it is called there. The name itself is changed by decision.
FACTS = {
    "short_name": "Tên viết tắt",
    "name_en": "Tên tiếng Anh",
    "governing_body": "Cơ quan chủ quản",
    "responsible_person": "Người chịu trách nhiệm nội dung",
    "address": "Địa chỉ",
    "hotline": "Đường dây nóng",
    "email": "Thư điện tử công vụ",
    "website": "Trang thông tin điện tử",
}
PARTS = {"head": "Trưởng ban", "deputy": "Phó Trưởng ban", "member": "Thành viên"}
NOTHING = "(để trống)"


class PageUnchanged(DomainError):
    """What was prepared is what stands there already."""

    code = "page_unchanged"
    status = 409


class PictureGone(DomainError):
    """The logo that was prepared is no longer kept."""

    code = "picture_gone"
    status = 409


class PageChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of a page is to be different; what is unset stays. An empty text, no board, no colour are values."""

    facts: dict[str, str] = {}
    board: Board | UnsetType | None = UNSET
    accent: str | UnsetType | None = UNSET
    logo: str | UnsetType | None = UNSET
    # Officers of the unit, by number, in their order.
    contacts: tuple[str, ...] | UnsetType = UNSET

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be different."""
        return not self.facts and all(part is UNSET for part in (self.board, self.accent, self.logo, self.contacts))


class Page(msgspec.Struct, frozen=True):
    """A unit's page as it stands."""

    name: str
    facts: dict[str, str]
    board: Board | None
    look: Look
    contacts: tuple[Contact, ...] = ()


async def find_page(database: Database, unit_code: str) -> Page:
    """The page as the public has it. Raises UnitNotFound."""
    row = await page_approval.find_page(database, unit_code=unit_code)
    if row is None:
        raise UnitNotFound(unit=unit_code)
    facts = {fact: row[fact] for fact in FACTS}
    return Page(
        row["name"], facts, await find_board(database, unit_code), Look(row["accent"], row["logo"]),
        tuple(await find_contacts(database, unit_code)),
    )  # fmt: skip


def change_between(page: Page, wanted: Page) -> PageChange:
    """Just what is different."""
    return PageChange(
        facts={fact: wanted.facts[fact] for fact in FACTS if wanted.facts[fact] != page.facts[fact]},
        board=UNSET if wanted.board == page.board else wanted.board,
        accent=UNSET if wanted.look.accent == page.look.accent else wanted.look.accent,
        logo=UNSET if wanted.look.logo == page.look.logo else wanted.look.logo,
        contacts=UNSET if set(_ids(wanted.contacts)) == set(_ids(page.contacts)) else _ids(wanted.contacts),
    )


def _ids(contacts: Sequence[Contact]) -> tuple[str, ...]:
    return tuple(contact.officer_id for contact in contacts)


class UnitPage:
    """The kind `unit-page`; `about` is the unit's code."""

    name = "unit-page"
    title = "Trang của đơn vị"

    async def prepare(self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any]) -> Prepared:
        """Field by field what the public reads now and would read.

        Raises ContactNotOfUnit, PageUnchanged, PictureGone, UnitNotFound.
        """
        change = msgspec.convert(payload, PageChange)
        page = await find_page(transaction, about)
        if isinstance(change.logo, str) and await find_picture(transaction, about, change.logo) is None:
            raise PictureGone
        differences = _differences(page, change)
        if change.contacts is not UNSET:
            chosen = await choose_contacts(transaction, about, change.contacts)
            differences += _told("Cán bộ phụ trách", _contacts_line(page.contacts), _contacts_line(chosen))
        if not differences:
            raise PageUnchanged
        facts = [("Đơn vị", page.name), ("Số mục thay đổi", str(len(differences)))]
        preview = Preview(f"Trang của {page.name}", facts, differences, extra=_pictures(about, page, change))
        return Prepared(preview)

    async def take_effect(
        self,
        transaction: asyncpg.Connection,
        about: str,
        payload: dict[str, Any],
        takes_effect_at: datetime | None,  # noqa: ARG002 - a page changes when it is approved
        actor: Actor,
        now: datetime,
    ) -> None:
        """Change the page, at once and whole. Raises ContactNotOfUnit, UnitNotFound, UnitRefused."""
        change = msgspec.convert(payload, PageChange)
        page = await find_page(transaction, about)
        if change.facts:
            facts = {fact: text for fact, text in change.facts.items() if fact in FACTS}
            await describe_unit(transaction, about, actor=actor, now=now, **facts)
        if change.board is not UNSET:
            await set_board(transaction, about, change.board)
            await write(
                transaction, actor, "editorial_board.changed", ("unit", about), unit=about,
                changes=_board_told(page.board, change.board), withheld=["people"],
            )  # fmt: skip
        if change.accent is not UNSET or change.logo is not UNSET:
            look = _new_look(page.look, change)
            await set_look(transaction, about, look)
            told = _only_changed({"accent": [page.look.accent, look.accent], "logo": [page.look.logo, look.logo]})
            await write(transaction, actor, "unit_look.changed", ("unit", about), unit=about, changes=told)
        if change.contacts is not UNSET:
            await set_contacts(transaction, about, change.contacts)
            await write(
                transaction, actor, "unit_contacts.changed", ("unit", about), unit=about,
                changes={"officers": [list(_ids(page.contacts)), list(change.contacts)]},
            )  # fmt: skip
        await announce(transaction, Change("unit", about, "described"), now)

    async def take_back(
        self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        """Nothing to undo: a page that was approved has changed already, and is changed again, not taken back."""

    def address(self, about: str) -> str:
        """The unit's page for officers."""
        return f"/can-bo/don-vi/{about}"


def _new_look(look: Look, change: PageChange) -> Look:
    accent = look.accent if change.accent is UNSET else change.accent
    return Look(accent, look.logo if change.logo is UNSET else change.logo)


def _only_changed(pairs: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}


def _board_told(before: Board | None, after: Board | None) -> dict[str, list[Any]]:
    """What the record may hold: the decision, and how many they are; names stand in the approval."""

    def told(board: Board | None) -> tuple[Any, Any, int]:
        return (board.decision_number, board.decided_on, len(board.people)) if board else (None, None, 0)

    pairs = zip(told(before), told(after), strict=True)
    return _only_changed({name: list(pair) for name, pair in zip(("decision", "on", "count"), pairs, strict=True)})


def _differences(page: Page, change: PageChange) -> list[Difference]:
    # In our order: what was kept as JSON comes back in another.
    pairs = [(name, page.facts[fact], change.facts[fact]) for fact, name in FACTS.items() if fact in change.facts]
    if change.board is not UNSET:
        pairs += _board_lines(page.board, change.board)
    if change.accent is not UNSET:
        pairs.append(("Màu nhấn", _accent_line(page.look.accent), _accent_line(change.accent)))
    if change.logo is not UNSET and change.logo != page.look.logo:
        pairs.append(("Biểu trưng", _logo_line(page.look.logo), _logo_line(change.logo)))
    return [difference for pair in pairs for difference in _told(*pair)]


def _told(what: str, before: str, after: str) -> list[Difference]:
    return [Difference(what, before or NOTHING, after or NOTHING)] if before != after else []


def _contacts_line(contacts: Sequence[Contact]) -> str:
    cards = [contact.card for contact in contacts]
    return "; ".join(", ".join(filter(None, (card.name, card.position))) for card in cards)


def _board_lines(before: Board | None, after: Board | None) -> list[tuple[str, str, str]]:
    def decision(board: Board | None) -> str:
        return f"Số {board.decision_number} ngày {locale.day(board.decided_on, 'vi')}" if board else ""

    def people(board: Board | None, part: Any) -> str:
        found = board.of(part) if board else []
        return "; ".join(", ".join(filter(None, (person.name, person.position))) for person in found)

    lines = [("Quyết định thành lập Ban Biên tập", decision(before), decision(after))]
    return lines + [
        (f"Ban Biên tập: {name}", people(before, part), people(after, part)) for part, name in PARTS.items()
    ]


def _accent_line(accent: str | None) -> str:
    """The colour, with the contrast that was measured."""
    if accent is None:
        return "Theo màu chung"
    return f"{accent}, độ tương phản {light_ratio(accent):.1f}:1".replace(".", ",")


def _logo_line(logo: str | None) -> str:
    return f"Có (mã {logo[:8]})" if logo else ""


def _pictures(about: str, page: Page, change: PageChange) -> dict[str, Any]:
    """For `templates/approvals/unit-page.html`: colours and logos are looked at."""
    extra: dict[str, Any] = {"unit_code": about}
    if change.accent is not UNSET:
        shades = [pair_of(accent) if accent else None for accent in (page.look.accent, change.accent)]
        extra["accents"] = [{"light": pair.light, "dark": pair.dark} if pair else None for pair in shades]
    if change.logo is not UNSET:
        extra["logos"] = [page.look.logo, change.logo]
    return extra
