"""One place turns errors into pages for people and problem details for programs."""

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from kit.errors import DomainError, InvalidForm, ServiceUnavailable
from kit.pages import Pages
from kit.problem_details import FieldProblem, Problem
from units.units import Unit

log = structlog.get_logger()

# Litestar's own refusals, by status; the rest are `bad_request`.
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "payload_too_large", 415: "unsupported_media_type"}
_CLIENT_ERRORS = range(400, 500)
_FOR_PROGRAMS = ("/api/", "/schema", "/healthz", "/readyz", "/metrics")

# Who signs a page when PostgreSQL has not yet said who runs this service.
_NOBODY_YET = Unit(
    "", "department", "Báo Danh", "Báo Danh", "Báo Danh", None, None, None, "", "", "", "", "", None
)  # fmt: skip


class RequestRefused(DomainError):
    """What Litestar refused before any of our code saw it."""

    def __init__(self, refused: HTTPException) -> None:
        # The word and the status of this one are known only when it happens.
        allow = {name: value for name, value in (refused.headers or {}).items() if name.lower() == "allow"}
        super().__init__(headers=allow)
        self.code = _CODES.get(refused.status_code, "bad_request")
        self.status = refused.status_code


class UnstorableText(DomainError):
    """PostgreSQL holds no text with this sign in it (U+0000), so nothing is called so."""

    code = "bad_request"
    status = 400


class InternalError(DomainError):
    """Our mistake; the log has it, the answer does not."""

    code = "internal_error"
    status = 500


def answer_domain_error(request: Request, problem: DomainError) -> Response:
    """The page or problem details for an error that has a word."""
    pages: Pages = request.app.state.pages
    if request.scope["path"].startswith(_FOR_PROGRAMS):
        return _details(pages, request, problem)
    # A page's own `unit` is who signs it, whatever a fact of this name (the code that nobody has) is for programs.
    frame = {"unit": _unit(request), "now": request.app.state.clock()}
    return pages.render_problem(
        request,
        problem.code,
        status=problem.status,
        headers=problem.headers,
        # Officers keep their navigation (`problems/officer_problem.html`).
        session=request.state.get("session"),
        **(problem.facts | frame),
    )


def answer_http_exception(request: Request, refused: HTTPException) -> Response:
    """What the framework refused: unknown address, wrong method, a body that is too large."""
    if refused.status_code not in _CLIENT_ERRORS:
        return answer_unexpected(request, refused)
    return answer_domain_error(request, RequestRefused(refused))


def answer_unreachable(request: Request, _: Exception) -> Response:
    """PostgreSQL cannot be reached: say so at once, and when to come back."""
    log.warning("postgresql_unreachable", route=request.scope.get("path_template"))
    return answer_domain_error(request, ServiceUnavailable())


def answer_unstorable(request: Request, _: Exception) -> Response:
    """A visitor wrote what no text of ours can hold, in an address or in a form."""
    return answer_domain_error(request, UnstorableText())


def answer_unexpected(request: Request, problem: Exception) -> Response:
    """A mistake of ours: logged with where it happened and without what was asked."""
    log.error("unexpected_error", route=request.scope.get("path_template"), exc_info=problem)
    return answer_domain_error(request, InternalError())


EXCEPTION_HANDLERS = {
    DomainError: answer_domain_error,
    HTTPException: answer_http_exception,
    # A missing socket, a refused connection and a timeout are all OSErrors.
    OSError: answer_unreachable,
    asyncpg.PostgresConnectionError: answer_unreachable,
    asyncpg.OperatorInterventionError: answer_unreachable,
    asyncpg.InsufficientResourcesError: answer_unreachable,
    asyncpg.InterfaceError: answer_unreachable,
    # As text, and within JSON.
    asyncpg.CharacterNotInRepertoireError: answer_unstorable,
    asyncpg.UntranslatableCharacterError: answer_unstorable,
    Exception: answer_unexpected,
}


def _details(pages: Pages, request: Request, problem: DomainError) -> Response:
    title, detail = pages.sentence("vi", problem.code, **problem.facts)
    content = Problem(
        type=f"urn:baodanh:problem:{problem.code}",
        title=title,
        status=problem.status,
        detail=detail,
        code=problem.code,
        errors=_field_problems(pages, problem),
        **problem.members,
    )
    headers = {"Cache-Control": "no-store"} | problem.headers
    if request.method == "GET":
        headers["Access-Control-Allow-Origin"] = "*"
    return Response(
        msgspec.json.encode(content),
        status_code=problem.status,
        media_type="application/problem+json",
        headers=headers,
    )


def _field_problems(pages: Pages, problem: DomainError) -> list[FieldProblem] | msgspec.UnsetType:
    if not isinstance(problem, InvalidForm):
        return msgspec.UNSET
    return [FieldProblem(error.field, error.code, pages.field_sentence("vi", error)) for error in problem.errors]


def _unit(request: Request) -> Unit:
    try:
        return request.app.state.catalogue.root_unit
    except ServiceUnavailable:
        return _NOBODY_YET
