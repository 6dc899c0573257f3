"""What is kept ready of an exam, as long as the exam, its unit and its releases are as they were."""

from datetime import datetime

from kit.pages import Pages
from lookup.answers.card_pieces import CardPieces
from lookup.answers.form_pieces import FormPieces
from lookup.answers.json_pieces import JsonPieces
from lookup.exams import Exam
from lookup.sealed.vault import OpenRelease

# A page's pieces take some megabytes: so many exams are asked for at the same time in one process.
_MOST_EXAMS = 16


class ExamView:
    """The pieces of one exam's answers. Made when they are needed first."""

    def __init__(self, exam: Exam, pages: Pages) -> None:
        self.exam, self._pages = exam, pages
        self.form = FormPieces(exam, pages)
        self._json: tuple[OpenRelease, JsonPieces] | None = None
        self._card: tuple[OpenRelease, CardPieces] | None = None

    def json(self, shown: OpenRelease) -> JsonPieces:
        """For the answers of this release."""
        if self._json is None or self._json[0] is not shown:
            self._json = shown, JsonPieces(self.exam, shown.facts)
        return self._json[1]

    def card(self, shown: OpenRelease, now: datetime) -> CardPieces:
        """For the pages of this release, which is the visible one at `now`."""
        if self._card is None or self._card[0] is not shown:
            self._card = shown, CardPieces(self.exam, shown.facts, self._pages, now)
        return self._card[1]


class Views:
    """The views of the exams that people ask for."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._views: dict[str, ExamView] = {}

    def of(self, exam: Exam) -> ExamView:
        """The view of an exam as the catalogue has it now; a new one when anything about it is another."""
        view = self._views.get(exam.code)
        if view is not None and view.exam is exam:
            return view
        if view is not None and view.exam == exam:
            view.exam = exam
            return view
        self._views.pop(exam.code, None)
        if len(self._views) >= _MOST_EXAMS:
            # The one that was made first; it is made again when somebody asks.
            del self._views[next(iter(self._views))]
        self._views[exam.code] = made = ExamView(exam, self._pages)
        return made
