"""The way a lookup is answered on the morning when everyone comes: here, from memory, before the framework wakes up.

What is no plain lookup, or cannot be answered from memory, is handed on untouched; behind are the same addresses as
ordinary routes, and whatever both can answer has the same bytes.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

import structlog
from litestar import Litestar

from kit.bodies import MalformedBody, UnsupportedBody, kind_of, parse_fields
from kit.client_address import ClientAddress
from kit.errors import DomainError, InvalidForm, ServiceUnavailable
from lookup.answers.answers import Answer, Ask, answer, form_page
from lookup.answers.view import Views
from lookup.catalogue import Catalogue
from lookup.exams import Exam, ExamNotFound
from lookup.gate.gate import Gate, Visit
from lookup.gate.route_guards import ADMITTED, proof_of
from lookup.questions import read_question
from lookup.scores import CorrectionAwaited, Question, ResultNotFound
from lookup.sealed.bundle_format import BundleBroken
from lookup.sealed.vault import OpenRelease, Vault
from server.asking import Message, Receive, Route, Scope, Told, find_route, read_body, read_headers
from server.doorway import RAW_HEADERS
from server.ready_problems import ReadyProblems
from server.tally import Sort, Tally
from units.portals import PortalNotRegistered, is_foreign

Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

_NOT_FOUND = 404
_MOST_DIGITS = 20


class _NotHere(Exception):
    """No lookup that can be answered from memory."""


class _Lookup(NamedTuple):
    """A lookup that is understood, of an exam whose answer is here; `shown` is None before the moment."""

    exam: Exam
    shown: OpenRelease | None
    question: Question
    typed: dict[str, Any]
    now: datetime


class Front:
    """Answers lookups of exams that are open here, or of which nothing may be said yet; hands on all else."""

    def __init__(self, app: Application, litestar: Litestar, client: ClientAddress, *, longest_body: int) -> None:
        self._app, self._litestar, self._client, self._longest_body = app, litestar, client, longest_body
        self._problems = ReadyProblems(litestar)
        self._views = Views(litestar.state.pages)
        self._tally = Tally()

    # They come with the application's life; looking them up there each time would cost more than what they do.
    @cached_property
    def _catalogue(self) -> Catalogue:
        return self._litestar.state.catalogue

    @cached_property
    def _vault(self) -> Vault:
        return self._litestar.state.vault

    @cached_property
    def _gate(self) -> Gate:
        return self._litestar.state.gate

    @cached_property
    def _clock(self) -> Callable[[], datetime]:
        return self._litestar.state.clock

    @cached_property
    def _public_url(self) -> str:
        return self._litestar.state.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or let it be served."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            self._tally.finish()
            return
        route, started = find_route(scope), time.perf_counter()
        told = read_headers(scope["headers"]) if route else None
        if route is None or told is None:
            await self._app(scope, receive, send)
            return
        body = None
        if route.has_body and _is_short(told, self._longest_body):
            body, receive = await read_body(receive, self._longest_body)
        found = self._find_answer(scope, route, told, body)
        if found is None:
            await self._app(scope, receive, send)
            return
        await _send(found, send, bare=scope["method"] == "HEAD")
        self._tally.add(Sort(route.pattern, scope["method"], found.status), time.perf_counter() - started)

    def _find_answer(
        self, scope: Scope, route: Route, told: Told, body: bytes | None, *, again: bool = True
    ) -> Answer | None:
        """The answer; None where somebody else has to give it."""
        try:
            if route.is_form:
                return self._show_form(route, told)
            return self._answer(scope, route, told, self._understand(route, told, body))
        except BundleBroken:
            # The vault has heard of it and shows this file no more: answered as if it had never been open.
            return self._find_answer(scope, route, told, body, again=False) if again else None
        except _NotHere:
            return None
        except DomainError as problem:
            return self._problems.answer(scope, problem, takes_gzip=told.takes_gzip)
        except Exception:
            # A mistake of ours in here makes an answer slow, not wrong.
            log.exception("front_failed", route=route.pattern)
            return None

    def _show_form(self, route: Route, told: Told) -> Answer:
        now = self._clock()
        exam = self._find_exam(route.exam_code)
        if exam.state(now) != "open":
            raise _NotHere
        return form_page(self._views.of(exam), route.locale, now, takes_gzip=told.takes_gzip)

    def _understand(self, route: Route, told: Told, body: bytes | None) -> _Lookup:
        """Everything about a lookup that can be known before it is let in. Raises _NotHere."""
        exam, now = self._find_exam(route.exam_code), self._clock()
        typed = {"candidate_number": route.number} if route.number else _read_fields(told, body)
        if route.number and exam.policy != "public":
            raise _NotHere
        try:
            question = read_question(exam, typed)
        except InvalidForm:
            raise _NotHere from None
        return _Lookup(exam, self._find_shown(exam, now), question, typed, now)

    def _find_exam(self, code: str) -> Exam:
        try:
            return self._catalogue.find(code)
        except (ExamNotFound, ServiceUnavailable):
            raise _NotHere from None

    def _find_shown(self, exam: Exam, now: datetime) -> OpenRelease | None:
        """The open file of what is visible, None if nothing is. Raises _NotHere where only PostgreSQL has it."""
        visible = exam.visible_release(now)
        if visible is None:
            return None
        shown = self._vault.find_open(visible)
        if shown is None:
            raise _NotHere
        return shown

    def _answer(self, scope: Scope, route: Route, told: Told, lookup: _Lookup) -> Answer:
        visit = self._admit(scope, route, told, lookup)
        if lookup.shown is None and lookup.exam.awaits_correction(lookup.now):
            self._gate.never_mind(visit)
            raise CorrectionAwaited
        try:
            found = answer(self._views.of(lookup.exam), lookup.shown, _ask(route, told, lookup))
        except ResultNotFound:
            self._gate.note(visit, found=False)
            raise
        except BundleBroken:
            self._gate.never_mind(visit)
            raise
        self._gate.note(visit, found=found.status != _NOT_FOUND)
        return found

    def _is_foreign(self, told: Told) -> bool:
        if not told.origins and not told.fetch_site:
            return False
        host, fetch_site = told.host.decode("latin-1"), told.fetch_site.decode("latin-1")
        return is_foreign(told.origins, fetch_site, host=host, public_url=self._public_url)

    def _admit(self, scope: Scope, route: Route, told: Told, lookup: _Lookup) -> Visit:
        """Count it, once. Raises what the gate does, and PortalNotRegistered."""
        foreign = self._is_foreign(told)
        address, _ = self._client.client_of(scope)
        if ADMITTED not in scope:
            origin = told.origins[0] if foreign and told.origins else ""
            self._gate.admit_address(address, is_foreign=foreign, exam=lookup.exam, origin=origin)
            scope[ADMITTED] = True
        if foreign and route.has_body:
            raise PortalNotRegistered
        visit = Visit(lookup.exam, lookup.question, address, foreign, proof_of(lookup.typed), lookup.now)
        self._gate.admit(visit)
        return visit


def _is_short(told: Told, longest: int) -> bool:
    length = told.content_length
    # Python refuses to read a number of very many digits, zeros too.
    return not length.isdigit() or (len(length) <= _MOST_DIGITS and int(length) <= longest)


def _read_fields(told: Told, body: bytes | None) -> dict[str, Any]:
    if body is None:
        raise _NotHere
    try:
        return parse_fields(kind_of(told.content_type.decode("latin-1")), body)
    except (MalformedBody, UnsupportedBody):
        raise _NotHere from None


def _ask(route: Route, told: Told, lookup: _Lookup) -> Ask:
    return Ask(
        lookup.question,
        lookup.now,
        is_read=route.number is not None,
        is_page=route.is_page,
        locale=route.locale,
        typed=lookup.typed,
        takes_gzip=told.takes_gzip,
        if_none_match=told.if_none_match,
    )


async def _send(found: Answer, send: Send, *, bare: bool) -> None:
    await send({"type": "http.response.start", "status": found.status, "headers": found.headers + RAW_HEADERS})
    await send({"type": "http.response.body", "body": b"" if bare else found.body})
