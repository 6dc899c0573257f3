"""Birth dates as people write them: day first, always."""

import datetime as dt
import re
from typing import Literal

from kit.vietnamese import full_width_to_ascii

Reason = Literal["year_only", "impossible", "unreadable"]

_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"))
_INVISIBLE = "\u200b\u200e\u200f\u2060\ufeff"
# Exports often add the time of day that a birth date does not have.
_MIDNIGHT = re.compile(r"(?:T|\s+)(?:0?0:00(?::00(?:\.0+)?)?|12:00(?::00)?\s*(?:AM|SA))", re.IGNORECASE)
_BLANKS = re.compile(rf"[\s{_INVISIBLE}]+")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.-]([0-9]{1,2})[/.-]([0-9]{1,2})")
# Phones show a pad of digits alone.
_BARE = re.compile(r"([0-9]{2})([0-9]{2})((?:19|20)[0-9]{2})")
_YEAR_ONLY = re.compile(r"(?:(?:0{1,2}[/.-])?[0-9]{1,2}[/.-])?(?:19|20)[0-9]{2}")
_SERIAL = re.compile(r"([0-9]{5})(?:[.,]0+)?")
# Excel counts days from here, if one believes with it that 1900 was a leap year: right from March 1900 on.
_SERIAL_ZERO = dt.date(1899, 12, 30)
_EARLIEST = dt.date(1900, 1, 1)
_LATEST = dt.date(2099, 12, 31)
# Two digits above this are of the last century, as long as nobody says what today is.
_LAST_SHORT_YEAR = 30


class NotADate(ValueError):
    """A text that is no birth date; `reason` says why.

    `year_only`: day or month are missing or zero. `impossible`: no such day in the calendar, or nobody alive or
    everybody yet unborn then (also when the month comes first: `02/15/2008`). `unreadable`: anything else.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def parse_birth_date(text: str, *, serial: bool = False, latest: dt.date | None = None) -> dt.date:
    """1 February 2008 in `1/2/2008`, `01-02-2008`, `01.02.2008`, `01022008`, `2008-02-01` or `1/2/08`.

    Blanks and full-width digits are harmless. A two-digit year is the last one not after `latest` (2030 unless
    given). With `serial` five digits are Excel's count of days. Raises NotADate.
    """
    written = full_width_to_ascii(text).translate(_DASHES).strip(f" \t\r\n\xa0{_INVISIBLE}")
    if midnight := _MIDNIGHT.search(written):
        written = written[: midnight.start()] if midnight.end() == len(written) else written
    written = _BLANKS.sub("", written)
    date = _read_date(written, latest.year if latest else 2000 + _LAST_SHORT_YEAR, serial=serial)
    if not _EARLIEST <= date <= (latest or _LATEST):
        raise NotADate("impossible")
    return date


def _read_date(written: str, last_year: int, *, serial: bool) -> dt.date:
    if found := _DAY_FIRST.fullmatch(written) or _BARE.fullmatch(written):
        day, month, year = map(int, found.groups())
        return _date(year if len(found[3]) > 2 else _full_year(year, last_year), month, day)  # noqa: PLR2004
    if found := _YEAR_FIRST.fullmatch(written):
        year, month, day = map(int, found.groups())
        return _date(year, month, day)
    if _YEAR_ONLY.fullmatch(written):
        raise NotADate("year_only")
    if serial and (found := _SERIAL.fullmatch(written)):
        return _SERIAL_ZERO + dt.timedelta(days=int(found[1]))
    raise NotADate("unreadable")


def _date(year: int, month: int, day: int) -> dt.date:
    if day == 0:
        raise NotADate("year_only")
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise NotADate("impossible") from None


def _full_year(year: int, last_year: int) -> int:
    return 2000 + year if 2000 + year <= last_year else 1900 + year
