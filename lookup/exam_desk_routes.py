"""All of the officers' pages about exams."""

from litestar.types import ControllerRouterHandler

from lookup.exam_desk import exam_routes
from lookup.exam_desk_announcement import announcement_routes
from lookup.exam_desk_files import file_routes
from lookup.exam_desk_forms import exam_form_routes
from lookup.exam_desk_nodes import node_routes
from lookup.exam_desk_rates import rate_routes
from lookup.exam_desk_reading import file_reading_routes
from lookup.exam_desk_release import release_routes
from lookup.exam_desk_sightings import sighting_routes
from lookup.exam_desk_withdrawal import withdrawal_routes

officer_routes: list[ControllerRouterHandler] = [
    *exam_routes,
    *exam_form_routes,
    *file_routes,
    *file_reading_routes,
    *release_routes,
    *withdrawal_routes,
    *node_routes,
    *announcement_routes,
    *rate_routes,
    *sighting_routes,
]
