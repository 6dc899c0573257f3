"""What officers type about units, read field by field: every mistake at once, each beside its field."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from email_validator import EmailNotValidError, validate_email

from kit.clock import VIETNAM
from kit.dates import NotADate, parse_birth_date
from kit.errors import FieldError
from kit.vietnamese import nfc, search_key
from units import places
from units.directory.directory_page import web_address
from units.directory.search import KINDS, Directory, Wanted
from units.faces.contacts import MOST_CONTACTS, Contact
from units.faces.editorial_board import Board, Part, Person, read_people, write_people
from units.faces.look import Look, accent_mistakes, read_accent
from units.faces.page_approval import FACTS, Page
from units.history.events import Decision
from units.history.rules import LONGEST_NUMBER

LONGEST = 300
_HOTLINE = re.compile(r"[0-9 +().,/-]*")
_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MOST_NAMED = 5
# A box for each officer, named by her number.
CONTACT = "contact-"
_PARTS: tuple[tuple[Part, str], ...] = (("head", "head"), ("deputy", "deputies"), ("member", "members"))


class Reading:
    """A form on its way from text to facts: what was typed, and everything that is wrong with it."""

    def __init__(self, typed: Mapping[str, Any]) -> None:
        self._typed = typed
        self.errors: list[FieldError] = []

    def wrong(self, field: str, code: str, **facts: Any) -> None:
        """One mistake more."""
        self.errors.append(FieldError(field, code, **facts))

    def line(self, field: str, *, required: bool = False, longest: int = LONGEST) -> str:
        """One line of text, blanks collapsed."""
        text = nfc(" ".join(self.text(field).split()))
        if required and not text:
            self.wrong(field, "required")
        if len(text) > longest:
            self.wrong(field, "too_long")
        return text

    def text(self, field: str) -> str:
        """What was typed, as it was typed."""
        value = self._typed.get(field)
        return value if isinstance(value, str) else ""

    def ticked(self, prefix: str) -> set[str]:
        """What the boxes whose names begin so stand for."""
        return {name.removeprefix(prefix) for name in self._typed if name.startswith(prefix) and self.text(name)}

    def day(self, field: str, now: datetime) -> date | None:
        """A day until today, day first; None for a mistake, or nothing."""
        today = now.astimezone(VIETNAM).date()
        if not (typed := self.line(field)):
            return None
        try:
            day = parse_birth_date(typed)
        except NotADate:
            self.wrong(field, "day_unreadable")
            return None
        if day > today:
            self.wrong(field, "day_in_the_future")
            return None
        return day

    def decision(self, now: datetime, *, required: bool = True) -> Decision | None:
        """The decision by which something changes: number and day, both or none."""
        before = len(self.errors)
        number = self.line("decision_number", longest=LONGEST_NUMBER)
        on = self.day("decision_on", now)
        if not required and not number and not self.line("decision_on"):
            return None
        if not number:
            self.wrong("decision_number", "required")
        if not self.line("decision_on"):
            self.wrong("decision_on", "required")
        return Decision(number, on) if on and len(self.errors) == before else None

    def commune(self, field: str, province_code: str | None) -> str | None:
        """A commune by its code or its name, marks or not; within the province where one is known."""
        if not (typed := self.line(field)):
            return None
        try:
            return places.commune(typed).code
        except places.PlaceNotFound:
            found = places.find_communes(typed, province_code)
        exact = [each for each in found if search_key(each.name) == search_key(typed)] or found
        if len(exact) == 1:
            return exact[0].code
        names = "; ".join(f"{each.name} ({each.code})" for each in exact[:_MOST_NAMED])
        self.wrong(field, "commune_ambiguous" if exact else "commune_unknown", names=names)
        return None

    def unit(self, field: str, typed: str, directory: Directory, among: Collection[str]) -> str | None:
        """The code of an open unit among those one may name: by its code, or by a name that only one has."""
        if (code := typed.strip()) in among:
            return code
        groups = directory.find(Wanted(text=typed), among=among).groups if search_key(typed) else []
        found = [line.unit for _, lines in groups for line in lines if line.unit.closed_on is None]
        exact = [unit for unit in found if search_key(unit.name) == search_key(typed)] or found
        if len(exact) == 1:
            return exact[0].code
        names = "; ".join(f"{unit.name} ({unit.code})" for unit in exact[:_MOST_NAMED])
        self.wrong(field, "unit_ambiguous" if exact else "unit_unknown", names=names, typed=typed)
        return None

    def kind(self, field: str) -> str:
        """A kind of unit that can be founded today."""
        kind = self.line(field, required=True)
        if kind and kind not in KINDS:
            self.wrong(field, "kind_unknown")
        return kind

    def code(self, field: str) -> str:
        """A code as it stands in addresses."""
        code = self.line(field, required=True).lower()
        if code and not _CODE.fullmatch(code):
            self.wrong(field, "code_malformed")
        return code


def read_page(reading: Reading, page: Page, now: datetime, logo: str | None, eligible: Sequence[Contact]) -> Page:
    """The page as the form would have it; `logo` is the hash of what it shows, `eligible` who may be named."""
    facts = {fact: reading.line(fact) for fact in FACTS}
    if not facts["short_name"]:
        reading.wrong("short_name", "required")
    _check_contacts(reading, facts)
    board = _read_board(reading, now)
    accent = read_accent(typed) if (typed := reading.line("accent")) else None
    if typed and accent is None:
        reading.wrong("accent", "accent_malformed")
    # What stood there before the rule may stay.
    if accent and accent != page.look.accent:
        reading.errors += accent_mistakes(accent)
    return Page(page.name, facts, board, Look(accent, logo), _read_contacts(reading, eligible))


def page_as_typed(page: Page) -> dict[str, str]:
    """The form's fields as they say what stands there now."""
    board = page.board
    values = dict(page.facts) | {"accent": page.look.accent or "", "logo_kept": page.look.logo or ""}
    if board:
        values |= {"board_number": board.decision_number, "board_on": f"{board.decided_on:%d/%m/%Y}"}
        values |= {field: write_people(board.of(part)) for part, field in _PARTS}
    return values | {CONTACT + contact.officer_id: "1" for contact in page.contacts}


def _check_contacts(reading: Reading, facts: dict[str, str]) -> None:
    if not _HOTLINE.fullmatch(facts["hotline"]):
        reading.wrong("hotline", "hotline_malformed")
    if facts["website"] and (" " in facts["website"] or not web_address(facts["website"])):
        reading.wrong("website", "website_malformed")
    if facts["email"]:
        try:
            validate_email(facts["email"], check_deliverability=False)
        except EmailNotValidError:
            reading.wrong("email", "email_malformed")


def _read_contacts(reading: Reading, eligible: Sequence[Contact]) -> tuple[Contact, ...]:
    ticked = reading.ticked(CONTACT)
    if ticked - {contact.officer_id for contact in eligible}:
        reading.wrong("contacts", "contact_not_of_unit")
    if len(ticked) > MOST_CONTACTS:
        reading.wrong("contacts", "contacts_too_many", most=MOST_CONTACTS)
    return tuple(contact for contact in eligible if contact.officer_id in ticked)


def _read_board(reading: Reading, now: datetime) -> Board | None:
    people: list[Person] = []
    for part, field in _PARTS:
        found, mistakes = read_people(part, field, reading.text(field))
        people += found
        reading.errors += mistakes
    if len([person for person in people if person.part == "head"]) > 1:
        reading.wrong("head", "board_has_one_head")
    number, on = reading.line("board_number", longest=LONGEST_NUMBER), reading.day("board_on", now)
    typed_day = reading.line("board_on")
    if not people and not number and not typed_day:
        return None
    if not number:
        reading.wrong("board_number", "required")
    if not typed_day:
        reading.wrong("board_on", "required")
    if not any(person.part == "head" for person in people):
        reading.wrong("head", "board_without_head")
    return Board(number, on or now.date(), tuple(people))


def form(values: Mapping[str, Any], errors: list[FieldError] | None = None) -> dict[str, Any]:
    """What templates call a form: what was typed, by name, and what is wrong with it."""
    shown = {name: value for name, value in values.items() if isinstance(value, str)}
    return {"values": shown, "errors": errors or []}
