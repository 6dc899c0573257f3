"""Every letter: complete in text and in HTML, no address lost, nothing fetched from anywhere."""

import re
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import meta

from kit.pages import Pages
from tests.people import MORNING

ROOT = Path(__file__).parents[2] / "templates"
HOME = "https://diemthi.vangiang.example.vn"
LETTERS = sorted(path.stem for path in (ROOT / "mail").glob("*.html") if path.stem != "layout")

# What letters are filled with, all of them from this one table: whoever writes a letter with a new fact adds it here.
FACTS = {
    "officer": SimpleNamespace(name="Bà Lê Thị Ngọc Lan", email="lan@vangiang.edu.vn"),
    "by": SimpleNamespace(name="Ông Trần Quốc Toản"),
    "absent": SimpleNamespace(name="Bà Phạm Thu Hà"),
    "approval": SimpleNamespace(
        id="5f0c",
        preview=SimpleNamespace(title="Kết quả kỳ thi tuyển sinh lớp 10"),
        takes_effect_at=MORNING + timedelta(days=1),
        handed_in_at=MORNING,
        reason="Điểm bài thi môn Ngữ văn chưa đủ",
        note="Đã đối chiếu với biên bản",
    ),
    "step": "approved",
    "kind_title": "Công bố kết quả kỳ thi",
    "authors": ["Bà Lê Thị Ngọc Lan", "Ông Trần Quốc Toản"],
    "exam": SimpleNamespace(
        code="lop-10", name="Kỳ thi tuyển sinh lớp 10 năm 2026", unit=SimpleNamespace(name="Sở Giáo dục và Đào tạo")
    ),
    "released": SimpleNamespace(result_count=12_345, opens_at=MORNING),
    "unit_name": "Sở Giáo dục và Đào tạo tỉnh Văn Giang",
    "period": SimpleNamespace(first=date(2026, 7, 1), last=date(2026, 7, 15)),
    "roles": [("Biên tập viên", "Trường THPT Văn Giang"), ("Người phê duyệt", "Trường THPT Văn Giang")],
    "reason": "Nghỉ phép năm",
    "path": "/can-bo/thiet-lap?ma=x7Yq-3f",
    "until": MORNING + timedelta(days=3),
    "asleep_at": MORNING + timedelta(days=5),
    "device": "Chrome trên Windows",
    "address": "203.0.113.0/24",
    "now": MORNING,
}


@pytest.fixture(scope="module")
def pages():
    return Pages(ROOT)


def written(pages, name, **facts):
    return pages.letter(name, **FACTS | {"home": HOME, "link": lambda path: HOME + path} | facts)


@pytest.fixture(params=LETTERS)
def letter(request, pages):
    return written(pages, request.param)


def test_a_subject_is_one_short_line(letter):
    subject, _, html = letter
    assert 5 < len(subject) <= 110
    assert "\n" not in subject
    assert f"<title>{subject}</title>" in html.replace("&#39;", "'").replace("&amp;", "&")


def test_nothing_is_left_unfilled(letter):
    for part in letter:
        assert not re.search(r"\{[{%]|[%}]\}|None|Undefined|namespace\(|<function|&amp;amp;", part)


def test_the_text_says_all_that_the_html_says(letter):
    _, text, html = letter
    links = re.findall(r'href="([^"]+)"', html)
    assert all(link.replace("&amp;", "&") in text for link in links)
    assert text.strip().startswith("Kính gửi")
    assert not re.search(r"<[a-z/]|&[a-z]+;|&#", text)
    assert "Không trả lời thư này." in text
    body = re.search(r"</h1>(.*)</td></tr>\s*<tr><td class=\"foot\"", html, re.DOTALL).group(1)
    for sentence in re.findall(r"<p>([^<]+)</p>", body):
        assert " ".join(sentence.split()) in text


def test_links_lead_to_our_own_pages_alone(letter):
    assert all(link.startswith(f"{HOME}/") for link in re.findall(r'href="([^"]+)"', letter[2]))


def test_nothing_is_fetched_when_it_is_read(letter):
    assert not re.search(r"<img|<link|<script|<iframe|src=|url\(|@import|https?://(?!diemthi)", letter[2])


def test_officers_are_addressed_as_they_should_be(letter):
    assert not re.search(r"\bbạn\b", letter[1], re.IGNORECASE)


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_uses_no_fact_that_the_table_does_not_have(pages, name):
    environment = pages._environments["vi"]
    source = (ROOT / "mail" / f"{name}.html").read_text(encoding="utf-8")
    used = meta.find_undeclared_variables(environment.parse(source)) - set(environment.globals)
    assert used <= {*FACTS, "home", "link"}


@pytest.mark.parametrize("step", ["approved", "returned", "withdrawn"])
def test_whatever_became_of_an_approval_is_told(pages, step):
    subject, text, _ = written(pages, "approval_decided", step=step)
    assert subject
    assert HOME in text


def test_what_somebody_typed_stays_text(pages):
    subject, text, html = written(
        pages, "account_disabled", reason='<a href="https://evil.example">Bấm vào đây</a> & "x"'
    )
    assert 'Lý do: <a href="https://evil.example">Bấm vào đây</a> & "x"' in text
    assert "https://evil.example" not in re.findall(r'href="([^"]+)"', html)
    assert subject


def test_an_address_within_a_sentence_ends_before_the_full_stop(pages):
    _, text, _ = written(pages, "password_changed")
    assert f"Quên mật khẩu ({HOME}/can-bo/quen-mat-khau) và báo" in text


def test_a_button_stands_on_a_line_of_its_own(pages):
    _, text, _ = written(pages, "password_reset")
    assert f"\nĐặt mật khẩu mới: {HOME}/can-bo/thiet-lap?ma=x7Yq-3f\n" in text
