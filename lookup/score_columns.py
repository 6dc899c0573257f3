"""Lay out a result file: which column becomes which part of a result, and what is wrong with its headings."""

from collections.abc import Iterator

import msgspec

from lookup.exams import Exam
from lookup.score_headings import Headings, Meaning, Role
from lookup.score_problems import Fault, Problem
from lookup.subjects import SUBJECT_NAMES

# These may stand in a file once each.
_SINGLE: tuple[Role, ...] = ("number", "birth_date", "pin", "total", "paper", "paper_score", "extra")

# Looking for what looks alike takes time, and a table may have thousands of columns.
_MOST_LIKENED = 50


class PaperGroup(msgspec.Struct, frozen=True):
    """Two columns that hold one paper: its score, and which variant of it was sat (`N1`)."""

    code: str
    score_column: int
    variant_column: int


class Layout(msgspec.Struct):
    """Which column (from 0) holds what. `papers`: by position of the subject; `names`: joined from left to right."""

    headings: list[str]
    papers: dict[int, int] = {}
    groups: list[PaperGroup] = []
    names: list[int] = []
    number: int | None = None
    birth_date: int | None = None
    pin: int | None = None
    total: int | None = None
    paper: int | None = None
    paper_score: int | None = None
    extra: int | None = None

    @property
    def content_columns(self) -> list[int]:
        """The columns that only a result fills."""
        single = (self.total, self.paper_score, self.extra, self.birth_date, self.pin)
        return [
            *self.papers.values(),
            *(group.score_column for group in self.groups),
            *(c for c in single if c is not None),
        ]

    def covered(self, exam: Exam) -> set[int]:
        """The positions of the papers that the file speaks of; a column of free text speaks of all."""
        if self.extra is not None or self.paper is not None:
            return {subject.position for subject in exam.subjects}
        codes = {group.code for group in self.groups}
        return {subject.position for subject in exam.subjects if subject.code in codes} | set(self.papers)


class _Arrangement:
    """One file's headings on their way to a layout."""

    def __init__(self, headings: list[str], exam: Exam, reader: Headings) -> None:
        self.exam, self.reader, self.headings = exam, reader, headings
        self.layout = Layout(headings=headings)
        self.problems: list[Problem] = []
        self.by_role: dict[Role, list[int]] = {}
        self.meanings: dict[int, Meaning] = {}

    def run(self) -> None:
        for column, heading in enumerate(self.headings):
            self._recognise(column, heading)
        self._arrange_totals()
        for role in _SINGLE:
            if columns := self.by_role.get(role, []):
                setattr(self.layout, role, columns[0])
                for column in columns[1:]:
                    self._fault(column, Fault("column_twice", {"other": columns[0] + 1}))
        self._arrange_names()
        self._arrange_papers()
        self._arrange_single_papers()
        self._keep_what_is_needed()
        self._ask_for_what_is_missing()

    def _recognise(self, column: int, heading: str) -> None:
        if not heading:
            return
        meaning = self.reader.meaning(heading)
        if meaning is None:
            likened = len(self.problems) < _MOST_LIKENED
            self._fault(column, Fault("unknown_column", {}, self.reader.nearest(heading) if likened else None))
            return
        self.meanings[column] = meaning
        self.by_role.setdefault(meaning.role, []).append(column)
        if meaning.role == "ignored":
            self._fault(column, Fault("column_not_kept"))

    def _arrange_totals(self) -> None:
        columns = self.by_role.get("total", [])
        if (rule := self.exam.total_rule) is None:
            for column in columns:
                self._fault(column, Fault("total_not_used"))
            self.by_role["total"] = []
            return
        # "Tổng điểm" beside "Điểm xét tuyển": the one that the exam's rule names is the total.
        own = [column for column in columns if self.headings[column].casefold() == rule.name.casefold()]
        if len(own) == 1:
            self.by_role["total"] = own
            for column in set(columns) - set(own):
                self._fault(column, Fault("column_not_kept"))

    def _arrange_names(self) -> None:
        full, given = self.by_role.get("name", []), self.by_role.get("given_name", [])
        family = self.by_role.get("family_name", [])
        for columns in (full + given if full else given, family):
            for column in columns[1:]:
                self._fault(column, Fault("column_twice", {"other": columns[0] + 1}))
        names = full or [*family[:1], *given[:1]]
        after = names[-1] + 1 if names else 0
        # A heading merged over two columns, family and given name, stands in the first of them.
        if names and len(names) == 1 and not given and after < len(self.headings) and not self.headings[after]:
            names = [*names, after]
        self.layout.names = names

    def _arrange_papers(self) -> None:
        positions = {(subject.code, subject.variant): subject.position for subject in self.exam.subjects}
        for column in self.by_role.get("subject", []):
            code, variant = self.meanings[column].code, self.meanings[column].variant
            position = positions.get((code, variant))
            if position is None:
                names = SUBJECT_NAMES[code].named(variant)
                self._fault(column, Fault("subject_not_in_exam", {"subject": names.name, "papers": self._papers}))
            elif position in self.layout.papers:
                self._fault(column, Fault("column_twice", {"other": self.layout.papers[position] + 1}))
            else:
                self.layout.papers[position] = column
        for column in self.by_role.get("variant", []):
            self._arrange_variant(column, positions)

    def _arrange_variant(self, column: int, positions: dict[tuple[str, str], int]) -> None:
        code = self.meanings[column].code
        position = positions.get((code, ""))
        if position is None:
            known = any(subject.code == code for subject in self.exam.subjects)
            self._fault(column, Fault("variant_without_score" if known else "column_not_kept"))
        elif any(group.code == code for group in self.layout.groups):
            self._fault(column, Fault("column_twice", {"other": self.layout.groups[-1].variant_column + 1}))
        elif position in self.layout.papers:
            self.layout.groups.append(PaperGroup(code, self.layout.papers.pop(position), column))
            self._refuse_besides(code, column)
        elif self.reader.is_paper(self.headings[column]):
            # "Môn chuyên" names the class beside a column "Điểm chuyên", and is the score where it stands alone.
            self.layout.papers[position] = column
        else:
            self._fault(column, Fault("variant_without_score"))

    def _refuse_besides(self, code: str, variant_column: int) -> None:
        """A language would have two columns: "Ngoại ngữ" with its code, and "Tiếng Anh"."""
        for subject in self.exam.subjects:
            if subject.code == code and subject.position in self.layout.papers:
                other = self.layout.papers.pop(subject.position)
                self._fault(other, Fault("column_twice", {"other": variant_column + 1}))

    def _arrange_single_papers(self) -> None:
        layout = self.layout
        if layout.paper is not None and layout.paper_score is None:
            self._fault(layout.paper, Fault("subject_without_score"))
            layout.paper = None
        if layout.paper_score is None or layout.paper is not None:
            return
        scored = [subject for subject in self.exam.subjects if subject.type == "score"]
        if len(scored) == 1 and scored[0].position not in layout.papers:
            layout.papers[scored[0].position] = layout.paper_score
        else:
            self._fault(layout.paper_score, Fault("score_without_subject"))
        layout.paper_score = None

    def _keep_what_is_needed(self) -> None:
        if self.layout.pin is not None and self.exam.policy != "pin":
            self._fault(self.layout.pin, Fault("column_not_kept"))
            self.layout.pin = None
        for column, heading in enumerate(self.headings):
            if not heading and column not in self.layout.names:
                self._fault(column, Fault("column_without_heading"))

    def _ask_for_what_is_missing(self) -> None:
        layout = self.layout
        if layout.number is None:
            self.problems.append(Problem(Fault("number_column_missing")))
        if layout.birth_date is None and self.exam.policy == "birth-date":
            self.problems.append(Problem(Fault("birth_date_column_missing")))
        if not (layout.papers or layout.groups or layout.paper is not None or layout.extra is not None):
            self.problems.append(Problem(Fault("no_papers", {"papers": self._papers})))

    def _fault(self, column: int, fault: Fault) -> None:
        heading = self.headings[column]
        self.problems.append(Problem(fault, column=column, heading=heading, cell=heading))

    @property
    def _papers(self) -> str:
        return ", ".join(paper_names(self.exam))


def lay_out(headings: list[str], exam: Exam, reader: Headings) -> tuple[Layout, list[Problem]]:
    """The layout that the headings tell, and everything that is wrong with them; problems carry no row."""
    arrangement = _Arrangement(headings, exam, reader)
    arrangement.run()
    return arrangement.layout, arrangement.problems


def paper_names(exam: Exam) -> Iterator[str]:
    """The papers of an exam as a sentence names them: variants under the name of their subject."""
    without_variant = {subject.code for subject in exam.subjects if not subject.variant}
    for subject in exam.subjects:
        if not subject.variant or subject.code not in without_variant:
            yield subject.name
