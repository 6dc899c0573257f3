"""The outermost door: every answer leaves with the same protection, and every request is counted and timed."""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

import structlog

from server.metrics import REQUEST_SECONDS, REQUESTS

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

log = structlog.get_logger()

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}
RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class Doorway:
    """Wraps the application: security headers, HEAD as a GET without its body, one log line and one count each."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; lifespan and anything that is no HTTP passes through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, asked, status = time.perf_counter(), scope["method"], 500
        bare = asked == "HEAD"
        # A copy: the server itself must go on knowing that it was a HEAD, or it waits for the body. The number of the
        # request is always our own: one from outside could be anybody's.
        scope = {**scope, "method": "GET" if bare else asked, "request_id": (request_id := secrets.token_hex(16))}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)

        async def leave(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _protected(message.get("headers", ()))
                if _tells_number(scope, status, message["headers"]):
                    message["headers"].append((b"x-request-id", request_id.encode()))
            elif bare:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, leave)
        finally:
            _record(scope, asked, status, time.perf_counter() - started)


def _tells_number(scope: Scope, status: int, headers: list[tuple[bytes, bytes]]) -> bool:
    """Officers, and whoever met a mistake of ours, can say which request it was.

    Not the public: there, answers that must look alike are alike to the last byte, and others are kept for everybody.
    Whoever is told when to come back met no mistake.
    """
    path = scope["path"]
    if path == _OFFICERS or path.startswith(f"{_OFFICERS}/"):
        return True
    return status >= _OUR_MISTAKE and not any(name.lower() == b"retry-after" for name, _ in headers)


def _protected(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With our headers; what does not say how long it may be kept is kept by nobody."""
    told = list(headers)
    if not any(name.lower() == b"cache-control" for name, _ in told):
        told.append((b"cache-control", b"no-store"))
    return told + RAW_HEADERS


def _record(scope: Scope, method: str, status: int, seconds: float) -> None:
    # The route's pattern, never the path: a path may hold a candidate number.
    route = scope.get("path_template") or "unmatched"
    method = method if method in _METHODS else "other"
    REQUESTS.labels(route, method, str(status)).inc()
    REQUEST_SECONDS.labels(route).observe(seconds)
    # What balancers and monitors ask every second would drown what people ask.
    tell = log.debug if route in _PROBES else log.info
    tell("request", route=route, method=method, status=status, ms=round(seconds * 1000, 1))


_OFFICERS = "/can-bo"
_OUR_MISTAKE = 500
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
