"""The officers' area, `/can-bo`: every page of every package behind one door."""

from litestar import Router
from litestar.types import ControllerRouterHandler

from lookup.exam_desk_routes import officer_routes as exam_routes
from server.caught_mail import caught_mail_routes
from units.approvals import approval_pages, deputy_pages
from units.approvals.waiting import count_what_waits
from units.desk import unit_change_page, unit_desk_page
from units.officers import (
    account_page,
    first_steps_page,
    home_page,
    recovery_page,
    sign_in_page,
    staff_changes_page,
    staff_details_page,
    staff_page,
)
from units.officers.doorkeeper import require_session
from units.record import record_page

# What one can do before signing in.
_OPEN: list[ControllerRouterHandler] = [
    *sign_in_page.open_routes,
    *recovery_page.open_routes,
    *first_steps_page.open_routes,
    *caught_mail_routes,
]
_BEHIND_THE_DOOR: list[ControllerRouterHandler] = [
    *exam_routes,
    *sign_in_page.officer_routes,
    *account_page.officer_routes,
    *home_page.officer_routes,
    *approval_pages.officer_routes,
    *deputy_pages.officer_routes,
    *record_page.officer_routes,
    *staff_page.officer_routes,
    *staff_details_page.officer_routes,
    *staff_changes_page.officer_routes,
    *unit_desk_page.officer_routes,
    *unit_change_page.officer_routes,
]


def officers_routes() -> list[ControllerRouterHandler]:
    """All routes of the officers' area."""
    return [
        *_OPEN,
        Router(
            "/can-bo",
            route_handlers=_BEHIND_THE_DOOR,
            guards=[require_session, count_what_waits],
            include_in_schema=False,
        ),
    ]
