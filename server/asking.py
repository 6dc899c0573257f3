"""Which request is a plain lookup, and what of it matters: its path, a few headers, a short body."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from litestar._asgi.utils import is_valid_host

from kit.bounded import Bounded
from kit.locale import Locale

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_PATHS = re.compile(r"/api/v1/exams/([^/]+)/results(?:/([^/]+))?|(/en)?/tra-cuu/diem-thi/([^/]+)")
_RESULT, _RESULTS = "/api/v1/exams/{exam_code}/results/{candidate_number}", "/api/v1/exams/{exam_code}/results"
_PAGE: dict[Locale, str] = {"vi": "/tra-cuu/diem-thi/{exam_code}", "en": "/en/tra-cuu/diem-thi/{exam_code}"}
_READS = frozenset({"GET", "HEAD"})

_WANTED = frozenset(
    {b"host", b"origin", b"sec-fetch-site", b"accept-encoding", b"content-type", b"content-length", b"if-none-match"}
)
_MOST_HOSTS = 256
_hosts = Bounded[bytes, bool](_MOST_HOSTS, is_valid_host)


class Route(NamedTuple):
    """A route of a lookup, by its pattern. `number` stands in the address, or the question comes in the body."""

    pattern: str
    exam_code: str
    number: str | None = None
    is_page: bool = False
    locale: Locale = "vi"
    is_form: bool = False

    @property
    def has_body(self) -> bool:
        """Whether what is asked comes in the body."""
        return self.number is None and not self.is_form


def find_route(scope: Scope) -> Route | None:
    """The route of a request that may be answered in front; None for all others, however like it they look."""
    match = _PATHS.fullmatch(scope["path"])
    if match is None or scope.get("root_path"):
        return None
    exam_code, number, english, page_code = match.groups()
    reads = scope["method"] in _READS
    if not reads and scope["method"] != "POST":
        return None
    if page_code:
        locale: Locale = "en" if english else "vi"
        return Route(_PAGE[locale], page_code, is_page=True, locale=locale, is_form=reads)
    if reads == (number is None):
        return None
    return Route(_RESULT if reads else _RESULTS, exam_code, number)


class Told(NamedTuple):
    """The headers that matter to a lookup: of several with one name the first, but all of `origin`."""

    host: bytes
    origins: list[str]
    fetch_site: bytes
    content_type: bytes
    content_length: bytes
    takes_gzip: bool
    if_none_match: list[str]


def read_headers(headers: list[tuple[bytes, bytes]]) -> Told | None:
    """None where the request names a host that none is."""
    found = {name: value for name, value in reversed(headers) if name in _WANTED}
    host = found.get(b"host", b"")
    if not _hosts[host]:
        return None
    return Told(
        host,
        _all(headers, b"origin") if b"origin" in found else [],
        found.get(b"sec-fetch-site", b""),
        found.get(b"content-type", b""),
        found.get(b"content-length", b""),
        b"gzip" in found.get(b"accept-encoding", b""),
        _all(headers, b"if-none-match") if b"if-none-match" in found else [],
    )


def _all(headers: list[tuple[bytes, bytes]], wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name == wanted]


class Body(NamedTuple):
    """A body as far as it was read: `whole` is None where it is longer than a lookup's, or never ended."""

    whole: bytes | None
    receive: Receive


async def read_body(receive: Receive, longest: int) -> Body:
    """Read a body of at most `longest` bytes; its `receive` gives it to somebody else once more."""
    messages: list[Message] = []
    body = b""
    while True:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or len(body) > longest:
            return Body(None, _again(messages, receive))
        if not message.get("more_body"):
            return Body(body, _again(messages, receive))


def _again(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def receive_again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return receive_again
