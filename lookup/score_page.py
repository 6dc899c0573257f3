"""The pages on which a candidate looks up a score: the exams, the form, the countdown, the card."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from kit.bodies import read_fields
from kit.errors import InvalidForm
from kit.locale import locale_of
from kit.pages import Pages
from kit.rate_limit import RateLimiter, limited
from lookup.catalogue import Catalogue
from lookup.exams import Exam
from lookup.guessing import find_guarded
from lookup.questions import read_question
from lookup.score_card import write_card
from lookup.scores import ResultNotFound, ScoreDesk
from units.portals import require_known_origin

_LIST = ["/tra-cuu/diem-thi", "/en/tra-cuu/diem-thi"]
_EXAM = ["/tra-cuu/diem-thi/{exam_code:str}", "/en/tra-cuu/diem-thi/{exam_code:str}"]


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


@post(_EXAM, status_code=200, include_in_schema=False, guards=[limited("lookup"), require_known_origin])
async def look_up(
    request: Request,
    exam_code: FromPath[str],
    catalogue: NamedDependency[Catalogue],
    pages: NamedDependency[Pages],
    desk: NamedDependency[ScoreDesk],
    limiter: NamedDependency[RateLimiter],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The card for whoever typed the right facts, or the form again with what was typed still in it."""
    exam = catalogue.find(exam_code)
    typed = await read_fields(request)
    try:
        result = await find_guarded(desk, limiter, request, exam, read_question(exam, typed), now)
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
    typed: dict[str, Any] | None = None,
    errors: list | None = None,
    **context: Any,
) -> Response[bytes]:
    values = {field: str((typed or {}).get(field) or "")[:64] for field in ("candidate_number", "birth_date", "pin")}
    return pages.render(
        request,
        template,
        status=status,
        unit=exam.unit,
        now=now,
        exam=exam,
        state=exam.state(now),
        number_example=exam.numbers.example,
        form={"values": values, "errors": errors or []},
        **context,
    )


page_routes = [list_exams_page, show_form, look_up]
