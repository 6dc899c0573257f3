"""What a correction does to the scores of each paper: how many go up, how many down, and by how much at most."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from lookup.exams import Exam


class PaperChanges(msgspec.Struct, frozen=True):
    """One paper: scores that rise or fall, results that come or go, and other changes; `largest` is between scores."""

    position: int
    name: str
    decimals: int
    higher: int
    lower: int
    added: int
    removed: int
    other: int
    largest: Decimal | None

    @property
    def total(self) -> int:
        """How many results of the paper change."""
        return self.higher + self.lower + self.added + self.removed + self.other


def read_changes(exam: Exam, rows: Iterable[Any]) -> list[PaperChanges]:
    """From rows of `count_changed_papers`, in the exam's order."""
    return [
        PaperChanges(
            position=row["position"],
            name=exam.subjects[row["position"] - 1].name,
            decimals=exam.subjects[row["position"] - 1].decimals,
            higher=row["higher"],
            lower=row["lower"],
            added=row["added"],
            removed=row["removed"],
            other=row["other"],
            largest=row["largest"],
        )
        for row in rows
    ]
