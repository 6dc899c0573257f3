"""Day and hour as officers type them: what they wrote is when it opens, to the second."""

from datetime import time

import pytest

from lookup.form_fields import Form


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("08:00", time(8)),
        ("8h00", time(8)),
        ("8 giờ", time(8)),
        ("8 giờ 15 phút", time(8, 15)),
        ("7.30", time(7, 30)),
        ("08:00:30", time(8, 0, 30)),
        ("8 giờ 15 phút 30 giây", time(8, 15, 30)),
    ],
)
def test_an_hour_is_read_as_it_was_written(typed, meant):
    form = Form({"opens_hour": typed})
    assert (form.hour("opens_hour"), form.errors) == (meant, [])


@pytest.mark.parametrize("typed", ["sáng", "25:00", "8:61", "08:00:61", "8:5", "08:00:0", "-8:00"])
def test_what_is_no_hour_is_refused(typed):
    form = Form({"opens_hour": typed})
    assert form.hour("opens_hour") is None
    assert [error.code for error in form.errors] == ["exam_hour_unreadable"]


def test_a_moment_is_on_the_clock_of_vietnam():
    moment = Form({"opens_day": "1/7/2026", "opens_hour": "8:00:30"}).moment("opens")
    assert moment is not None
    assert moment.isoformat() == "2026-07-01T08:00:30+07:00"


@pytest.mark.parametrize(
    "typed", ["0001-01-01", "9999-12-31", "01/01/0001", "٢٠٢٦-01-01", "2026-13-01", "2026-02-29", "x"]
)
def test_what_is_no_day_that_anybody_means_is_refused(typed):
    form = Form({"opens_day": typed, "opens_hour": "01:00"})
    assert form.moment("opens") is None
    assert [error.code for error in form.errors] == ["exam_day_unreadable"]
