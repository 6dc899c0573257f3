"""Write into the record: in the same transaction as what it tells of, or it did not happen."""

import hmac
from typing import Any, Literal

import asyncpg
import msgspec
from litestar import Request

from kit import sql
from kit.client_address import UNKNOWN
from units.record.actions import Action

entries = sql.load(__file__, "entries")

Through = Literal["web", "command", "service"]


class Actor(msgspec.Struct, frozen=True):
    """Who does something, and how. `officer_id` is a UUID as text; None: the command line, the service, a stranger."""

    officer_id: str | None
    through: Through
    address: str | None = None
    request_id: str | None = None


COMMAND = Actor(None, "command")
SERVICE = Actor(None, "service")


def actor_of(request: Request, officer_id: str | None) -> Actor:
    """The person behind a request, signed in or not."""
    address = request.client.host if request.client else UNKNOWN
    return Actor(officer_id, "web", address, request.scope.get("request_id"))


async def write(
    transaction: asyncpg.Connection,
    actor: Actor,
    action: Action,
    about: tuple[str, str],
    *,
    unit: str | None = None,
    **details: Any,
) -> None:
    """Add one entry: `action` (`exam.released`) on the object `about` (kind, id), which concerns `unit`.

    `details` are facts as JSON, never personal data: those go in by `fingerprint`. What changed stands under
    `changes` as {field: [before, after]}.
    """
    await entries.add_entry(
        transaction,
        officer_id=actor.officer_id,
        through=actor.through,
        unit_code=unit,
        action=action,
        object_kind=about[0],
        object_id=about[1],
        address=actor.address,
        request_id=actor.request_id,
        details=msgspec.json.encode(details).decode(),
    )


def fingerprint(key: bytes, value: str | None) -> str | None:
    """A personal value as the record may hold it: equal values have equal fingerprints, and nobody can go back.

    `key` is the current key of `kit.keys` named `record`.
    """
    return None if value is None else "hmac:" + hmac.digest(key, value.encode(), "sha256")[:16].hex()
