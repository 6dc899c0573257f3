"""Errors as programs read them: problem details (RFC 9457) with a code, and every mistake of a form."""

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """One mistake: the field, its code for programs, and a sentence."""

    field: str
    code: str
    message: str


class Problem(msgspec.Struct, frozen=True):
    """An error as RFC 9457 problem details; `code` is for programs, `errors` lists every mistake in a form."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] | msgspec.UnsetType = msgspec.UNSET
