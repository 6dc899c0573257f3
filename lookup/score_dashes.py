"""Dashes in columns of scores: read as absence, which the sender should hear of, once for each column."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lookup.exams import Exam
from lookup.score_cells import cleaned
from lookup.score_columns import Layout
from lookup.score_papers import Remembered
from lookup.score_problems import Fault, Problem

_DASHES = ("-", "–", "—")


class Dashes:
    """Counts cells with nothing but one dash, as the rows go by."""

    def __init__(self, exam: Exam, layout: Layout) -> None:
        scored = [subject for subject in exam.subjects if subject.type == "score"]
        columns = [layout.papers.get(subject.position) for subject in scored]
        columns += [layout.paper_score, *(group.score_column for group in layout.groups)]
        self._headings = layout.headings
        self._columns = [column for column in columns if column is not None]
        self._found: Counter[int] = Counter()
        self._written: dict[int, str] = {}
        self._dash = Remembered[str, str](lambda cell: text if (text := cleaned(cell)) in _DASHES else "")

    def count(self, columns: Sequence[Sequence[str]]) -> None:
        """Count those of a chunk; one look over all of a column tells whether there may be any."""
        for column in self._columns:
            everything = "".join(columns[column])
            if not any(dash in everything for dash in _DASHES):
                continue
            if found := [dash for cell in columns[column] if (dash := self._dash[cell])]:
                self._found[column] += len(found)
                self._written.setdefault(column, found[0])

    def problems(self, header_row: int) -> Iterator[Problem]:
        """A warning for each column that has any."""
        for column, count in sorted(self._found.items()):
            cells, were = ("cell", "was") if count == 1 else ("cells", "were")
            fault = Fault("dash_read_as_absent", {"count": count, "cells": cells, "were": were})
            yield Problem(fault, header_row, column, self._headings[column], self._written[column])
