"""What the OpenAPI document says beyond the handlers' signatures: bodies read by hand, and every problem."""

from dataclasses import dataclass
from decimal import Decimal

from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition

from kit.problem_details import Problem

_TEXT = {"type": OpenAPIType.STRING, "max_length": 64}
_QUESTION = Schema(
    type=OpenAPIType.OBJECT,
    required=["candidate_number"],
    properties={
        "candidate_number": Schema(
            **_TEXT, description="As printed; blanks and dots are harmless.", examples=["99000001"]
        ),
        "birth_date": Schema(
            **_TEXT, description="Policy birth-date: ISO, or day first.", examples=["2010-02-01", "1/2/2010"]
        ),
        "pin": Schema(**_TEXT, description="Policy pin: the code that the unit gave out.", examples=["7K2M9QXA4D"]),
        "challenge": Schema(
            **_TEXT,
            description="Only after a 429 `challenge`: the `challenge` of that answer, for the same question.",
            examples=["AA0AAAAAakNfP1cvYmPv2Ns5uU1nqZ0pX3cC9T4h"],
        ),
        "solution": Schema(
            type=OpenAPIType.STRING,
            max_length=120,
            description="`count` different whole numbers, joined by dots, for each of which SHA-256 of the text"
            " `challenge.number` begins with `difficulty` zero bits. Good once, until `expires_at`, under every"
            " policy.",
            examples=["1873.6021.9954.20417.31188.40092.52871.66410"],
        ),
    },
)


@dataclass
class LookUpOperation(Operation):
    """A lookup takes JSON, or a form so that a portal's page needs no preflight."""

    def __post_init__(self) -> None:
        body = OpenAPIMediaType(schema=_QUESTION)
        self.request_body = RequestBody(
            required=True, content={"application/json": body, "application/x-www-form-urlencoded": body}
        )


class DecimalIsNumber(OpenAPISchemaPlugin):
    """Scores go out as JSON numbers (`8.50`); Litestar would document them as strings."""

    @staticmethod
    def is_plugin_supported_type(value: object) -> bool:
        """Whether it is `Decimal`."""
        return value is Decimal

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:  # noqa: ARG002
        """A number."""
        return Schema(type=OpenAPIType.NUMBER)


def _problem(description: str) -> ResponseSpec:
    return ResponseSpec(
        Problem, description=description, media_type="application/problem+json", generate_examples=False
    )


BUSY_PROBLEMS = {
    400: _problem("`bad_request`: the request cannot be read."),
    429: _problem("Too many requests; `Retry-After` says when to come back."),
    503: _problem("The service cannot answer at the moment; `Retry-After` says when to come back."),
}
EXAM_PROBLEMS = {404: _problem("`exam_not_found`."), **BUSY_PROBLEMS}
_CHALLENGED = _problem(
    "Too many requests; `Retry-After` says when to come back. Or `challenge`: this lookup looks like one of many; solve"
    " what the answer asks for, and POST the question with the solution."
)
READ_PROBLEMS = {
    403: _problem("`factor_required`: results of this exam need a second fact."),
    404: _problem("`result_not_found`, whatever the cause; or `exam_not_found`."),
    422: _problem("`invalid_form`: the number is not one of this exam's format."),
    **BUSY_PROBLEMS,
    429: _CHALLENGED,
}
LOOKUP_PROBLEMS = {
    **BUSY_PROBLEMS,
    429: _CHALLENGED,
    400: _problem("`malformed_body`: not what its Content-Type says."),
    403: _problem("`portal_not_registered`: a page of a site that no unit has registered."),
    404: _problem("`result_not_found`: not released, unknown, withdrawn or wrong fact; or `exam_not_found`."),
    413: _problem("`payload_too_large`."),
    415: _problem("`unsupported_media_type`: neither JSON nor a form."),
    422: _problem("`invalid_form`, with every mistake in `errors`."),
}
