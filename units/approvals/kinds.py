"""Kinds of things that become public: each says what would change, and how it takes effect."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import asyncpg
import msgspec

from units.record.entries import Actor


class Difference(msgspec.Struct, frozen=True):
    """One line of what changes for the public: what it is called, what is there now, what will be there."""

    what: str
    before: str
    after: str


class Preview(msgspec.Struct, frozen=True):
    """What will change for the public, as the second person reads it: Vietnamese, complete, counted.

    `facts` are pairs of name and text; `differences` stand in a table; `warnings` must not be missed; `extra` is for
    the kind's own template (`templates/approvals/<kind>.html`), included if it exists. Never personal data.
    """

    title: str
    facts: list[tuple[str, str]] = []
    differences: list[Difference] = []
    warnings: list[str] = []
    extra: dict[str, Any] = {}


class Prepared(msgspec.Struct, frozen=True):
    """What a kind makes of a payload when it is handed in."""

    preview: Preview
    # Ids of the officers whose work it is, besides the one who hands it in.
    prepared_by: list[str] = []


# Litestar checks what it hands to a route.
@runtime_checkable
class ApprovalKind(Protocol):
    """A kind, by its name (`exam-release`). All calls run in the caller's transaction.

    A kind may have `wishes`, words for what the approver can ask for with the approval (`approvals/<kind>-wishes.html`
    has a box for each). What was asked for comes to `take_effect` as the payload's `wishes`.
    """

    name: str
    # Of the thing, for lists: "Công bố kết quả thi".
    title: str

    async def prepare(self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any]) -> Prepared:
        """What would become public; raises a DomainError when nothing can.

        Asked again at every look and before approval: the same data must give the same preview, whatever the time.
        """
        ...

    async def take_effect(
        self,
        transaction: asyncpg.Connection,
        about: str,
        payload: dict[str, Any],
        takes_effect_at: datetime | None,
        actor: Actor,
        now: datetime,
    ) -> None:
        """Make exactly the payload public at that moment (None or past: now).

        Raises a DomainError when it cannot be any more; then nothing was approved.
        """
        ...

    async def take_back(
        self, transaction: asyncpg.Connection, about: str, payload: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        """Undo an approved thing whose moment has not come."""
        ...

    def address(self, about: str) -> str:
        """The officers' page of the object."""
        ...


Kinds = Mapping[str, ApprovalKind]
