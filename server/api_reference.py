"""The API as a page to read: every operation of the OpenAPI document, with examples that run against this server."""

import json
import shlex
from collections.abc import Callable
from datetime import datetime
from importlib.resources import as_file, files
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from kit.locale import Locale, locale_of, read_words
from kit.pages import Pages
from lookup.catalogue import Catalogue
from lookup.exams import Exam

_DOCUMENTED = "/api/"
# The demo's public exam: its first number exists, so there the examples give an answer.
_DEMO, _DEMO_NUMBER = "demo-thpt", "99000001"
_DAY = "2010-02-01"
_PIN = "7K2M9QXA4D"


class Fact(msgspec.Struct, frozen=True):
    """A parameter or field. `shape` is the name of its own shape, if it has one; `values` are all it can be.

    `nullable`: it is always there, and may be null. What may be left out is left out instead.
    """

    name: str
    kind: str
    required: bool
    nullable: bool
    description: str
    shape: str | None
    values: list[str]


class Answer(msgspec.Struct, frozen=True):
    """What may come back: a status, when, and the shape of a good answer."""

    status: str
    description: str
    kind: str
    shape: str | None


class Operation(msgspec.Struct, frozen=True):
    """One method of one address, and a command that tries it."""

    anchor: str
    method: str
    address: str
    summary: str
    description: str
    parameters: list[Fact]
    fields: list[Fact]
    answers: list[Answer]
    example: str


class Example(msgspec.Struct, frozen=True):
    """What stands in the examples: an exam of this server, a number of its format, and a body to post."""

    exam_code: str
    number: str
    body: dict[str, str]


@get(["/tai-lieu/api", "/en/tai-lieu/api"], include_in_schema=False)
async def show_api_reference(
    request: Request,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """The operations, the shapes they answer in, and the rules that hold for all of them."""
    schema = request.app.openapi_schema.to_schema()
    reader = Reader(schema, words_for(locale_of(request.scope["path"])))
    base = request.app.state.get("public_url") or f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    exams = [exam for exam in catalogue.exams() if exam.state(now) == "open"]
    return pages.render(
        request,
        "server/api_reference.html",
        unit=catalogue.root_unit,
        now=now,
        base=base,
        operations=reader.operations(base, exams),
        shapes=reader.shapes(),
    )


def words_for(locale: Locale) -> Callable[[str], str]:
    """The document is in English; for the Vietnamese page its sentences are looked up in a PO file."""
    if locale == "en":
        return str
    with as_file(files("server").joinpath("data/api.vi.po")) as path:
        return read_words(path)


class Reader:
    """Reads an OpenAPI document as far as a page tells it; `words` puts its sentences into the page's language."""

    def __init__(self, schema: dict[str, Any], words: Callable[[str], str]) -> None:
        self.schema, self.words = schema, words

    def operations(self, base: str, exams: list[Exam]) -> list[Operation]:
        """Every documented operation, in the document's order."""
        return [
            self._operation(base, exams, address, method, operation)
            for address, methods in self.schema["paths"].items()
            if address.startswith(_DOCUMENTED)
            for method, operation in methods.items()
        ]

    def shapes(self) -> list[tuple[str, list[Fact]]]:
        """Every named shape with its fields, by name."""
        named = sorted(self.schema["components"]["schemas"].items())
        return [(name, self._fields(shape)) for name, shape in named if shape.get("properties")]

    def _operation(self, base: str, exams: list[Exam], address: str, method: str, operation: dict) -> Operation:
        body = next(iter(operation.get("requestBody", {}).get("content", {}).values()), {})
        return Operation(
            anchor=operation["operationId"],
            method=method.upper(),
            address=address,
            summary=self.words(operation["summary"]),
            description=self.words(operation.get("description", "")),
            parameters=[
                self._fact(each["name"], each, each["schema"], each["required"])
                for each in operation.get("parameters", [])
            ],
            fields=self._fields(body.get("schema", {})),
            answers=self._answers(operation["responses"]),
            example=_command(base, method, address, choose_example(exams, method)),
        )

    def _answers(self, responses: dict[str, dict]) -> list[Answer]:
        answers = []
        for status, response in sorted(responses.items()):
            kind, shape, _ = _kind(next(iter(response["content"].values()))["schema"])
            description = "" if status.startswith("2") else self.words(response["description"])
            answers.append(Answer(status, description, kind, shape))
        return answers

    def _fields(self, shape: dict) -> list[Fact]:
        required = shape.get("required", [])
        properties = shape.get("properties", {}).items()
        return [self._fact(name, field, field, name in required) for name, field in properties]

    def _fact(self, name: str, described: dict, schema: dict, required: bool) -> Fact:
        kind, shape, values = _kind(schema)
        description = self.words(described.get("description", ""))
        return Fact(name, kind, required, required and _allows_null(schema), description, shape, values)


def choose_example(exams: list[Exam], method: str) -> Example:
    """An open exam that shows the method best: by number alone for GET, with a second fact for POST."""
    wanted = ["public"] if method == "get" else ["birth-date", "pin", "public"]
    fitting = [exam for policy in wanted for exam in exams if exam.policy == policy]
    exam = next((exam for exam in fitting if exam.code == _DEMO), fitting[0] if fitting else None)
    if exam is None or exam.code == _DEMO:
        return Example(_DEMO, _DEMO_NUMBER, {"candidate_number": _DEMO_NUMBER})
    second = {"birth-date": {"birth_date": _DAY}, "pin": {"pin": _PIN}}.get(exam.policy, {})
    return Example(exam.code, exam.numbers.example, {"candidate_number": exam.numbers.example} | second)


def _command(base: str, method: str, address: str, example: Example) -> str:
    url = base + address.format(exam_code=example.exam_code, candidate_number=example.number)
    if method == "get":
        return shlex.join(["curl", url])
    return shlex.join(["curl", url, "-H", "Content-Type: application/json", "-d", json.dumps(example.body)])


def _allows_null(schema: dict) -> bool:
    return "null" in schema.get("type", ()) or {"type": "null"} in schema.get("oneOf", ())


def _kind(schema: dict) -> tuple[str, str | None, list[str]]:
    """The type in a word, the name of its shape, and every value it may take."""
    choices = [each for each in schema.get("oneOf", []) if each.get("type") != "null"]
    if choices:
        return _kind(choices[0])
    if "$ref" in schema:
        return "object", schema["$ref"].rpartition("/")[2], []
    if schema.get("type") == "array":
        _, shape, _ = _kind(schema["items"])
        return "array", shape, []
    kinds = schema.get("type", "object")
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    return schema.get("format", kind), None, [value for value in schema.get("enum", []) if value is not None]


api_reference_routes = [show_api_reference]
