"""What a result says about re-marking: as much as the unit has told, and no invitation when it is over."""

import re
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from kit.locale import Locale
from kit.pages import Pages
from lookup.exams import Regrade
from tests.templates.gallery import FOUR_PAPERS, NO_PAPERS, NOW, REGRADE, THPT, VAN_GIANG, WITH_TOTAL

LATER = NOW + timedelta(days=10)
INVITATION = "có thể nộp đơn phúc khảo"


@pytest.mark.parametrize(
    ("locale", "told", "days"),
    [
        ("vi", REGRADE, "từ 02/7/2026 đến hết 10/7/2026"),
        ("en", REGRADE, "from 2 July 2026 to 10 July 2026"),
        ("vi", Regrade(from_=date(2026, 7, 2)), "từ 02/7/2026"),
        ("en", Regrade(to=date(2026, 7, 10)), "until 10 July 2026"),
    ],
)
def test_its_days_are_written_as_each_language_writes_them(pages, locale, told, days):
    assert f"<dd>{days}</dd>" in result(pages, told, locale=locale).replace("\n", "")


@pytest.mark.parametrize(
    ("told", "names"),
    [
        (REGRADE, ["Thời gian", "Nơi nộp đơn", "Lệ phí"]),
        (Regrade(to=date(2026, 7, 10)), ["Thời gian"]),
        (Regrade(fee="Không thu"), ["Lệ phí"]),
        (Regrade(), []),
    ],
)
def test_only_what_the_unit_has_told_has_a_line(pages, told, names):
    block = result(pages, told).partition('id="regrade"')[2]
    assert INVITATION in block
    assert re.findall(r"<dt>(.+?)</dt>", block.partition("</section>")[0]) == names
    assert ('<dl class="summary">' in block) == bool(names)


def test_nobody_is_invited_when_it_is_over(pages):
    text = result(pages, REGRADE, now=LATER)
    assert INVITATION not in text
    assert "Thời hạn nộp đơn phúc khảo đã hết ngày 10/7/2026." in text


def test_a_corrected_result_says_nothing_of_a_time_that_is_over(pages):
    assert INVITATION in result(pages, REGRADE, card=WITH_TOTAL)
    assert "Phúc khảo" not in result(pages, REGRADE, card=WITH_TOTAL, now=LATER)


def test_where_there_is_no_score_there_is_nothing_to_mark_again(pages):
    assert "Phúc khảo" not in result(pages, REGRADE, card=NO_PAPERS)


def result(pages: Pages, told: Regrade, *, locale: Locale = "vi", **changes: Any) -> str:
    """The page of a result of an exam whose unit has told this."""
    facts = {"path": "/x", "unit": VAN_GIANG, "now": NOW, "card": FOUR_PAPERS} | changes
    return pages.html(locale, "lookup/score_result.html", exam=msgspec.structs.replace(THPT, regrade=told), **facts)
