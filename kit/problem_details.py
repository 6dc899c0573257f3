"""Errors as programs read them: problem details (RFC 9457) with a code, and every mistake of a form."""

from typing import Annotated

import msgspec
from msgspec import Meta


class FieldProblem(msgspec.Struct, frozen=True):
    """One mistake: the field, its code for programs, and a sentence."""

    field: Annotated[str, Meta(description="Name of the field as it was sent.")]
    code: Annotated[str, Meta(description="The mistake, for programs.")]
    message: Annotated[str, Meta(description="The mistake, for people, in Vietnamese.")]


class Problem(msgspec.Struct, frozen=True):
    """An error as RFC 9457 problem details; `code` is for programs, `errors` lists every mistake in a form."""

    type: Annotated[str, Meta(description="The code as a URN.")]
    title: Annotated[str, Meta(description="What is wrong, in a few words of Vietnamese.")]
    status: Annotated[int, Meta(description="The HTTP status.")]
    detail: Annotated[str, Meta(description="What to do next, in Vietnamese.")]
    code: Annotated[str, Meta(description="What is wrong, for programs; never changes its meaning.")]
    errors: Annotated[list[FieldProblem], Meta(description="All mistakes of a form at once.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
