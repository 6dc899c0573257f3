"""The pages on which a candidate looks up a score: the exams, the form, the countdown, the card."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bodies import read_fields
from kit.errors import InvalidForm
from kit.locale import locale_of
from kit.pages import Pages
from lookup.catalogue import Catalogue
from lookup.exams import Exam
from lookup.gate.gate import Gate
from lookup.gate.route_guards import admit_address, find_admitted, visit_of
from lookup.questions import read_question
from lookup.score_card import write_card
from lookup.scores import ResultNotFound, ScoreDesk
from units.portals import require_known_origin

_LIST = ["/tra-cuu/diem-thi", "/en/tra-cuu/diem-thi"]
_EXAM = ["/tra-cuu/diem-thi/{exam_code:str}", "/en/tra-cuu/diem-thi/{exam_code:str}"]
_FIELDS = ("candidate_number", "birth_date", "pin")


@get(_LIST, include_in_schema=False)
async def list_exams_page(
    request: Request,
    catalogue: NamedDependency[Catalogue],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """All exams: open ones, coming ones, and what became of the others."""
    return pages.render(request, "lookup/exam_list.html", unit=catalogue.root_unit, now=now, exams=catalogue.exams())


@get(_EXAM, include_in_schema=False)
async def show_form(
    request: Request,
    exam_code: FromPath[str],
    catalogue: NamedDependency[Catalogue],
    pages: NamedDependency[Pages],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The form; before the moment a countdown that becomes it; after a withdrawal the sentence that says so."""
    exam = catalogue.find(exam_code)
    template = {"open": "score_form", "sealed": "countdown", "withdrawn": "withdrawn"}[exam.state(now)]
    return _page(request, pages, f"lookup/{template}.html", exam, now)


@post(_EXAM, status_code=200, include_in_schema=False, guards=[admit_address, require_known_origin])
async def look_up(
    request: Request,
    exam_code: FromPath[str],
    catalogue: NamedDependency[Catalogue],
    pages: NamedDependency[Pages],
    desk: NamedDependency[ScoreDesk],
    gate: NamedDependency[Gate],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The card for whoever typed the right facts, or the form again with what was typed still in it."""
    exam = catalogue.find(exam_code)
    typed = await read_fields(request)
    try:
        visit = visit_of(request, exam, read_question(exam, typed), now, typed)
        result = await find_admitted(gate, desk, visit)
    except InvalidForm as refused:
        return _page(
            request, pages, "lookup/score_form.html", exam, now, typed=typed, errors=refused.errors, status=422
        )
    except ResultNotFound:
        return _page(request, pages, "lookup/score_not_found.html", exam, now, typed=typed, status=404)
    card = write_card(exam, result, locale_of(request.scope["path"]), now)
    return _page(request, pages, "lookup/score_result.html", exam, now, card=card)


def _page(
    request: Request,
    pages: Pages,
    template: str,
    exam: Exam,
    now: datetime,
    *,
    status: int = 200,
    typed: Mapping[str, Any] | None = None,
    errors: list | None = None,
    **context: Any,
) -> Response[bytes]:
    return pages.render(
        request, template, status=status, **page_facts(exam, now, typed=typed, errors=errors), **context
    )


def page_facts(
    exam: Exam, now: datetime, *, typed: Mapping[str, Any] | None = None, errors: list | None = None
) -> dict[str, Any]:
    """What every page of an exam is told."""
    return {
        "unit": exam.unit,
        "now": now,
        "exam": exam,
        "number_example": exam.numbers.example,
        "form": {"values": {field: as_typed(typed or {}, field) for field in _FIELDS}, "errors": errors or []},
    }


def as_typed(typed: Mapping[str, Any], field: str) -> str:
    """What stands in a field again, cut where nobody means more."""
    return str(typed.get(field) or "")[:64]


def form_address(exam: Exam) -> str:
    """Where an exam's form is, in Vietnamese."""
    return f"/tra-cuu/diem-thi/{exam.code}"


page_routes = [list_exams_page, show_form, look_up]
