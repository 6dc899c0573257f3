"""An exam on its way to the public: set up as a draft, put right as long as nobody knows of it, then handed in."""

import re
from datetime import datetime
from typing import cast, get_args

import asyncpg
import msgspec

from kit.errors import DomainError, FieldError, InvalidForm
from kit.sql import Database
from lookup.candidate_number import CandidateNumberFormat
from lookup.exam_kinds import exam_kind, exam_kinds
from lookup.exam_setup import DESCRIBABLE, ExamCodeTaken, add_exam, add_subjects, describe_exam, to_json
from lookup.exams import Exam, Policy, Regrade, exams
from lookup.form_fields import Form
from units.record.entries import Actor, write
from units.units import Unit

_CODE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LONGEST_TEXT = 500
_EARLIEST_YEAR, _LATEST_YEAR = 1990, 2100
# What gives a result its shape: fixed once there are any.
SHAPE = ("year", "kind", "policy", "number_format", "show_name")


class ExamIsListed(DomainError):
    """The public knows of this exam: what it says changes by approval alone, and it is not removed."""

    code = "exam_is_listed"
    status = 409


class Announced(msgspec.Struct, frozen=True):
    """What may change about an exam that the public knows; what an announcement holds."""

    name: str
    name_en: str
    announced_at: datetime | None
    regrade: Regrade | None

    @classmethod
    def of(cls, exam: Exam) -> "Announced":
        """As it stands."""
        return cls(**{fact: getattr(exam, fact) for fact in DESCRIBABLE})


class Shape(msgspec.Struct, frozen=True):
    """What results of the exam look like and how they are looked up."""

    year: int
    kind: str
    policy: Policy
    number_format: str
    show_name: bool


def read_code(form: Form) -> str:
    """The exam's code, as it stands in addresses."""
    code = form.text("code", 63).lower()
    if code and not _CODE.fullmatch(code):
        form.wrong("code", "exam_code_malformed")
    return code


def read_announced(form: Form) -> Announced:
    """The facts that may change later too."""
    return Announced(
        name=form.text("name"),
        name_en=form.text("name_en", required=False),
        announced_at=form.moment("announced"),
        regrade=_read_regrade(form),
    )


def read_shape(form: Form) -> Shape:
    """Kind, policy and number format; an empty number format is the kind's own."""
    kind = form.choice("kind", exam_kinds().keys())
    policy = form.choice("policy", get_args(Policy))
    shows_name = form.is_ticked("show_name")
    if shows_name and policy == "public":
        form.wrong("show_name", "exam_shows_no_name")
    mask = form.text("number_format", 300, required=False).upper().replace(" ", "")
    if not mask and kind in exam_kinds():
        mask = exam_kind(kind).number_format
    try:
        CandidateNumberFormat.parse(mask or "9")
    except ValueError:
        form.wrong("number_format", "exam_format_malformed")
    return Shape(_read_year(form), kind, cast("Policy", policy), mask, shows_name)


def make_exam(code: str, unit: Unit, facts: Announced, shape: Shape) -> Exam:
    """A new exam with its kind's papers and total."""
    kind = exam_kind(shape.kind)
    return Exam(
        code=code,
        unit=unit,
        **{fact: getattr(facts, fact) for fact in DESCRIBABLE},
        **msgspec.structs.asdict(shape),
        subjects=kind.subjects,
        total_rule=kind.total_rule,
        withdrawn_generation=0,
        releases=(),
    )


async def add_draft(transaction: asyncpg.Connection, exam: Exam, *, actor: Actor, now: datetime) -> None:
    """Set an exam up of which nobody hears yet. Raises InvalidForm when another has its code."""
    try:
        await add_exam(transaction, exam, now, listed=False, actor=actor)
    except ExamCodeTaken:
        raise InvalidForm([FieldError("code", "exam_code_taken")]) from None


async def edit_draft(
    transaction: asyncpg.Connection,
    exam: Exam,
    facts: Announced,
    shape: Shape | None,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Put a draft right; its shape only while nothing was brought in. Raises ExamIsListed."""
    if exam.listed_at is not None:
        raise ExamIsListed(exam=exam.code)
    told = {fact: getattr(facts, fact) for fact in DESCRIBABLE}
    await describe_exam(transaction, exam.code, now, actor=actor, **told)
    if shape is None or await has_batches(transaction, exam.code) or shape == _shape_of(exam):
        return
    kind = exam_kind(shape.kind)
    await exams.reshape_exam(
        transaction, code=exam.code, total_rule=to_json(kind.total_rule), **msgspec.structs.asdict(shape)
    )
    await exams.remove_subjects(transaction, code=exam.code)
    await add_subjects(transaction, exam.code, kind.subjects)
    before, after = (msgspec.structs.asdict(each) for each in (_shape_of(exam), shape))
    changes = {fact: [before[fact], after[fact]] for fact in SHAPE if before[fact] != after[fact]}
    await write(transaction, actor, "exam.reshaped", ("exam", exam.code), unit=exam.unit.code, changes=changes)


async def has_batches(database: Database, code: str) -> bool:
    """Whether anything was brought in, so that papers and numbers stay as they are."""
    return bool(await exams.count_batches(database, code=code))


def _shape_of(exam: Exam) -> Shape:
    return Shape(**{fact: getattr(exam, fact) for fact in SHAPE})


def _read_year(form: Form) -> int:
    text = form.text("year", 10)
    if text and not (text.isdecimal() and _EARLIEST_YEAR <= int(text) <= _LATEST_YEAR):
        form.wrong("year", "exam_year_implausible")
        return 0
    return int(text or 0)


def _read_regrade(form: Form) -> Regrade | None:
    first, last = form.day("regrade_from"), form.day("regrade_to")
    if first and last and first > last:
        form.wrong("regrade_to", "exam_regrade_backwards")
    where = form.text("regrade_where", _LONGEST_TEXT, required=False)
    fee = form.text("regrade_fee", _LONGEST_TEXT, required=False)
    return Regrade(first, last, where, fee) if first or last or where or fee else None
