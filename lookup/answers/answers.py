"""What somebody asks about a result, and the bytes that answer it, whichever server carries them."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from kit.etags import etag_of, is_known
from kit.locale import Locale
from kit.pieces import Piece, gzip, join
from lookup.answers.view import ExamView
from lookup.scores import Question, ResultNotFound
from lookup.sealed.vault import OpenRelease

Headers = list[tuple[bytes, bytes]]

# Shorter ones are not worth it.
SHORTEST_COMPRESSED = 1000
# Of an answer in JSON with very many papers; pages consist of pieces that are compressed already.
_LEVEL = 6

_OPEN = (b"access-control-allow-origin", b"*")
_PRIVATE = (b"cache-control", b"no-store")
# Long enough for a CDN to carry the peak, short enough that a withdrawal is soon everywhere.
_SHARED = (b"cache-control", b"public, max-age=30")
_JSON = (b"content-type", b"application/json")
_HTML = (b"content-type", b"text/html; charset=utf-8")
_LANGUAGE: dict[Locale, tuple[bytes, bytes]] = {
    "vi": (b"content-language", b"vi"),
    "en": (b"content-language", b"en"),
}
_GZIP = [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]


class Ask(msgspec.Struct, frozen=True):
    """A question and how it came.

    `is_read`: by a GET whose answer others may keep; `is_page`: by a browser, in `locale`, which sees again what was
    `typed`. `if_none_match` are the header's lines.
    """

    question: Question
    now: datetime
    is_read: bool = False
    is_page: bool = False
    locale: Locale = "vi"
    typed: Mapping[str, Any] = {}
    takes_gzip: bool = False
    if_none_match: Sequence[str] = ()


class Answer(msgspec.Struct, frozen=True):
    """Status, headers (lower case, with their length, without those that every answer has) and body."""

    status: int
    headers: Headers
    body: bytes


def answer(view: ExamView, shown: OpenRelease | None, ask: Ask) -> Answer:
    """The answer; a page says 404 where there is no result. `shown` is the open release, None before the moment.

    Raises ResultNotFound where a program asks, BundleBroken.
    """
    record = shown.find(ask.question) if shown else None
    if ask.is_page:
        if shown is None or record is None:
            return _page(404, view.form.write_refusal(ask.typed, ask.locale), ask.locale, ask.takes_gzip)
        card = view.card(shown, ask.now).write(record, ask.locale, ask.now)
        return _page(200, card, ask.locale, ask.takes_gzip)
    if shown is None or record is None:
        raise ResultNotFound
    body = view.json(shown).write(record)
    return _shared(body, ask) if ask.is_read else _json(body, [_JSON, _PRIVATE], ask.takes_gzip)


def form_page(view: ExamView, locale: Locale, now: datetime, *, takes_gzip: bool) -> Answer:
    """The empty form of an exam that is open at `now`."""
    return _page(200, view.form.write_form(locale, now), locale, takes_gzip)


def _shared(body: bytes, ask: Ask) -> Answer:
    etag = etag_of(body)
    told = [_OPEN, _SHARED, (b"etag", etag.encode())]
    if ask.if_none_match and is_known(etag, ask.if_none_match):
        return Answer(304, told, b"")
    return _json(body, [_JSON, *told], ask.takes_gzip)


def _json(body: bytes, headers: Headers, takes_gzip: bool) -> Answer:
    if takes_gzip and len(body) >= SHORTEST_COMPRESSED:
        return _sized(200, headers + _GZIP, zlib.compress(body, _LEVEL, wbits=31))
    return _sized(200, headers, body)


def _page(status: int, pieces: Sequence[Piece], locale: Locale, takes_gzip: bool) -> Answer:
    body, headers = join(pieces), [_HTML, _PRIVATE, _LANGUAGE[locale]]
    if takes_gzip and len(body) >= SHORTEST_COMPRESSED:
        return _sized(status, headers + _GZIP, gzip(pieces, body))
    return _sized(status, headers, body)


def _sized(status: int, headers: Headers, body: bytes) -> Answer:
    headers.append((b"content-length", b"%d" % len(body)))
    return Answer(status, headers, body)
