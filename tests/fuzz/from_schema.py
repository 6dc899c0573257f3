"""Requests that Schemathesis makes from the OpenAPI document: as it allows them, and as it forbids them."""

import contextlib
from collections.abc import Sequence

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.fuzz.by_hand import Hand
from tests.fuzz.wire import Request

_FOR_EACH_OPERATION = 400
_ANYWHERE = "http://127.0.0.1"


def requests_from_schema(document: dict, hand: Hand, exams: Sequence[str]) -> list[Request]:
    """For every operation, the same ones each time. Most ask for one of `exams`: any other is not found at once."""
    schema = schemathesis.openapi.from_dict(document)
    return [
        _as_request(case, hand)
        for operation in schema.get_all_operations()
        for mode in GenerationMode
        for case in _cases(operation.ok(), mode, exams)
    ]


def _cases(operation, mode: GenerationMode, exams: Sequence[str]) -> list[Case]:
    cases = []

    @hypothesis.settings(
        max_examples=_FOR_EACH_OPERATION,
        phases=[hypothesis.Phase.generate],
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode), st.sampled_from(exams) | st.none())
    def gather(case: Case, exam: str | None) -> None:
        if exam and "exam_code" in case.path_parameters:
            case.path_parameters["exam_code"] = exam
        cases.append(case)

    # A path that is any text and no body: nothing there that could be forbidden.
    with contextlib.suppress(hypothesis.errors.Unsatisfiable):
        gather()
    return cases


def _as_request(case: Case, hand: Hand) -> Request:
    prepared = requests.Request(**case.as_transport_kwargs(base_url=_ANYWHERE)).prepare()
    headers = [(name, value) for name, value in prepared.headers.items() if name in ("Accept", "Content-Type")]
    body = prepared.body or b""
    return hand.request(case.method, prepared.path_url, headers, body if isinstance(body, bytes) else body.encode())
