"""The gate at the routes of the framework: what the front has let through and counted is not counted again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from kit.client_address import UNKNOWN
from kit.errors import ServiceUnavailable
from lookup.exams import Exam, ExamNotFound
from lookup.gate.gate import Gate, Visit
from lookup.scores import Question, Result, ResultNotFound, ScoreDesk
from units.portals import comes_from_elsewhere

# In the scope: the front has called `Gate.admit_address` for this request. It has not called `Gate.admit`: what it
# admits it answers itself.
ADMITTED = "baodanh.admitted"

_PROOF = ("challenge", "solution", "wait")
_LONGEST_PROOF = 2000


def admit_address(connection: ASGIConnection, _: BaseRouteHandler) -> None:
    """Guard: counts a request of an address, and of a foreign site. Raises TooManyRequests."""
    if connection.scope.get(ADMITTED):
        return
    gate: Gate = connection.app.state.gate
    is_foreign = comes_from_elsewhere(connection)
    origin = connection.headers.get("origin", "") if is_foreign else ""
    gate.admit_address(_address(connection), is_foreign=is_foreign, exam=_exam(connection), origin=origin)


def visit_of(
    connection: ASGIConnection, exam: Exam, question: Question, now: datetime, typed: Mapping[str, Any] | None = None
) -> Visit:
    """A lookup as the gate looks at it; `typed`: everything that came with the question."""
    return Visit(exam, question, _address(connection), comes_from_elsewhere(connection), proof_of(typed or {}), now)


def proof_of(typed: Mapping[str, Any]) -> dict[str, str]:
    """What came with a question to solve a challenge."""
    return {field: str(typed[field])[:_LONGEST_PROOF] for field in _PROOF if field in typed}


async def find_admitted(gate: Gate, desk: ScoreDesk, visit: Visit) -> Result:
    """Ask the desk for what the gate lets through. Raises ResultNotFound, and what `Gate.admit` does."""
    gate.admit(visit)
    try:
        result = await desk.find(visit.exam, visit.question, visit.now)
    except ResultNotFound:
        gate.note(visit, found=False)
        raise
    except BaseException:
        gate.never_mind(visit)
        raise
    gate.note(visit, found=True)
    return result


def _address(connection: ASGIConnection) -> str:
    return connection.client.host if connection.client else UNKNOWN


def _exam(connection: ASGIConnection) -> Exam | None:
    code = connection.path_params.get("exam_code")
    try:
        return connection.app.state.catalogue.find(code) if code else None
    except (ExamNotFound, ServiceUnavailable):
        return None
