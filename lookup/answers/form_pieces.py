"""The form of an exam, and the form again for whom no result was found: ready, but for what was typed."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from markupsafe import escape

from kit.bounded import Bounded
from kit.locale import Locale
from kit.pages import Pages
from kit.pieces import Piece, cut, insert, keep
from lookup.answers.days import day_of, midnight
from lookup.exams import Exam
from lookup.score_page import as_typed, form_address, page_facts

_MOST_PAGES = 4
_FACTOR = {"public": [], "birth-date": ["birth_date"], "pin": ["pin"]}
# Stands where something that was typed will stand.
_MARK = f"mark-{secrets.token_hex(16)}"


class FormPieces:
    """Writes what `score_not_found.html` says to whoever typed something, and `score_form.html` before."""

    def __init__(self, exam: Exam, pages: Pages) -> None:
        self._exam, self._pages = exam, pages
        self._typed = ["candidate_number", *_FACTOR[exam.policy]]
        self._refusals = Bounded[Locale, list[Piece]](_MOST_PAGES, self._cut_refusal)
        self._forms = Bounded[tuple[Locale, int], list[Piece]](_MOST_PAGES, self._write_form)

    def write_refusal(self, typed: Mapping[str, Any], locale: Locale) -> list[Piece]:
        """The form again with what was typed still in it; the same whatever the reason is."""
        first, *others = self._refusals[locale]
        pieces = [first]
        for field, piece in zip(self._typed, others, strict=True):
            pieces += (insert(escape(as_typed(typed, field))), piece)
        return pieces

    def write_form(self, locale: Locale, now: datetime) -> list[Piece]:
        """The empty form of an exam that is open at `now`."""
        return self._forms[locale, day_of(now)]

    def _cut_refusal(self, locale: Locale) -> list[Piece]:
        marks = {field: f"{_MARK}-{place}" for place, field in enumerate(self._typed)}
        # This page knows neither the time nor whether there are results.
        html = self._html(locale, "lookup/score_not_found.html", midnight(0), typed=marks)
        return [keep(text) for text in cut(html, marks.values())]

    def _write_form(self, key: tuple[Locale, int]) -> list[Piece]:
        locale, day = key
        return [keep(self._html(locale, "lookup/score_form.html", midnight(day)))]

    def _html(self, locale: Locale, template: str, now: datetime, typed: Mapping[str, Any] | None = None) -> str:
        facts = page_facts(self._exam, now, typed=typed)
        return self._pages.html(locale, template, path=form_address(self._exam), **facts)
