"""Birth dates as people write them: the day always comes first."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.dates import NotADate, parse_birth_date

BIRTH = dt.date(2008, 2, 1)
birth_dates = st.dates(dt.date(1931, 1, 1), dt.date(2030, 12, 31))
FULL_WIDTH = str.maketrans("0123456789/-.", "０１２３４５６７８９／－．")


@pytest.mark.parametrize(
    "written",
    [
        "1/2/2008",
        "01022008",
        "01-02-2008",
        "01.02.2008",
        "1/2/08",
        "01-02-08",
        "2008-02-01",
        "2008/2/1",
        "2008.02.01",
        " 1 / 2 / 2008 ",
        "\u00a001/02/2008\u200b",
        "１／２／２００８",
        "1–2–2008",
        "2008-02-01 00:00:00",
        "2008-02-01T00:00:00",
        "1/2/2008 0:00",
        "01/02/2008 12:00:00 SA",
        "01/02/2008 12:00:00 AM",
    ],
)
def test_every_usual_way_of_writing_a_date_is_read(written):
    assert parse_birth_date(written) == BIRTH


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2008", "year_only"),
        ("02/2008", "year_only"),
        ("00/00/2008", "year_only"),
        ("0/2/2008", "year_only"),
        ("31/02/2008", "impossible"),
        ("30/2/2008", "impossible"),
        ("29/2/2009", "impossible"),
        ("02/15/2008", "impossible"),
        ("1/13/2008", "impossible"),
        ("1/2/1008", "impossible"),
        ("1/2/2208", "impossible"),
        ("2008-13-01", "impossible"),
        ("", "unreadable"),
        ("không rõ", "unreadable"),
        ("1/2", "unreadable"),
        ("1/2/2008 08:30", "unreadable"),
        ("010208", "unreadable"),
        ("20080201", "unreadable"),
        ("31022008", "impossible"),
        ("39479", "unreadable"),
        ("1/2/208", "unreadable"),
        ("١/٢/٢٠٠٨", "unreadable"),
    ],
)
def test_what_is_no_date_says_why(written, reason):
    with pytest.raises(NotADate) as refusal:
        parse_birth_date(written)
    assert refusal.value.reason == reason


@settings(deadline=None)
@given(birth_dates, st.sampled_from("/-."), st.booleans(), st.booleans())
def test_a_date_is_read_back_whatever_the_separator_and_the_digits(date, separator, padded, wide):
    pieces = [f"{date.day:02d}", f"{date.month:02d}"] if padded else [str(date.day), str(date.month)]
    written = separator.join([*pieces, str(date.year)])
    assert parse_birth_date(written.translate(FULL_WIDTH) if wide else written) == date
    assert parse_birth_date(date.isoformat()) == date


@settings(deadline=None)
@given(birth_dates)
def test_a_year_of_two_digits_is_the_last_such_year(date):
    assert parse_birth_date(f"{date.day}/{date.month}/{date.year % 100:02d}") == date


def test_nobody_is_born_after_the_latest_date():
    latest = dt.date(2026, 7, 1)
    assert parse_birth_date("1/2/27", latest=latest) == dt.date(1927, 2, 1)
    assert parse_birth_date("1/7/26", latest=latest) == latest
    with pytest.raises(NotADate):
        parse_birth_date("2/7/2026", latest=latest)


@settings(deadline=None)
@given(st.dates(dt.date(1927, 5, 18), dt.date(2099, 12, 31)))
def test_excels_count_of_days_is_read_only_when_asked(date):
    serial = str((date - dt.date(1899, 12, 30)).days)
    assert parse_birth_date(serial, serial=True) == date
    assert parse_birth_date(serial + ".0", serial=True) == date
    with pytest.raises(NotADate):
        parse_birth_date(serial)


def test_a_number_that_looks_like_a_year_is_a_year():
    with pytest.raises(NotADate) as refusal:
        parse_birth_date("2008", serial=True)
    assert refusal.value.reason == "year_only"


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[0-9 /.\-:T]{0,25}", fullmatch=True), st.booleans())
def test_any_text_is_a_date_or_says_why_not(text, serial):
    assert _year_or_reason(text, serial=serial) in {"year_only", "impossible", "unreadable", *range(1900, 2100)}


def _year_or_reason(text, *, serial):
    try:
        return parse_birth_date(text, serial=serial).year
    except NotADate as refusal:
        return refusal.reason
