"""Contact persons (cán bộ phụ trách): which officers of a unit its page names as the ones to ask, with their cards."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from kit import sql
from kit.errors import DomainError
from kit.sql import Database
from units.officers.officers import read_officer
from units.officers.public_cards import PublicCard, card_of

contacts = sql.load(__file__, "contacts")

# A page tells whom to ask; it is no staff list.
MOST_CONTACTS = 12


class ContactNotOfUnit(DomainError):
    """Somebody who was to be named is no active officer of the unit."""

    code = "contact_not_of_unit"
    status = 409


class Contact(msgspec.Struct, frozen=True):
    """An officer whom the public may ask."""

    officer_id: str
    card: PublicCard


async def find_contacts(database: Database, unit_code: str) -> list[Contact]:
    """Whom the unit's page names, in their order, and only as long as they are active and hold a role there."""
    return _read(await contacts.list_contacts(database, unit_code=unit_code))


async def find_eligible(database: Database, unit_code: str) -> list[Contact]:
    """Whom the unit's page could name: active officers with a role in just this unit."""
    return _read(await contacts.list_eligible(database, unit_code=unit_code))


async def choose_contacts(database: Database, unit_code: str, officer_ids: Sequence[str]) -> list[Contact]:
    """These officers of the unit, in this order. Raises ContactNotOfUnit for anybody else."""
    eligible = {each.officer_id: each for each in await find_eligible(database, unit_code)}
    if not eligible.keys() >= set(officer_ids):
        raise ContactNotOfUnit
    return [eligible[officer_id] for officer_id in dict.fromkeys(officer_ids)]


async def set_contacts(transaction: asyncpg.Connection, unit_code: str, officer_ids: Sequence[str]) -> None:
    """Name these instead of those before. Raises ContactNotOfUnit. The caller announces the change."""
    chosen = await choose_contacts(transaction, unit_code, officer_ids)
    await contacts.remove_contacts(transaction, unit_code=unit_code)
    for position, contact in enumerate(chosen):
        await contacts.add_contact(transaction, unit_code=unit_code, officer_id=contact.officer_id, position=position)


def _read(rows: list[Any]) -> list[Contact]:
    officers = [read_officer(row) for row in rows]
    return [Contact(officer.id, card_of(officer)) for officer in officers]
