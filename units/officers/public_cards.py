"""A public card: how the public addresses an officer and reaches her at the office, and never at home."""

import re
from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError, InvalidForm
from kit.vietnamese import clean_cell
from units.officers.officers import Officer
from units.record.entries import Actor, fingerprint, write

public_cards = sql.load(__file__, "public_cards")

SALUTATIONS = ("Ông", "Bà", "Thầy", "Cô")
FIELDS = ("salutation", "full_name", "position", "office_phone")
_LONGEST = {"full_name": 150, "position": 150, "office_phone": 40}

_EXTENSION = re.compile(r"\s*,?\s*(?:máy lẻ|số lẻ|nhánh|ext\.?|x)\s*:?\s*(\d{1,6})\s*", re.IGNORECASE)
_MOBILE = re.compile(r"0[35789]\d{8}")
# Landlines begin with 02 and the code of their province; 1800 and 1900, and short ones like 1022, are hotlines.
_OFFICE = re.compile(r"02\d{8,9}|1[89]00\d{4,6}|1\d{2,4}")


class PublicCard(msgspec.Struct, frozen=True):
    """What anybody may read of an officer. `email` is the official address."""

    salutation: str
    full_name: str
    position: str
    office_phone: str
    email: str

    @property
    def name(self) -> str:
        """How pages call them."""
        return f"{self.salutation} {self.full_name}".strip()

    @property
    def dialled(self) -> str:
        """The office number as a telephone dials it, without the extension."""
        return re.sub(r"[^+\d]", "", _EXTENSION.split(self.office_phone, maxsplit=1)[0])


def card_of(officer: Officer) -> PublicCard:
    """The card of an officer, for pages of her unit and receipts that name who handles them."""
    # Whatever was stored: what is no office number is told to nobody.
    phone = officer.office_phone if mistake_in_phone(officer.office_phone) is None else ""
    return PublicCard(officer.salutation, officer.full_name, officer.position, phone, officer.email)


def read_card(fields: Mapping[str, Any]) -> dict[str, str]:
    """The card's fields as typed in a form. Raises InvalidForm with every mistake; only the name must be there."""
    typed = {name: clean_cell(str(fields.get(name) or ""))[0] for name in FIELDS}
    errors = [FieldError(name, "too_long") for name, most in _LONGEST.items() if len(typed[name]) > most]
    if not typed["full_name"]:
        errors.append(FieldError("full_name", "required"))
    if typed["salutation"] not in ("", *SALUTATIONS):
        errors.append(FieldError("salutation", "salutation_unknown"))
    if typed["office_phone"] and (mistake := mistake_in_phone(typed["office_phone"])):
        errors.append(FieldError("office_phone", mistake))
    if errors:
        raise InvalidForm(errors)
    return typed


def mistake_in_phone(typed: str) -> str | None:
    """What is wrong with an office number; None for a landline or a hotline, with or without an extension."""
    number = _EXTENSION.split(typed, maxsplit=1)[0]
    digits = re.sub(r"[\s.()\-]", "", number)
    digits = re.sub(r"^(?:\+|00)840?|^84(?=[235789]\d{8})", "0", digits)
    if _MOBILE.fullmatch(digits):
        return "phone_is_private"
    return None if _OFFICE.fullmatch(digits) else "phone_malformed"


async def change_card(
    transaction: asyncpg.Connection, officer: Officer, card: Mapping[str, str], *, actor: Actor, key: bytes
) -> bool:
    """Write the card anew; says whether anything changed. `key` is the current key of the ring named `record`.

    Whether the actor may is the caller's question.
    """
    changed = {name: card[name] for name in FIELDS if card[name] != getattr(officer, name)}
    if not changed:
        return False
    await public_cards.mark_described(transaction, officer_id=officer.id, **{name: card[name] for name in FIELDS})
    changes = {
        name: [fingerprint(key, getattr(officer, name)), fingerprint(key, value)] for name, value in changed.items()
    }
    await write(transaction, actor, "officer.described", ("officer", officer.id), changes=changes)
    return True
