"""What can go wrong, in words: a code for programs, a status for HTTP, facts for the sentence.

The sentence that a person reads stands in `templates/problems/`; the raising code stays short.
"""

from typing import Any


class FieldError:
    """One mistake in one field of a form or an API request.

    `code` names the mistake (`candidate_number_malformed`) and picks the sentence; `facts` fill it in.
    """

    __slots__ = ("code", "facts", "field")

    def __init__(self, field: str, code: str, **facts: Any) -> None:
        self.field, self.code, self.facts = field, code, facts


class DomainError(Exception):
    """Something a person did or asked for cannot be done; says why by `code` and with what HTTP `status`.

    `headers` go out with the answer (`Retry-After`). `facts` are for the sentence and never hold personal data.
    `members` are for programs, beside those that every problem has.
    """

    code: str = "problem"
    status: int = 400

    def __init__(self, *, headers: dict[str, str] | None = None, **facts: Any) -> None:
        super().__init__(self.code)
        self.headers = headers or {}
        self.facts = facts
        self.members: dict[str, Any] = {}


class InvalidForm(DomainError):
    """A form or request with mistakes: all of them at once, each beside its field."""

    code = "invalid_form"
    status = 422

    def __init__(self, errors: list[FieldError], **facts: Any) -> None:
        super().__init__(**facts)
        self.errors = errors


class ServiceUnavailable(DomainError):
    """What is needed for this answer cannot be reached at the moment."""

    code = "service_unavailable"
    status = 503

    def __init__(self, retry_after: int = 5) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)}, retry_after=retry_after)


class TooManyRequests(DomainError):
    """A rate limit was met; `retry_after` is in whole seconds."""

    code = "too_many_requests"
    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(headers={"Retry-After": str(retry_after)}, retry_after=retry_after)


class UsageError(Exception):
    """What the operator asked for on the command line cannot be done: one clear sentence, exit 1."""
