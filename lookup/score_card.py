"""A result as a person reads it: words for marks, and each score where it lies among all others."""

from datetime import datetime
from decimal import Decimal

import msgspec

from kit.locale import Locale
from lookup.distributions import Spread
from lookup.exams import Exam
from lookup.marks import MARKS
from lookup.scores import Component, Result


class CardLine(msgspec.Struct, frozen=True):
    """One paper on the card: its name, and a score with its decimals or the word of a mark."""

    name: str
    score: Decimal | None
    decimals: int
    mark: str | None
    spread: Spread | None


class Card(msgspec.Struct, frozen=True):
    """The card: what the page shows, in the page's language, so that templates do no arithmetic."""

    candidate_number: str
    name: str | None
    version: int
    version_reason: str | None
    released_at: datetime
    components: list[CardLine]
    total: Decimal | None
    total_name: str
    total_decimals: int


def write_card(exam: Exam, result: Result, locale: Locale, now: datetime) -> Card:
    """The card for a result that `ScoreDesk.find` gave out at `now`."""
    rule = exam.total_rule
    return Card(
        candidate_number=result.candidate_number,
        name=result.name,
        version=result.version,
        version_reason=result.reason,
        released_at=result.released_at,
        components=[_line(exam, component, locale, now) for component in result.components],
        total=result.total,
        total_name=(rule.name_en if locale == "en" else rule.name) if rule else "",
        total_decimals=rule.decimals if rule else 0,
    )


def _line(exam: Exam, component: Component, locale: Locale, now: datetime) -> CardLine:
    subject = component.subject
    return CardLine(
        name=subject.name_en if locale == "en" else subject.name,
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
