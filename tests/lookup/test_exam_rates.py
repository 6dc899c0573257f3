"""An exam has limits of its own where an officer set them, though no looser ones for guessers."""

import pytest

from lookup.exam_rates import read_rate
from lookup.exams import RATES, find_exam
from tests.lookup.desk import Office, actions_on_record, given_draft

NO_RATES = dict.fromkeys(RATES, "")


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


async def rates_of(connection, code) -> list[str | None]:
    exam = await find_exam(connection, code)
    return [getattr(exam, name) for name in RATES]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("600/minute", "600/minute"),
        (" 10 per 15 minutes ", "10/15minute"),
        ("1/1day", "1/day"),
        ("86400/86400second", "86400/86400second"),
    ],
)
def test_a_rate_is_kept_in_one_spelling(written, kept):
    assert read_rate(written) == kept


@pytest.mark.parametrize(
    "written", ["", "600", "0/minute", "fast", "1/month", "2/48hour", "1000000000/minute", "1/minute;2/hour"]
)
def test_what_is_no_rate_is_refused(written):
    with pytest.raises(ValueError, match="is no rate"):
        read_rate(written)


async def test_an_editor_sets_limits_at_once_and_the_record_tells(office, connection):
    hien = await office.hien()
    code = await given_draft(hien)
    answer = await hien.submit(
        f"/can-bo/ky-thi/{code}/gioi-han", **NO_RATES | {"lookup_rate": "300/minute", "wrong_factor_rate": "6/15minute"}
    )
    assert answer.status_code == 303
    assert await rates_of(connection, code) == ["300/minute", "6/15minute", None]
    assert "6/15minute" in (await hien.get(f"/can-bo/ky-thi/{code}/sua")).text
    await hien.submit(f"/can-bo/ky-thi/{code}/gioi-han", **NO_RATES)
    assert await rates_of(connection, code) == [None] * 3
    assert (await actions_on_record(connection)).count("exam.limited") == 2


async def test_on_the_web_nobody_lets_guessers_try_more_than_the_service_does(office, connection):
    hien = await office.hien()
    code = await given_draft(hien)
    for loose in ("12/15minute", "10/14minute", "1000/day"):
        answer = await hien.submit(f"/can-bo/ky-thi/{code}/gioi-han", **NO_RATES | {"wrong_factor_rate": loose})
        assert (answer.status_code, "rộng hơn mức chung" in answer.text, loose in answer.text) == (422, True, True)
    answer = await hien.submit(f"/can-bo/ky-thi/{code}/gioi-han", **NO_RATES | {"lookup_rate": "nhanh"})
    assert (answer.status_code, "Viết số lượt" in answer.text) == (422, True)
    assert await rates_of(connection, code) == [None] * 3
