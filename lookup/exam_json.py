"""Exams and results in the words of the API: the shapes that portals rely on."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lookup.distributions import Distribution
from lookup.exams import Exam, Policy, State
from lookup.marks import MARKS
from lookup.scores import Component, Result

# Scores are JSON numbers with the exam's decimals: 8.50, never "8.50" and never 8.5.
encode = msgspec.json.Encoder(decimal_format="number").encode

_MARKS = ", ".join(f"`{code}`" for code in MARKS)

Code = Annotated[str, Meta(description="Code of the exam, as it stands in addresses.", examples=["demo-thpt"])]
Name = Annotated[str, Meta(description="Name in Vietnamese.")]
EnglishName = Annotated[str, Meta(description="Name in English; empty where there is none.")]
SubjectCode = Annotated[str, Meta(description="Code of the subject, the same in every exam.", examples=["toan"])]


class ExamSummary(msgspec.Struct, frozen=True):
    """An exam: its policy, and whether its results are open."""

    code: Code
    name: Name
    name_en: EnglishName
    year: Annotated[int, Meta(description="Year of the exam.")]
    kind: Annotated[str, Meta(description="Kind of exam, such as `thpt` or `lop-10`.")]
    unit: Annotated[str, Meta(description="Name of the unit that publishes the results.")]
    policy: Annotated[Policy, Meta(description="What a lookup needs: the number alone, or a second fact as well.")]
    state: Annotated[State, Meta(description="`sealed` before results are open, `withdrawn` once they are taken down.")]
    opens_at: Annotated[
        datetime | None, Meta(description="When results open or opened; null while no time is announced.")
    ]
    server_time: Annotated[datetime, Meta(description="This server's clock, for a countdown.")]


class SubjectBin(msgspec.Struct, frozen=True):
    """One column of a distribution: scores from `from` (included) up to the next column."""

    from_: Annotated[Decimal, Meta(description="Lowest score of the column; it ends where the next one begins.")] = (
        msgspec.field(name="from")
    )
    count: Annotated[int, Meta(description="How many candidates.")]


class SubjectDetails(msgspec.Struct, frozen=True):
    """A paper of the exam: how its scores look and, where one may be shown, its distribution."""

    subject: SubjectCode
    variant: Annotated[
        str | None,
        Meta(description="Which language (`N1` is English) or specialised paper; null where there is one only."),
    ]
    name: Name
    name_en: EnglishName
    type: Annotated[
        Literal["score", "grade", "prize", "outcome"], Meta(description="What its results are: a number or words.")
    ]
    decimals: Annotated[int, Meta(description="Decimals of its scores.")]
    step: Annotated[Decimal, Meta(description="Smallest difference between two scores.")]
    lowest: Annotated[Decimal, Meta(description="Lowest possible score.")]
    highest: Annotated[Decimal, Meta(description="Highest possible score.")]
    distribution: Annotated[
        list[SubjectBin] | None,
        Meta(description="Columns, the lowest score first; null before results are open and where too few sat it."),
    ]


class ExamDetails(ExamSummary, frozen=True):
    """An exam with all that is needed to build a form for it and to explain a score."""

    number_format: Annotated[str, Meta(description="Masks joined by |: 9 is any digit, A any letter.")]
    factor: Annotated[
        Literal["birth_date", "pin"] | None,
        Meta(description="The second fact a lookup needs; null where the number is enough."),
    ]
    subjects: Annotated[list[SubjectDetails], Meta(description="Its papers, in order.")]


class ScoredComponent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A paper with its `score` (a number with the exam's decimals) or its `mark` (a word), never both."""

    subject: SubjectCode
    name: Name
    score: Annotated[
        Decimal | None, Meta(description="A number with the paper's decimals; left out where there is a mark.")
    ] = None
    mark: Annotated[str | None, Meta(description=f"Instead of a score, one of {_MARKS}.")] = None
    variant: Annotated[str | None, Meta(description="As in the exam's papers; left out where there is one only.")] = (
        None
    )


class Outcome(msgspec.Struct, frozen=True):
    """Where the candidate was placed."""

    status: Annotated[str, Meta(description="Whether the candidate was placed.")]
    school: Annotated[str, Meta(description="Name of the school.")]
    wish: Annotated[int, Meta(description="Which of the candidate's wishes it was, counted from 1.")]
    cutoff: Annotated[
        Decimal | None, Meta(description="The lowest total that was placed there; null where none is published.")
    ]


class ResultAnswer(msgspec.Struct, frozen=True):
    """A candidate's result. `total` only where the exam's rule has one; `candidate_name` only where allowed."""

    exam: Code
    candidate_number: Annotated[str, Meta(description="The number, without blanks or dots.")]
    components: Annotated[list[ScoredComponent], Meta(description="The papers taken, in the exam's order.")]
    total: Annotated[Decimal | None, Meta(description="The total by the exam's rule; null where there is none.")]
    outcome: Annotated[
        Outcome | None, Meta(description="Where the candidate was placed; null until outcomes are published.")
    ]
    version: Annotated[int, Meta(description="1 at first; one more each time a correction is published.")]
    released_at: Annotated[datetime, Meta(description="When this version was published.")]
    candidate_name: Annotated[
        str | msgspec.UnsetType, Meta(description="Only where the unit shows names; never under policy `public`.")
    ] = msgspec.UNSET


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
