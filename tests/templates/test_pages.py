"""What holds for every page, in both languages."""

import gzip
import re
from datetime import timedelta

import msgspec
import pytest

from kit.errors import FieldError
from kit.locale import LOCALES
from kit.pages import Pages
from tests.templates.gallery import (
    EMPTY,
    GALLERY,
    LOP_10,
    NOW,
    SEALED,
    TEMPLATES,
    TYPED,
    VAN_GIANG,
    Page,
    html,
    lookup_page,
    openapi_document,
    opening,
)

FIRST_LOAD = 30_000
EVERY_PAGE = [(locale, page) for locale in LOCALES for page in GALLERY]
NAMES = [f"{locale} {page.path}" for locale, page in EVERY_PAGE]


@pytest.mark.parametrize(("locale", "page"), EVERY_PAGE, ids=NAMES)
def test_a_page_is_whole_and_keeps_to_the_policy_for_content(pages, locale, page):
    text = html(pages, locale, page)
    assert text.startswith("<!doctype html>")
    assert f'<html lang="{locale}">' in text
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]+src=)", text), "nothing inline"
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text), "nothing from elsewhere"


@pytest.mark.parametrize(("locale", "page"), EVERY_PAGE, ids=NAMES)
def test_a_page_ends_with_whoever_answers_for_it(pages, locale, page):
    footer = html(pages, locale, page).partition("<footer")[2]
    unit = page.unit
    for fact in (unit.governing_body, unit.responsible_person, unit.address, unit.hotline, unit.email):
        assert fact in footer


@pytest.mark.parametrize(("locale", "page"), EVERY_PAGE, ids=NAMES)
def test_a_page_has_one_heading_and_the_other_language_one_tap_away(pages, locale, page):
    text = html(pages, locale, page)
    assert len(re.findall("<h1", text)) == 1
    other = page.path if locale == "en" else ("/en" + page.path).rstrip("/")
    assert f'<a class="language" href="{other}"' in text


@pytest.mark.parametrize(("locale", "page"), EVERY_PAGE, ids=NAMES)
def test_the_first_load_is_light(pages, locale, page):
    dressed = sum(len(pages.static_files.find(name).gzipped) for name in ("baodanh.css", "baodanh.js", "favicon.svg"))
    assert len(gzip.compress(html(pages, locale, page).encode())) + dressed < FIRST_LOAD


def test_the_same_page_has_the_same_bytes():
    first, second = (Pages(TEMPLATES) for _ in range(2))
    for locale, page in EVERY_PAGE:
        assert html(first, locale, page) == html(second, locale, page)


def test_no_result_tells_nothing_but_the_exam_and_what_was_typed(pages):
    later = NOW + timedelta(days=90)
    withdrawn, sealed = (
        with_other_fate(LOP_10, withdrawn_generation=9),
        with_other_fate(LOP_10, releases=opening(later)),
    )
    facts = {"path": "/x", "unit": LOP_10.unit, "number_example": "012345", "form": TYPED}
    answers = {
        pages.html("vi", "lookup/score_not_found.html", exam=exam, now=now, state=exam.state(now), **facts)
        for exam in (LOP_10, withdrawn, sealed)
        for now in (NOW, later)
    }
    assert len(answers) == 1


def test_a_sealed_exam_asks_for_nothing(pages):
    page = html(pages, "vi", lookup_page("x", "countdown", SEALED))
    assert "<form" not in page
    assert "10 giờ 19, ngày 02/7/2026" in page


def test_what_was_typed_stays_and_every_mistake_stands_beside_its_field(pages):
    mistaken = next(page for page in GALLERY if page.path == "/form-mistaken")
    text = html(pages, "vi", mistaken)
    for error in mistaken.context["form"]["errors"]:
        assert f'href="#{error.field}"' in text
        assert f'id="{error.field}-mistake"' in text
        assert f'value="{mistaken.context["form"]["values"][error.field]}"' in text


def test_what_was_typed_never_becomes_markup(pages):
    form = {"values": {"candidate_number": '"><script>alert(1)</script>'}, "errors": []}
    assert "<script>alert" not in html(pages, "vi", lookup_page("x", "score_form", LOP_10, form=form))


def test_each_policy_asks_for_its_own_fact(pages):
    asked = {
        page.path: re.findall(r'<input id="(\w+)"', html(pages, "vi", page)) for page in GALLERY if "/form" in page.path
    }
    assert asked["/form"] == ["candidate_number"]
    assert asked["/form-birth-date"] == ["candidate_number", "birth_date"]
    assert asked["/form-pin"] == ["candidate_number", "pin"]


def test_a_result_shows_scores_marks_total_and_version(pages):
    text = {page.path: html(pages, "vi", page) for page in GALLERY if "/result" in page.path}
    assert "8,25" in text["/result"]
    assert "cao hơn 88% thí sinh dự thi môn này" in text["/result"]
    assert text["/result"].count("cao hơn") == 3, "nothing is said at or below the median"
    assert "38,25" in text["/result-total"]
    assert "</time>. Lý do: “phúc khảo bài thi Ngữ văn”." in text["/result-total"]
    assert "Vắng thi" in text["/result-marks"]
    assert "0,00" in text["/result-marks"], "zero is a real score"
    assert "không thay thế Giấy chứng nhận kết quả thi" in text["/result"]


def test_a_result_without_a_paper_says_whom_to_ask(pages):
    text = html(pages, "vi", next(page for page in GALLERY if page.path == "/result-without-papers"))
    assert "Chưa có điểm thành phần nào cho số báo danh này" in text
    assert VAN_GIANG.hotline in text.partition("</section>")[0]


def test_what_has_no_english_name_keeps_its_vietnamese_one(pages):
    text = html(pages, "en", next(page for page in GALLERY if page.path == "/result-total"))
    for name in ("Ngữ văn", "Điểm xét tuyển", "phúc khảo bài thi Ngữ văn"):
        assert f'<span lang="vi">{name}</span>' in text


@pytest.mark.parametrize(("locale", "page"), EVERY_PAGE, ids=NAMES)
def test_no_part_of_a_page_is_empty(pages, locale, page):
    main = html(pages, locale, page).partition("<main")[2].partition("</main>")[0]
    # What the script will have to say has its place already.
    main = main.replace('<p class="message" role="status"></p>', "")
    assert not re.findall(r"<(h\d|p|li|dt|dd|dl|ul|ol|b|strong|summary|button|a|span)\b[^>]*>\s*</\1>", main)


def test_a_vietnamese_name_on_an_english_page_says_so(pages):
    assert SEALED.name_en == ""
    page = html(pages, "en", lookup_page("x", "countdown", SEALED))
    assert f'<span lang="vi">{SEALED.name}</span></h1>' in page
    assert f"<title>{SEALED.name} - " in page


def test_a_problem_says_the_same_to_programs_as_to_people(pages):
    title, detail = pages.sentence("vi", "too_many_requests", retry_after=120)
    assert title == "Xin đợi một chút"
    assert detail.endswith("Đề nghị thử lại sau 2 phút.")
    page = Page("/x", "problems/too_many_requests.html", {"retry_after": 120})
    assert detail in html(pages, "vi", page)
    assert pages.sentence("en", "too_many_requests", retry_after=120)[1].endswith("Please try again in 2 minutes.")


def test_a_problem_without_words_of_its_own_gets_the_general_ones(pages):
    assert pages.sentence("vi", "never_heard_of") == pages.sentence("vi", "problem")


def test_every_problem_that_the_api_names_has_words_of_its_own(pages):
    operations = [operation for path in openapi_document()["paths"].values() for operation in path.values()]
    answers = [answer for operation in operations for answer in operation["responses"].values()]
    named = {code for answer in answers for code in re.findall("`([a-z_]+)`", answer["description"])} - {"errors"}
    assert len(named) > 5
    general = pages.sentence("vi", "problem")
    assert [code for code in sorted(named) if pages.sentence("vi", code) == general] == []


def test_a_mistake_is_told_in_plain_text(pages):
    error = FieldError("candidate_number", "number_malformed", example="<0001>")
    assert "<0001>" in pages.field_sentence("vi", error)
    assert pages.field_sentence("en", FieldError("pin", "required")) == "Enter the lookup code."


def test_only_an_untouched_form_is_kept_for_another_number(pages):
    assert "<score-lookup blank>" in html(pages, "vi", lookup_page("x", "score_form", LOP_10, form=EMPTY))
    assert "<score-lookup>" in html(pages, "vi", lookup_page("x", "score_form", LOP_10, form=TYPED))


def with_other_fate(exam, **changes):
    return msgspec.structs.replace(exam, **changes)
