"""Read the rows of a file of units: what each says by itself, and what is wrong with it."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from kit import legacy_text
from kit.dates import NotADate, parse_birth_date
from kit.errors import DomainError
from kit.tables import Table
from kit.vietnamese import clean_cell, search_key
from units.history.events import Decision
from units.lists.headings import Layout, find_kind, nearest_kind
from units.lists.problems import Problem

# All schools of the country are fewer.
MOST_ROWS = 50_000
_LONGEST = 500
_ROWS_NAMED = 5
_SLUG = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_WEBSITE = re.compile(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?::[0-9]+)?(?:/\S*)?", re.IGNORECASE)


class Told(msgspec.Struct):
    """What a row says: `cells` by role, cleaned, empty ones left out; `facts` ready to be stored."""

    row: int
    code: str
    cells: dict[str, str]
    facts: dict[str, str]
    decision: Decision | None = None


class RowReader:
    """Reads the rows of one file and gathers what is wrong with them."""

    def __init__(self, table: Table, layout: Layout) -> None:
        self._table, self._layout = table, layout
        self.problems: list[Problem] = []

    def read(self) -> list[Told]:
        """Every row that has a code, in the order of the file."""
        told: list[Told] = []
        for number, cells in self._rows():
            row = self._read_row(number, cells)
            if row:
                told.append(row)
            if len(told) > MOST_ROWS:
                self.problems.append(Problem("too_many_rows", facts={"most": MOST_ROWS}))
                break
        self._find_legacy_columns()
        self._find_twins(told)
        if not told and not self.problems:
            self.problems.append(Problem("no_rows"))
        return told

    def fault(
        self,
        code: str,
        row: int,
        role: str,
        cell: str = "",
        suggestion: str | None = None,
        *,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """Note what is wrong with a cell, or with the row where the file has no such column."""
        column = self._layout.columns.get(role)
        heading = "" if column is None else self._layout.headings[column]
        self.problems.append(Problem(code, row, column, heading, cell, facts or {}, suggestion))

    def note(self, refused: DomainError, told: Told, role: str) -> None:
        """Note that a rule does not let a row through; what it has to do with the decision stands there."""
        rule = str(refused.facts.get("rule", refused.code))
        role = "decision_date" if rule.startswith("a_decision") else role
        self.fault("not_possible", told.row, role, told.cells.get(role, ""), facts={"rule": rule})

    @property
    def has_errors(self) -> bool:
        """Whether anything keeps the file out."""
        return any(problem.is_error for problem in self.problems)

    def _rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        for chunk in self._table.chunks():
            for i in chunk.overlong:
                self.problems.append(Problem("row_too_wide", chunk.numbers[i]))
            for number, row in zip(chunk.numbers, chunk.rows, strict=True):
                cells = {role: clean_cell(row[column])[0] for role, column in self._layout.columns.items()}
                yield number, {role: cell for role, cell in cells.items() if cell}

    def _read_row(self, number: int, cells: dict[str, str]) -> Told | None:
        if not cells:
            return None
        for role, cell in cells.items():
            if len(cell) > _LONGEST:
                self.fault("cell_too_long", number, role, cell, facts={"most": _LONGEST})
        code = cells.pop("code", "")
        if not code:
            self.fault("code_missing", number, "code")
            return None
        if not _SLUG.fullmatch(code):
            suggestion = _slug_of(code)
            self.fault("not_possible", number, "code", code, suggestion, facts={"rule": "unit_code_is_a_slug"})
        told = Told(number, code, cells, {})
        for fact in ("name", "short_name", "name_en", "governing_body", "responsible_person", "address", "hotline"):
            if fact in cells:
                told.facts[fact] = cells[fact]
        self._read_kind(told)
        self._read_contacts(told)
        told.decision = self._read_decision(told)
        return told

    def _read_kind(self, told: Told) -> None:
        if "kind" not in told.cells:
            return
        if kind := find_kind(told.cells["kind"]):
            told.facts["kind"] = kind
        else:
            self.fault("kind_unknown", told.row, "kind", told.cells["kind"], nearest_kind(told.cells["kind"]))

    def _read_contacts(self, told: Told) -> None:
        if email := told.cells.get("email"):
            told.facts["email"] = email
            if not _EMAIL.fullmatch(email):
                self.fault("email_malformed", told.row, "email", email)
        if website := told.cells.get("website"):
            told.facts["website"] = website if "://" in website else f"https://{website}"
            if not _WEBSITE.fullmatch(website):
                self.fault("website_malformed", told.row, "website", website)

    def _read_decision(self, told: Told) -> Decision | None:
        number, day = told.cells.get("decision_number"), told.cells.get("decision_date")
        if not number and not day:
            return None
        if not number or not day:
            self.fault("decision_incomplete", told.row, "decision_date" if number else "decision_number")
            return None
        on = self._read_date(told.row, day)
        return Decision(number, on) if on else None

    def _read_date(self, row: int, cell: str) -> date | None:
        try:
            return parse_birth_date(cell, serial=self._table.kind == "xlsx")
        except NotADate:
            self.fault("date_unreadable", row, "decision_date", cell)
            return None

    def _find_legacy_columns(self) -> None:
        for column, charset in self._table.legacy.items():
            if column in self._layout.columns.values():
                facts = {"charset": legacy_text.TITLES[charset]}
                heading = self._layout.headings[column]
                self.problems.append(Problem("legacy_text", self._table.header.row, column, heading, facts=facts))

    def _find_twins(self, told: list[Told]) -> None:
        rows: dict[str, list[int]] = defaultdict(list)
        for each in told:
            rows[each.code].append(each.row)
        for code, numbers in rows.items():
            if len(numbers) > 1:
                named = ", ".join(map(str, numbers[:_ROWS_NAMED])) + (", …" if len(numbers) > _ROWS_NAMED else "")
                self.fault("code_twice", numbers[0], "code", code, facts={"rows": named})


def _slug_of(code: str) -> str | None:
    slug = re.sub(r"[^a-z0-9]+", "-", search_key(code)).strip("-")
    return slug if _SLUG.fullmatch(slug) else None
