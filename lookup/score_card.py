"""A result as a person reads it: words for marks, and each score where it lies among all others."""

from datetime import datetime
from decimal import Decimal

import msgspec

from kit.locale import Locale
from lookup.distributions import Spread
from lookup.exams import Exam
from lookup.marks import MARKS
from lookup.scores import Component, Result
from lookup.totals import TotalRule


class CardLine(msgspec.Struct, frozen=True):
    """One paper on the card: its names, and a score with its decimals or the word of a mark."""

    name: str
    name_en: str
    score: Decimal | None
    decimals: int
    mark: str | None
    spread: Spread | None


class Total(msgspec.Struct, frozen=True):
    """What the exam adds up: its names, and the sum with its decimals."""

    name: str
    name_en: str
    sum: Decimal
    decimals: int


class Card(msgspec.Struct, frozen=True):
    """The card: what the page shows, so that templates do no arithmetic. `corrected_at` is None for first scores."""

    candidate_number: str
    name: str | None
    released_at: datetime
    corrected_at: datetime | None
    correction_reason: str | None
    components: list[CardLine]
    total: Total | None


def write_card(exam: Exam, result: Result, locale: Locale, now: datetime) -> Card:
    """The card for a result that `ScoreDesk.find` gave out at `now`; marks are words of `locale`."""
    corrected = result.version > 1
    return Card(
        candidate_number=result.candidate_number,
        name=result.name,
        released_at=(corrected and exam.opens_at) or result.released_at,
        corrected_at=result.released_at if corrected else None,
        correction_reason=result.reason,
        components=[_line(exam, component, locale, now) for component in result.components],
        total=_total(exam.total_rule, result.total),
    )


def _total(rule: TotalRule | None, total: Decimal | None) -> Total | None:
    return None if rule is None or total is None else Total(rule.name, rule.name_en, total, rule.decimals)


def _line(exam: Exam, component: Component, locale: Locale, now: datetime) -> CardLine:
    subject = component.subject
    return CardLine(
        name=subject.name,
        name_en=subject.name_en,
        score=component.score,
        decimals=subject.decimals,
        mark=_word(component.mark, locale),
        spread=_spread(exam, component, now),
    )


def _word(code: str | None, locale: Locale) -> str | None:
    if code is None:
        return None
    mark = MARKS[code]
    return mark.word_en if locale == "en" else mark.word


def _spread(exam: Exam, component: Component, now: datetime) -> Spread | None:
    release = exam.visible_release(now)
    if release is None or component.score is None:
        return None
    distribution = release.distributions.get(component.subject.position)
    return distribution.spread(component.score) if distribution else None
