"""Official mail addresses: whoever is invited reads her letters at a domain that her unit owns."""

import re
from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
from email_validator import EmailNotValidError, validate_email

from kit import sql
from kit.errors import FieldError, InvalidForm
from kit.sql import Database
from units.officers.officers import NotPermitted, Officer
from units.record.entries import Actor, write
from units.unit_tree import UnitTree

allowed_domains = sql.load(__file__, "allowed_domains")

# Where a unit has set no others.
USUAL = ("*.edu.vn", "*.gov.vn")

# Anybody gets an address there; no unit owns it.
_EVERYBODYS = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "outlook.com.vn", "hotmail.com", "live.com", "msn.com",
        "yahoo.com", "yahoo.com.vn", "ymail.com", "icloud.com", "me.com", "proton.me", "protonmail.com", "zoho.com",
        "mail.ru", "yandex.com", "aol.com", "gmx.com", "zing.vn", "fpt.vn", "vnn.vn",
    }
)  # fmt: skip
_DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_MOST = 20


def normal_address(typed: str) -> str:
    """The address as it is stored: one spelling for one mailbox. Raises ValueError where it is none."""
    try:
        checked = validate_email(typed.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise ValueError(typed) from None
    return checked.normalized.lower()


def is_official(address: str, domains: Collection[str]) -> bool:
    """Whether the address lies in one of the domains; `*.edu.vn` means every domain below edu.vn."""
    domain = address.rpartition("@")[2]
    return any(domain.endswith(each[1:]) if each.startswith("*.") else domain == each for each in domains)


async def read_official_address(database: Database, unit_code: str | None, typed: Any) -> str:
    """The normal form of an address that is official in this unit (None: any). Raises InvalidForm for `email`."""
    if not isinstance(typed, str) or not typed.strip():
        raise InvalidForm([FieldError("email", "required")])
    try:
        address = normal_address(typed)
    except ValueError:
        raise InvalidForm([FieldError("email", "email_malformed")]) from None
    domains = await find_domains(database, unit_code) if unit_code else ()
    if unit_code and not is_official(address, domains):
        raise InvalidForm([FieldError("email", "email_not_official", domains=", ".join(domains))])
    return address


async def find_domains(database: Database, unit_code: str) -> tuple[str, ...]:
    """The domains of a unit, by its present code: its own, or the usual ones."""
    rows = await allowed_domains.list_domains(database, unit_code=unit_code)
    return tuple(row["domain"] for row in rows) or USUAL


def may_set_domains(officer: Officer, unit_code: str, tree: UnitTree) -> bool:
    """Whether the officer administers a unit above this one: nobody widens the circle they choose from themselves."""
    return any(officer.may("manage_officers", unit.code, tree) for unit in tree.managers(unit_code))


async def set_domains(
    transaction: asyncpg.Connection,
    unit_code: str,
    typed: Sequence[str],
    *,
    by: Officer | None,
    tree: UnitTree,
    actor: Actor,
) -> tuple[str, ...]:
    """Set the domains of a unit's addresses; none: the usual ones. Returns what counts from now on.

    `by` None is the command line, which alone sets those of the root. Raises NotPermitted, InvalidForm.
    """
    code = tree.current(unit_code).code
    if by and not may_set_domains(by, code, tree):
        raise NotPermitted
    wanted = _read_domains(typed)
    before = await find_domains(transaction, code)
    await allowed_domains.end_domains(transaction, unit_code=code)
    await allowed_domains.add_domains(transaction, unit_code=code, domains=wanted)
    after = await find_domains(transaction, code)
    await write(
        transaction, actor, "unit.mail_domains_changed", ("unit", code), unit=code,
        changes={"domains": [list(before), list(after)]},
    )  # fmt: skip
    return after


def _read_domains(typed: Sequence[str]) -> list[str]:
    wanted = sorted({each.strip().lower().removeprefix("@") for each in typed if each.strip()})
    if len(wanted) > _MOST:
        raise InvalidForm([FieldError("domains", "too_many_domains", most=_MOST)])
    errors = [FieldError("domains", code, domain=each) for each in wanted if (code := _mistake_in(each))]
    if errors:
        raise InvalidForm(errors)
    return wanted


def _mistake_in(domain: str) -> str | None:
    if not _DOMAIN.fullmatch(domain) or len(domain) > 253:  # noqa: PLR2004 - the DNS's own limit
        return "domain_malformed"
    plain = domain.removeprefix("*.")
    if plain in _EVERYBODYS or any(plain.endswith(f".{each}") for each in _EVERYBODYS):
        return "domain_is_everybodys"
    # `*.com.vn` would be half the country.
    if domain.startswith("*.") and plain in {"com.vn", "net.vn", "org.vn", "name.vn", "co.uk"}:
        return "domain_too_wide"
    return None
