"""Exams and results in the words of the API: the shapes that portals rely on."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lookup.distributions import Distribution
from lookup.exams import Exam, Policy, State
from lookup.scores import Component, Result

# Scores are JSON numbers with the exam's decimals: 8.50, never "8.50" and never 8.5.
encode = msgspec.json.Encoder(decimal_format="number").encode

Code = Annotated[str, Meta(description="Code of the exam, as it stands in addresses.", examples=["demo-thpt"])]


class ExamSummary(msgspec.Struct, frozen=True):
    """An exam: its policy, and whether its results are open."""

    code: Code
    name: str
    name_en: str
    year: int
    kind: str
    unit: Annotated[str, Meta(description="Name of the unit that publishes the results.")]
    policy: Policy
    state: State
    opens_at: datetime | None
    server_time: datetime


class SubjectBin(msgspec.Struct, frozen=True):
    """One column of a distribution: scores from `from` (included) up to the next column."""

    from_: Decimal = msgspec.field(name="from")
    count: int


class SubjectDetails(msgspec.Struct, frozen=True):
    """A paper of the exam: how its scores look and, where one may be shown, its distribution."""

    subject: str
    variant: str | None
    name: str
    name_en: str
    type: Literal["score", "grade", "prize", "outcome"]
    decimals: int
    step: Decimal
    lowest: Decimal
    highest: Decimal
    distribution: list[SubjectBin] | None


class ExamDetails(ExamSummary, frozen=True):
    """An exam with all that is needed to build a form for it and to explain a score."""

    number_format: Annotated[str, Meta(description="Masks joined by |: 9 is any digit, A any letter.")]
    factor: Annotated[Literal["birth_date", "pin"] | None, Meta(description="The second fact a lookup needs.")]
    subjects: list[SubjectDetails]


class ScoredComponent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A paper with its `score` (a number with the exam's decimals) or its `mark` (a word), never both."""

    subject: str
    name: str
    score: Decimal | None = None
    mark: str | None = None
    variant: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """Where the candidate was placed."""

    status: str
    school: str
    wish: int
    cutoff: Decimal | None


class ResultAnswer(msgspec.Struct, frozen=True):
    """A candidate's result. `total` only where the exam's rule has one; `candidate_name` only where allowed."""

    exam: str
    candidate_number: str
    components: list[ScoredComponent]
    total: Decimal | None
    outcome: Outcome | None
    version: int
    released_at: datetime
    candidate_name: str | msgspec.UnsetType = msgspec.UNSET


def summarise(exam: Exam, now: datetime) -> ExamSummary:
    """An exam for the list; `server_time` is this node's clock."""
    return ExamSummary(**_summary(exam, now))


def describe(exam: Exam, now: datetime) -> ExamDetails:
    """An exam by itself; a distribution is there only from the moment its results are open."""
    visible = exam.visible_release(now)
    distributions = visible.distributions if visible else {}
    factor: Literal["birth_date", "pin"] | None = {"birth-date": "birth_date", "pin": "pin"}.get(exam.policy)  # type: ignore[assignment]
    subjects = [
        SubjectDetails(
            subject.code,
            subject.variant or None,
            subject.name,
            subject.name_en,
            subject.type,
            subject.decimals,
            subject.step,
            subject.lowest,
            subject.highest,
            _bins(distributions.get(subject.position)),
        )
        for subject in exam.subjects
    ]
    return ExamDetails(**_summary(exam, now), number_format=exam.number_format, factor=factor, subjects=subjects)


def answer(exam: Exam, result: Result) -> ResultAnswer:
    """A result for whoever proved a right to it."""
    return ResultAnswer(
        exam.code,
        result.candidate_number,
        [_component(component) for component in result.components],
        result.total,
        None,
        result.version,
        result.released_at,
        result.name if result.name is not None else msgspec.UNSET,
    )


def _summary(exam: Exam, now: datetime) -> dict:
    return {
        "code": exam.code,
        "name": exam.name,
        "name_en": exam.name_en,
        "year": exam.year,
        "kind": exam.kind,
        "unit": exam.unit.name,
        "policy": exam.policy,
        "state": exam.state(now),
        "opens_at": exam.opens_at,
        "server_time": now,
    }


def _bins(distribution: Distribution | None) -> list[SubjectBin] | None:
    if distribution is None:
        return None
    width = (distribution.highest - distribution.lowest) / len(distribution.bins)
    return [SubjectBin(distribution.lowest + width * place, count) for place, count in enumerate(distribution.bins)]


def _component(component: Component) -> ScoredComponent:
    subject = component.subject
    return ScoredComponent(subject.code, subject.name, component.score, component.mark, subject.variant or None)
