"""How much waits for whoever opens a page: the small number beside a name in the navigation."""

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from units.approvals.lists import count_waiting_for
from units.officers.sessions import Session


async def count_what_waits(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard of the officers' pages, after `require_session`: refuses nobody, and tells the session what waits."""
    session: Session = connection.state.session
    state = connection.app.state
    waiting = await count_waiting_for(state.desk_pool, session.officer, state.catalogue.units, state.clock())
    connection.state.session = msgspec.structs.replace(session, waiting=waiting)
