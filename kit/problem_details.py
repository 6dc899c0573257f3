"""Errors as programs read them: problem details (RFC 9457) with a code, and every mistake of a form."""

from datetime import datetime
from typing import Annotated, Literal

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
    challenge: (
        Annotated[str, Meta(description="Code `challenge`: send it back with a `solution`.")] | msgspec.UnsetType
    ) = msgspec.UNSET
    algorithm: Annotated[Literal["sha-256"], Meta(description="What is hashed with.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    difficulty: Annotated[int, Meta(description="Zero bits that each hash begins with.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
    count: Annotated[int, Meta(description="How many numbers a solution has.")] | msgspec.UnsetType = msgspec.UNSET
    expires_at: Annotated[datetime, Meta(description="Until then a solution counts.")] | msgspec.UnsetType = (
        msgspec.UNSET
    )
