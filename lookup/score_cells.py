"""Read one cell of a result file: a score, a mark, a total, a birth date, a name, as departments type them."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

import msgspec

from kit.dates import NotADate, parse_birth_date
from kit.vietnamese import clean_cell, full_width_to_ascii
from lookup.marks import MARKS, nearest_mark, recognise_mark, says_none
from lookup.score_problems import Fault
from lookup.subjects import Subject
from lookup.totals import TotalRule

LONGEST_NAME = 150

_NUMBER = re.compile(r"([0-9]{1,9})(?:[.,]([0-9]{1,15}))?")
_SPLIT_NUMBER = re.compile(r"(?:([0-9]{1,2})\s*[.,;:/' -]|[.,])\s*([0-9]{1,2})?")
_MINUS_ONE = re.compile(r"^-1[.,]0+$")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ].*)?")
_DATE = re.compile(r"([0-9]{1,2})\s*[/.\- ]\s*([0-9]{1,2})\s*[/.\- ]\s*([0-9]{4}|[0-9]{2})(?: 0{1,2}:00(?::00)?)?")
_MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])[/.-](1[3-9]|2[0-9]|3[01])[/.-]([0-9]{4}|[0-9]{2})")
_YOUNGEST, _OLDEST = 5, 90
_ODD_IN_A_NAME = re.compile(r"[^\w '’.,()\-]|[\d_]")


class Reading(msgspec.Struct, frozen=True, gc=False):
    """What a cell of a paper says: a score (text of a decimal), or a mark, or neither: not taken. Or what is wrong."""

    score: str | None = None
    mark: str | None = None
    fault: Fault | None = None


NOT_TAKEN = Reading()
NO_VALUE = Fault("formula_without_value")


def cleaned(cell: str) -> str:
    """What stands in a cell that is no name: plain signs, without invisible ones, outer blanks and entities."""
    # An apostrophe in front tells Excel that a cell is text.
    return full_width_to_ascii(clean_cell(cell)[0]).removeprefix("'")


def read_paper(cell: str, subject: Subject) -> Reading:
    """A cell of a paper's column. Zero is a score; an empty cell is a paper not taken; `KT` is absence.

    `-1` and dashes are absence in a score; a dash in a prize says that there is none, of somebody who was there.
    """
    text = _MINUS_ONE.sub("-1", cleaned(cell))
    if not text or says_none(text, subject.type):
        return NOT_TAKEN
    if is_formula(text):
        return Reading(fault=NO_VALUE)
    if mark := recognise_mark(text, subject.type):
        return Reading(mark=mark)
    return _read_score(text, subject) if subject.type == "score" else Reading(fault=_no_mark(text, subject))


def is_formula(text: str) -> bool:
    """Whether a cell holds a formula instead of the value that it was to have."""
    return text.startswith("=")


def _read_score(text: str, subject: Subject) -> Reading:
    number = _NUMBER.fullmatch(text)
    if number is None:
        return Reading(fault=_no_score(text, subject))
    decimals = (number[2] or "").rstrip("0")
    score = Decimal(f"{number[1]}.{decimals or '0'}")
    if not subject.lowest <= score <= subject.highest:
        range_ = {"lowest": _plain(subject.lowest), "highest": _plain(subject.highest)}
        return Reading(fault=Fault("score_out_of_range", range_, _point_forgotten(number, subject)))
    if len(decimals) > subject.decimals:
        nearest = _plain(round(score / subject.step) * subject.step)
        return Reading(fault=Fault("score_too_precise", {"decimals": subject.decimals}, nearest))
    fault = None if score % subject.step == 0 else Fault("score_off_step", {"step": _plain(subject.step)})
    return Reading(score=f"{score:.{subject.decimals}f}", fault=fault)


def _no_mark(text: str, subject: Subject) -> Fault:
    words = ", ".join(mark.word for mark in MARKS.values() if subject.type in mark.types)
    return Fault("mark_not_understood", {"subject": subject.name, "words": words}, nearest_mark(text, subject.type))


def _no_score(text: str, subject: Subject) -> Fault:
    if day := _ISO_DATE.fullmatch(text):
        return _no_date(int(day[3]), int(day[2]), subject)
    if day := _DATE.fullmatch(text):
        return _no_date(int(day[1]), int(day[2]), subject)
    if split := _SPLIT_NUMBER.fullmatch(text):
        return Fault("score_not_understood", {}, _first_plausible([f"{split[1] or 0}.{split[2] or 0}"], subject))
    return Fault("score_not_understood", {}, nearest_mark(text, subject.type))


def _no_date(day: int, month: int, subject: Subject) -> Fault:
    # A Vietnamese Excel reads 8.5 as the 8th of May, an English one 8.25 as August 25th.
    return Fault("score_became_date", {}, _first_plausible([f"{day}.{month}", f"{month}.{day}"], subject))


def _point_forgotten(number: re.Match[str], subject: Subject) -> str | None:
    """`825` may be 8.25: the only place for a point that gives a possible score."""
    if number[2]:
        return None
    digits = number[1]
    places = range(max(1, len(digits) - subject.decimals), len(digits))
    found = list(_plausible((f"{digits[:place]}.{digits[place:]}" for place in places), subject))
    return found[0] if len(found) == 1 else None


def _first_plausible(numbers: Iterable[str], subject: Subject) -> str | None:
    return next(_plausible(numbers, subject), None)


def _plausible(numbers: Iterable[str], subject: Subject) -> Iterator[str]:
    for text in numbers:
        score = Decimal(text)
        if subject.lowest <= score <= subject.highest and score % subject.step == 0:
            yield _plain(score)


def read_total(cell: str, rule: TotalRule) -> Reading:
    """A cell of the column with the total; a mark of absence there is no total."""
    text = cleaned(cell)
    if not text or recognise_mark(_MINUS_ONE.sub("-1", text), "score"):
        return NOT_TAKEN
    number = _NUMBER.fullmatch(text)
    decimals = (number[2] or "").rstrip("0") if number else ""
    if number is None or len(decimals) > rule.decimals:
        return Reading(fault=Fault("total_not_understood", {"decimals": rule.decimals}))
    return Reading(score=f"{Decimal(f'{number[1]}.{decimals or 0}'):.{rule.decimals}f}")


def read_birth_date(cell: str, exam_year: int) -> date | Fault | None:
    """A birth date, day first, in any of the forms that departments write; Excel's count of days too."""
    text = cleaned(cell)
    if not text:
        return None
    try:
        born = parse_birth_date(text, serial=True, latest=date(exam_year, 12, 31))
    except NotADate as problem:
        return _no_birth_date(text, exam_year, problem.reason)
    if not _YOUNGEST <= exam_year - born.year <= _OLDEST:
        return Fault("birth_date_implausible", {"year": exam_year})
    return born


def _no_birth_date(text: str, exam_year: int, reason: str) -> Fault:
    if reason == "year_only":
        return Fault("birth_date_incomplete")
    american = _MONTH_FIRST.fullmatch(text)
    meant = read_birth_date(f"{american[2]}/{american[1]}/{american[3]}", exam_year) if american else None
    if isinstance(meant, date):
        return Fault("birth_date_not_understood", {}, f"{meant:%d/%m/%Y}")
    return Fault("birth_date_not_understood")


def check_name(name: str) -> Fault | None:
    """What is wrong with a cleaned name: too long (an error), or signs that names do not have (a warning)."""
    if len(name) > LONGEST_NAME:
        return Fault("name_too_long", {"limit": LONGEST_NAME})
    return Fault("name_odd") if _ODD_IN_A_NAME.search(name) else None


def _plain(number: Decimal) -> str:
    """A number as people write it: 10, 0.25."""
    return f"{number.normalize():f}"
