"""What is wrong with a result file, by row and column: in English for the operator, in Vietnamese for the sender."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from kit.tables import quoted

Language = Literal["en", "vi"]

# Every problem is counted; this many are kept to be listed, so that a wrong file cannot fill the memory.
LISTED_ERRORS = 100_000
LISTED_WARNINGS = 20_000


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    severity: Literal["error", "warning"]
    title: str
    en: str
    vi: str


MESSAGES: dict[str, _Message] = msgspec.convert(
    tomllib.loads((Path(__file__).parent / "data" / "import_messages.toml").read_text(encoding="utf-8")),
    dict[str, _Message],
)


class Fault(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with one cell, wherever it stands. `suggestion` is a value that may have been meant."""

    code: str
    facts: Mapping[str, object] = {}
    suggestion: str | None = None

    @property
    def is_error(self) -> bool:
        """Whether it keeps the file out; a warning does not."""
        return MESSAGES[self.code].severity == "error"


class Problem(msgspec.Struct, frozen=True, gc=False):
    """A fault in its place. `row` as Excel counts, None for the file; `column` from 0, None for the whole row."""

    fault: Fault
    row: int | None = None
    column: int | None = None
    heading: str = ""
    cell: str = ""

    @property
    def code(self) -> str:
        """The word for it: a key of the messages."""
        return self.fault.code

    @property
    def is_error(self) -> bool:
        """Whether it keeps the file out; a warning does not."""
        return self.fault.is_error

    def sentence(self, language: Language = "en", *, hint: bool = True) -> str:
        """What is wrong and what to do; with `hint` the suggestion too, where there is one."""
        text = self._filled(getattr(MESSAGES[self.code], language), self.fault.facts)
        if self.fault.suggestion is None or not hint:
            return text
        perhaps = getattr(MESSAGES["suggestion"], language)
        return f"{text} {self._filled(perhaps, {'suggestion': self.fault.suggestion})}"

    def _filled(self, sentence: str, facts: Mapping[str, object]) -> str:
        return sentence.format_map({"heading": self.heading, "cell": quoted(self.cell), **facts})


class Problems:
    """All that is wrong with a file: every one counted, as many kept as memory allows."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.errors = 0
        self.warnings = 0
        self._listed_errors: list[Problem] = []
        self._listed_warnings: list[Problem] = []

    def add(self, problem: Problem) -> None:
        """Count a problem, and keep it to be listed while there is room."""
        self.counts[problem.code] += 1
        if problem.is_error:
            self.errors += 1
            listed, limit = self._listed_errors, LISTED_ERRORS
        else:
            self.warnings += 1
            listed, limit = self._listed_warnings, LISTED_WARNINGS
        if len(listed) < limit:
            listed.append(problem)

    def count_more(self, code: str, how_many: int) -> None:
        """Count errors of one kind without listing them."""
        self.counts[code] += how_many
        self.errors += how_many

    @property
    def listed(self) -> list[Problem]:
        """Those that were kept, in the order of the file; what concerns the whole file comes first."""
        return sorted(self._listed_errors + self._listed_warnings, key=lambda p: (p.row or 0, p.column or 0))

    @property
    def unlisted(self) -> int:
        """How many were counted but not kept."""
        return self.errors + self.warnings - len(self._listed_errors) - len(self._listed_warnings)
