"""Refusals as bytes that are kept: a flood of them must cost less than what it asks for."""

import gzip
from collections.abc import MutableMapping
from typing import Any

from litestar import Litestar, Request

from kit.errors import DomainError
from lookup.answers.answers import SHORTEST_COMPRESSED, Answer
from server.problems import answer_domain_error

Scope = MutableMapping[str, Any]

# Some seconds to wait, some pages, two languages.
_MOST = 1024
# Of these the whole sentence is known; what else a problem tells is of one visitor alone.
_COMMON = {"retry_after"}


class ReadyProblems:
    """The same answers as `server.problems` gives, made once for each path, as long as the same unit signs pages."""

    def __init__(self, litestar: Litestar) -> None:
        self._litestar = litestar
        self._signed_by: object = None
        self._kept: dict[tuple[Any, ...], Answer] = {}

    def answer(self, scope: Scope, problem: DomainError, *, takes_gzip: bool) -> Answer:
        """The page or problem details for a request that is not let through."""
        if not problem.facts.keys() <= _COMMON:
            return self._make(scope, problem, takes_gzip=takes_gzip)
        key = (problem.code, problem.facts.get("retry_after"), scope["method"], _page(scope["path"]), takes_gzip)
        self._forget_what_somebody_else_signed()
        if key not in self._kept:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            self._kept[key] = self._make(scope, problem, takes_gzip=takes_gzip)
        return self._kept[key]

    def _forget_what_somebody_else_signed(self) -> None:
        unit = self._litestar.state.catalogue.root_unit
        if unit is not self._signed_by:
            self._signed_by = unit
            self._kept.clear()

    def _make(self, scope: Scope, problem: DomainError, *, takes_gzip: bool) -> Answer:
        bare = "GET" if scope["method"] == "HEAD" else scope["method"]
        asked: Any = {**scope, "method": bare, "litestar_app": self._litestar, "state": {}}
        request = Request(asked)
        response = answer_domain_error(request, problem).to_asgi_response(None, request)
        headers = [(name.lower(), value) for name, value in response.encode_headers()]
        if not takes_gzip or len(response.body) < SHORTEST_COMPRESSED:
            return Answer(response.status_code, headers, response.body)
        body = gzip.compress(response.body, mtime=0)
        headers = [(name, value) for name, value in headers if name != b"content-length"]
        told = [(b"content-length", b"%d" % len(body)), (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        return Answer(response.status_code, headers + told, body)


def _page(path: str) -> str:
    """What the answer knows of the path: nothing, where programs ask; a number may stand in it."""
    return "" if path.startswith("/api/") else path
