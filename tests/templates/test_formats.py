"""Numbers, moments and addresses as each language writes them."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from kit import locale as languages


def test_a_score_has_a_comma_in_vietnamese_and_a_dot_in_english():
    assert languages.number(Decimal("8.5"), 2, "vi") == "8,50"
    assert languages.number(Decimal("8.5"), 2, "en") == "8.50"
    assert languages.number(Decimal(100), 0, "vi") == "100"


def test_counts_are_grouped():
    assert languages.count(1153226, "vi") == "1.153.226"
    assert languages.count(1153226, "en") == "1,153,226"


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 7, 1), "01/7/2026"),
        (date(2026, 2, 15), "15/02/2026"),
        (date(2026, 12, 31), "31/12/2026"),
    ],
)
def test_a_date_is_written_as_on_official_papers(day, text):
    assert languages.day(day, "vi") == text


def test_a_moment_is_told_by_the_clock_of_vietnam():
    eight = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
    assert languages.moment(eight, "vi").striptags() == "8 giờ 00, ngày 01/7/2026"
    assert languages.moment(eight, "en").striptags() == "08:00, 1 July 2026"
    assert 'datetime="2026-07-01T08:00:00+07:00"' in languages.moment(eight, "vi")


def test_a_moment_set_to_the_second_tells_it_and_one_that_just_happened_does_not():
    early = datetime(2026, 7, 1, 1, 0, 30, tzinfo=UTC)
    assert languages.moment_in_words(early) == "8 giờ 00 phút 30 giây, ngày 01/7/2026"
    assert languages.moment_in_words(early, "en") == "08:00:30, 1 July 2026"
    assert languages.moment_in_words(early.replace(microsecond=7)) == "8 giờ 00, ngày 01/7/2026"


def test_a_moment_that_is_decided_about_tells_its_weekday():
    sunday = datetime(2026, 7, 4, 17, 5, tzinfo=UTC)
    assert languages.moment(sunday, "vi", weekday=True).striptags() == "0 giờ 05, Chủ nhật ngày 05/7/2026"
    assert languages.moment(sunday, "en", weekday=True).striptags() == "00:05, Sunday 5 July 2026"


@pytest.mark.parametrize(
    ("seconds", "vietnamese", "english"),
    [
        (1, "1 giây", "1 second"),
        (40, "40 giây", "40 seconds"),
        (91, "2 phút", "2 minutes"),
        (900, "15 phút", "15 minutes"),
    ],
)
def test_a_long_wait_is_told_in_minutes(seconds, vietnamese, english):
    assert languages.wait(seconds, "vi") == vietnamese
    assert languages.wait(seconds, "en") == english


@pytest.mark.parametrize(
    ("vietnamese", "english"),
    [("/", "/en"), ("/huong-dan", "/en/huong-dan"), ("/tra-cuu/diem-thi/x", "/en/tra-cuu/diem-thi/x")],
)
def test_every_address_has_its_english_one(vietnamese, english):
    assert languages.in_locale(vietnamese, "en") == english
    assert languages.without_locale(english) == vietnamese
    assert languages.locale_of(english) == "en"
    assert languages.locale_of(vietnamese) == "vi"


def test_an_address_that_only_begins_with_en_is_vietnamese():
    assert languages.locale_of("/engagement") == "vi"
    assert languages.without_locale("/engagement") == "/engagement"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Sở GDĐT Vân Giang", "VG"), ("Trường Tiểu học Bình Minh", "BM"), ("Xã Đồi Nắng", "ĐN"), ("Báo Danh", "BD")],
)
def test_a_units_mark_has_the_letters_of_its_own_name(name, letters):
    assert languages.monogram(name) == letters


def test_code_in_a_sentence_is_marked_and_nothing_else_becomes_markup():
    assert languages.with_code("`Retry-After` <b>") == "<code>Retry-After</code> &lt;b&gt;"


def test_the_day_of_a_moment_is_the_day_in_vietnam():
    late = datetime(2026, 6, 30, 17, 30, tzinfo=UTC)
    assert languages.day(late, "vi") == "01/7/2026"
    assert languages.day(late, "en") == "1 July 2026"
    assert languages.day(late.date(), "vi") == "30/6/2026"
