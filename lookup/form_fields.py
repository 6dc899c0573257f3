"""Reads what officers type into the forms about exams, every mistake at once."""

import re
from collections.abc import Collection, Mapping
from datetime import date, datetime, time
from typing import Any

from kit.clock import VIETNAM
from kit.errors import FieldError, InvalidForm

_LONGEST_NAME = 200
_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
# Nobody means another; and at the ends of the calendar the same moment has no day elsewhere in the world.
_YEARS = range(1990, 2101)
_HOUR = re.compile(
    r"([0-9]{1,2})\s*(?:[:.hg]|giờ)\s*([0-9]{2})?(?:\s*phút)?(?:[:\s]\s*([0-9]{2})(?:\s*giây)?)?", re.IGNORECASE
)


class Form:
    """Reads the fields of a form one by one; keeps every mistake."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.errors: list[FieldError] = []

    def text(self, name: str, most: int = _LONGEST_NAME, *, required: bool = True) -> str:
        """What was typed, without blanks around it."""
        text = self._typed(name)
        if required and not text:
            self.wrong(name, "exam_required")
        if len(text) > most:
            self.wrong(name, "exam_too_long", most=most)
        return text

    def passage(self, name: str, most: int, *, required: bool = False) -> str:
        """Several lines, as they were typed."""
        text = str(self._fields.get(name) or "").replace("\r\n", "\n").strip()
        if required and not text:
            self.wrong(name, "exam_required")
        if len(text) > most:
            self.wrong(name, "exam_too_long", most=most)
        return text

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of several."""
        chosen = str(self._fields.get(name) or "")
        if not chosen:
            self.wrong(name, "exam_required")
        elif chosen not in choices:
            self.wrong(name, "exam_choice_unknown")
        return chosen

    def is_ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self._fields.get(name))

    def day(self, name: str) -> date | None:
        """A day as a browser sends it (2026-07-01) or as people write it (1/7/2026)."""
        text = self.text(name, required=False).replace(" ", "")
        if not text:
            return None
        try:
            return _read_day(text)
        except ValueError:
            self.wrong(name, "exam_day_unreadable")
            return None

    def hour(self, name: str) -> time | None:
        """A time of day: 08:00, 8h00, 8 giờ; to the second where somebody writes one, 08:00:30."""
        text = self.text(name, required=False)
        if not text:
            return None
        try:
            return _read_hour(text)
        except ValueError:
            self.wrong(name, "exam_hour_unreadable")
            return None

    def moment(self, name: str) -> datetime | None:
        """Day and time of day, `{name}_day` and `{name}_hour`, on Vietnam's clock; both or neither."""
        on, at = self.day(f"{name}_day"), self.hour(f"{name}_hour")
        for part, other in (("day", "hour"), ("hour", "day")):
            if self._typed(f"{name}_{other}") and not self._typed(f"{name}_{part}"):
                self.wrong(f"{name}_{part}", "exam_required")
        return datetime.combine(on, at, VIETNAM) if on and at else None

    def wrong(self, field: str, code: str, **facts: Any) -> None:
        """One more mistake."""
        self.errors.append(FieldError(field, code, **facts))

    def check(self) -> None:
        """Raises InvalidForm if there was any."""
        if self.errors:
            raise InvalidForm(self.errors)

    def _typed(self, name: str) -> str:
        return " ".join(str(self._fields.get(name) or "").split())


def _read_day(text: str) -> date:
    if found := _ISO_DAY.fullmatch(text):
        year, month, day = map(int, found.groups())
    elif found := _DAY.fullmatch(text):
        day, month, year = map(int, found.groups())
    else:
        raise ValueError(text)
    if year not in _YEARS:
        raise ValueError(text)
    return date(year, month, day)


def _read_hour(text: str) -> time:
    if not (found := _HOUR.fullmatch(text)):
        raise ValueError(text)
    return time(int(found[1]), int(found[2] or 0), int(found[3] or 0))
