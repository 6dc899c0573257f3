"""The page with a result, put together from pieces that the candidates of an exam share."""

import secrets
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec
from markupsafe import escape

from kit import locale as languages
from kit.bounded import Bounded
from kit.locale import Locale
from kit.pages import Pages
from kit.pieces import Piece, cut, insert, keep
from lookup.answers.days import day_of, midnight
from lookup.distributions import Spread
from lookup.exams import Exam
from lookup.score_card import Card, CardLine, Total, write_card
from lookup.score_page import form_address, page_facts
from lookup.sealed.record import Record, SharedFacts, unpack

# A dozen papers with two hundred scores each, some two thousand bytes of picture for each of them.
_MOST_PAPERS = 2048
_MOST_FRAMES = 64
_MOST_MOMENTS = 4

# Stands where something of one candidate will stand; nobody's name or number.
_MARK = f"mark-{secrets.token_hex(16)}"
_NUMBER, _NAME, _PAPER = f"{_MARK}-number", f"{_MARK}-name", f"{_MARK}-paper"
_SUM = Decimal(secrets.randbits(64) | 1 << 63)
_ANY_SPREAD = Spread([], None, 0)


class Shape(NamedTuple):
    """What of a result decides about the words around it. `day`: on the calendar of Vietnam, counted from 1970."""

    locale: Locale
    day: int
    edition: int
    is_corrected: bool
    has_name: bool
    has_papers: bool
    has_spread: bool
    has_total: bool


class CardPieces:
    """Writes what `score_result.html` says, for every record of one release; it is shown `since` at least."""

    def __init__(self, exam: Exam, facts: SharedFacts, pages: Pages, since: datetime) -> None:
        self._exam, self._facts, self._pages, self._since = exam, facts, pages, since
        self._frames = Bounded[Shape, list[Piece]](_MOST_FRAMES, self._cut_frame)
        self._papers = Bounded[tuple[Locale, int, int], tuple[Piece, bool]](_MOST_PAPERS, self._write_paper)
        self._moments = Bounded[tuple[Locale, datetime], Piece](_MOST_MOMENTS, _write_moment)

    def write(self, record: Record, locale: Locale, now: datetime) -> list[Piece]:
        """The page at `now` for whoever proved a right to this record."""
        numbers = record.papers
        papers = [self._papers[locale, *paper] for paper in zip(numbers[::2], numbers[1::2], strict=True)]
        shape = self._shape(record, locale, now, has_spread=any(has_spread for _, has_spread in papers))
        between = iter(self._frames[shape])
        pieces = [next(between), insert(record.number), next(between)]
        if shape.has_name:
            pieces += (insert(escape(record.name)), next(between))
        if shape.has_papers:
            pieces += (*(piece for piece, _ in papers), next(between))
        if shape.has_total:
            pieces += (insert(self._sum(record, locale)), next(between))
        return [*pieces, self._moments[locale, now.replace(microsecond=bool(now.microsecond))], next(between)]

    def _shape(self, record: Record, locale: Locale, now: datetime, *, has_spread: bool) -> Shape:
        return Shape(
            locale,
            day_of(now),
            record.edition,
            record.version > 1,
            bool(record.name),
            bool(record.papers),
            has_spread,
            self._exam.total_rule is not None and record.total is not None,
        )

    def _write_paper(self, key: tuple[Locale, int, int]) -> tuple[Piece, bool]:
        locale, *paper = key
        result = unpack(Record("", 1, 0, paper), self._facts, self._exam)
        (line,) = write_card(self._exam, result, locale, self._since).components
        return keep(self._html(locale, line)), line.spread is not None

    def _html(self, locale: Locale, line: CardLine) -> str:
        return self._pages.part(locale, "components/score_component.html", "score_component", line) + "\n"

    def _cut_frame(self, shape: Shape) -> list[Piece]:
        now = midnight(shape.day)
        card, marks = self._marked_card(shape)
        facts = page_facts(self._exam, now) | {"card": card}
        html = self._pages.html(shape.locale, "lookup/score_result.html", path=form_address(self._exam), **facts)
        # The slip ends with the moment; another that reads the same may stand before it.
        until, moment, ending = html.rpartition(str(languages.moment(now, shape.locale)))
        assert moment
        return [keep(text) for text in (*cut(until, marks), ending)]

    def _marked_card(self, shape: Shape) -> tuple[Card, list[str]]:
        """A card of this shape with marks in it, and how they look on the page, in their order."""
        rule, line = self._exam.total_rule, CardLine(_PAPER, _PAPER, None, 0, _PAPER, None)
        line = msgspec.structs.replace(line, spread=_ANY_SPREAD if shape.has_spread else None)
        record = Record(_NUMBER, 1 + shape.is_corrected, shape.edition, [], name=_NAME if shape.has_name else None)
        card = write_card(self._exam, unpack(record, self._facts, self._exam), shape.locale, self._since)
        marks = [_NUMBER]
        if shape.has_name:
            marks.append(_NAME)
        if shape.has_papers:
            card = msgspec.structs.replace(card, components=[line])
            marks.append(self._html(shape.locale, line))
        if rule and shape.has_total:
            card = msgspec.structs.replace(card, total=Total(rule.name, rule.name_en, _SUM, rule.decimals))
            marks.append(languages.number(_SUM, rule.decimals, shape.locale))
        return card, marks

    def _sum(self, record: Record, locale: Locale) -> str:
        assert self._exam.total_rule is not None
        assert record.total is not None
        decimals = self._exam.total_rule.decimals
        return languages.number(Decimal(record.total).scaleb(-decimals), decimals, locale)


def _write_moment(key: tuple[Locale, datetime]) -> Piece:
    locale, moment = key
    return insert(languages.moment(moment, locale))
