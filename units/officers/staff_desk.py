"""What every page about staff needs for one request: who asks, the units, the moment, and how to answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response

from kit.bounded_pool import BoundedPool
from kit.errors import FieldError
from kit.mail.post import Post
from units.officers.doorkeeper import read_form
from units.officers.handover import OpenWork
from units.officers.officers import Officer
from units.officers.sessions import Session
from units.officers.staff_list import Member, find_member
from units.record.entries import Actor, actor_of
from units.unit_tree import UnitTree

HOME = "/can-bo/nhan-su"


class StaffDesk(msgspec.Struct, frozen=True):
    """One request of a signed-in officer about staff. `by`, `tree`, `actor`, `post` and `now` go into every change."""

    request: Request
    session: Session
    tree: UnitTree
    pool: BoundedPool
    post: Post
    works: Sequence[OpenWork]
    now: datetime

    @property
    def viewer(self) -> Officer:
        """Who asks."""
        return self.session.officer

    @property
    def actor(self) -> Actor:
        """The same, for the record."""
        return actor_of(self.request, self.viewer.id)

    @property
    def change(self) -> dict[str, Any]:
        """What all changes of staff take, by keyword."""
        return {"by": self.viewer, "tree": self.tree, "actor": self.actor, "post": self.post, "now": self.now}

    async def fields(self) -> dict[str, str]:
        """The fields of the posted form, as text. Raises FormExpired."""
        fields = await read_form(self.request, self.session)
        return {name: str(value).strip() for name, value in fields.items()}

    async def find_member(self, officer_id: str) -> Member:
        """An officer whom the viewer may see. Raises OfficerNotFound."""
        return await find_member(self.pool, self.viewer, officer_id, self.tree)

    def show(
        self,
        template: str,
        *,
        values: dict[str, str] | None = None,
        errors: Sequence[FieldError] = (),
        **context: Any,
    ) -> Response[bytes]:
        """A page; with the mistakes of a form, if there are any, and what was typed."""
        state = self.request.app.state
        return state.pages.render(
            self.request, f"officers/{template}.html", status=422 if errors else 200, session=self.session,
            now=self.now, unit=state.catalogue.root_unit, tree=self.tree,
            form={"values": values or {}, "errors": list(errors)}, **context,
        )  # fmt: skip


def staff_desk(request: Request) -> StaffDesk:
    """The desk of a request that has passed the door."""
    state = request.app.state
    session, tree = request.state.session, state.catalogue.units
    return StaffDesk(request, session, tree, state.desk_pool, state.post, state.open_work, state.clock())
