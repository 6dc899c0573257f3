"""Exams and results as JSON, for portals, apps and whoever builds on them."""

from datetime import datetime
from typing import Annotated, TypeVar, cast

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from kit.bodies import read_fields
from kit.errors import DomainError
from kit.etags import etag_of, is_known
from lookup import exam_json
from lookup.catalogue import Catalogue
from lookup.exam_json import ExamDetails, ExamSummary, ResultAnswer
from lookup.gate.gate import Gate
from lookup.gate.route_guards import admit_address, find_admitted, visit_of
from lookup.openapi import BUSY_PROBLEMS, EXAM_PROBLEMS, LOOKUP_PROBLEMS, READ_PROBLEMS, LookUpOperation
from lookup.questions import read_question
from lookup.scores import ScoreDesk
from units.portals import require_known_origin

Shape = TypeVar("Shape")

ExamCode = Annotated[str, PathParameter(description="Code of the exam, as in the list of exams.")]
CandidateNumber = Annotated[
    str, PathParameter(description="As printed on the exam notice; blanks and dots are harmless.")
]

# Public facts may be read by any page; the answers themselves carry no cookie and no secret.
_OPEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
_PRIVATE = {"Cache-Control": "no-store"}
# Long enough for a CDN to carry the peak, short enough that a withdrawal is soon everywhere.
_PUBLIC_RESULT = {"Access-Control-Allow-Origin": "*", "Cache-Control": "public, max-age=30"}


class FactorRequired(DomainError):
    """Results of this exam are not found by number alone: POST the second fact."""

    code = "factor_required"
    status = 403


def _json(content: Shape, headers: dict[str, str]) -> Response[Shape]:
    answer = Response(exam_json.encode(content), media_type="application/json", headers=headers)
    return cast("Response[Shape]", answer)


def _shared(body: bytes, request: Request) -> Response[ResultAnswer]:
    """An answer that caches may keep: whoever has it already is told so."""
    etag = etag_of(body)
    headers = _PUBLIC_RESULT | {"ETag": etag}
    answer = Response(body, media_type="application/json", headers=headers)
    if is_known(etag, request.headers.getall("if-none-match", [])):
        answer = Response(None, status_code=304, headers=headers)
    return cast("Response[ResultAnswer]", answer)


@get(
    "/api/v1/exams",
    guards=[admit_address],
    tags=["exams"],
    summary="All exams",
    responses=BUSY_PROBLEMS,
)
async def list_exams(
    catalogue: NamedDependency[Catalogue], now: NamedDependency[datetime]
) -> Response[list[ExamSummary]]:
    """Every exam, the newest year first, with its state and the moment it opens."""
    return _json([exam_json.summarise(exam, now) for exam in catalogue.exams()], _OPEN)


@get(
    "/api/v1/exams/{exam_code:str}",
    guards=[admit_address],
    tags=["exams"],
    summary="One exam",
    responses=EXAM_PROBLEMS,
)
async def show_exam(
    exam_code: ExamCode, catalogue: NamedDependency[Catalogue], now: NamedDependency[datetime]
) -> Response[ExamDetails]:
    """One exam with its number format, the second fact it asks for, its papers and, once open, their distributions."""
    return _json(exam_json.describe(catalogue.find(exam_code), now), _OPEN)


@get(
    "/api/v1/exams/{exam_code:str}/results/{candidate_number:str}",
    guards=[admit_address],
    tags=["results"],
    summary="A result by candidate number (policy `public`)",
    responses=READ_PROBLEMS,
)
async def read_result(
    exam_code: ExamCode,
    candidate_number: CandidateNumber,
    request: Request,
    catalogue: NamedDependency[Catalogue],
    desk: NamedDependency[ScoreDesk],
    gate: NamedDependency[Gate],
    now: NamedDependency[datetime],
) -> Response[ResultAnswer]:
    """Scores alone, for exams whose unit publishes them by number: never a name, never a birth date."""
    exam = catalogue.find(exam_code)
    if exam.policy != "public":
        raise FactorRequired
    question = read_question(exam, {"candidate_number": candidate_number})
    result = await find_admitted(gate, desk, visit_of(request, exam, question, now))
    return _shared(exam_json.encode(exam_json.answer(exam, result)), request)


@post(
    "/api/v1/exams/{exam_code:str}/results",
    status_code=200,
    guards=[admit_address, require_known_origin],
    tags=["results"],
    summary="A result by candidate number and second fact",
    operation_class=LookUpOperation,
    responses=LOOKUP_PROBLEMS,
)
async def look_up_result(
    exam_code: ExamCode,
    request: Request,
    catalogue: NamedDependency[Catalogue],
    desk: NamedDependency[ScoreDesk],
    gate: NamedDependency[Gate],
    now: NamedDependency[datetime],
) -> Response[ResultAnswer]:
    """The result of whoever knows the second fact. Every refusal looks the same: not released, unknown, wrong fact."""
    exam = catalogue.find(exam_code)
    typed = await read_fields(request)
    visit = visit_of(request, exam, read_question(exam, typed), now, typed)
    result = await find_admitted(gate, desk, visit)
    return _json(exam_json.answer(exam, result), _PRIVATE)


api_routes = [list_exams, show_exam, read_result, look_up_result]
