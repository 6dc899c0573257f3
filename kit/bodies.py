"""What came in the body of a request: JSON or a form, read into plain fields, never a surprise further in."""

from typing import Any, Literal
from urllib.parse import parse_qsl

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException

from kit.errors import DomainError

_MOST_FIELDS = 200

Kind = Literal["application/json", "application/x-www-form-urlencoded"]


class MalformedBody(DomainError):
    """The body is not what its Content-Type says."""

    code = "malformed_body"
    status = 400


class UnsupportedBody(DomainError):
    """The body's Content-Type is neither JSON nor a form."""

    code = "unsupported_media_type"
    status = 415


async def read_fields(request: Request) -> dict[str, Any]:
    """The fields of a JSON object or of a URL-encoded form; a field given twice counts with its last value.

    Raises MalformedBody or UnsupportedBody. The size is bounded by the application (`request_max_body_size`).
    """
    kind = kind_of(request.headers.get("content-type", ""))
    return parse_fields(kind, await _body(request))


def kind_of(content_type: str) -> Kind:
    """What a Content-Type promises. Raises UnsupportedBody."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/x-www-form-urlencoded"):
        raise UnsupportedBody
    return kind


def parse_fields(kind: Kind, body: bytes) -> dict[str, Any]:
    """The fields of a whole body. Raises MalformedBody."""
    return _read_json(body) if kind == "application/json" else _read_form(body)


async def _body(request: Request) -> bytes:
    try:
        return await request.body()
    except InternalServerException:
        # Litestar's word for a visitor who hung up in the middle: nobody's fault, and nobody hears the answer.
        raise MalformedBody from None


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise MalformedBody from None
    if not isinstance(fields, dict):
        raise MalformedBody
    return fields


def _read_form(body: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise MalformedBody from None
