"""Vietnamese text made comparable, whatever keyboard, export or web page it came from."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.vietnamese import clean_cell, full_width_to_ascii, nfc, search_key, sort_key
from tests.kit.names import people


@pytest.mark.parametrize(
    "spelling",
    [
        "Đặng Thị Hoà",
        "ĐẶNG THỊ HÒA",
        "đặng  thị\u00a0hoa",
        "Ðặng Thị Hoà",
        "ðặng thị hoà",
        "Đặng\u200b Thị\ufeff Hoà ",
        unicodedata.normalize("NFD", "Đặng Thị Hoà"),
        "dang thi hoa",
    ],
)
def test_spellings_of_one_name_share_a_key(spelling):
    assert search_key(spelling) == "dang thi hoa"


@settings(deadline=None)
@given(people)
def test_a_key_is_plain_small_letters_however_the_name_is_written(name):
    key = search_key(name)
    assert key.isascii()
    assert key == key.lower()
    for form in ("NFC", "NFD"):
        for case in (str.upper, str.lower, str.title):
            assert search_key(unicodedata.normalize(form, case(name))) == key


@settings(deadline=None)
@given(st.text())
def test_the_key_of_a_key_is_itself(text):
    assert search_key(search_key(text)) == search_key(text)


@settings(deadline=None)
@given(st.text())
def test_a_clean_cell_is_clean(text):
    clean, _ = clean_cell(text)
    assert unicodedata.is_normalized("NFC", clean)
    assert clean == " ".join(clean.split())


@settings(deadline=None)
@given(people)
def test_a_proper_name_is_left_as_it_is(name):
    assert clean_cell(name) == (name, False)
    assert nfc(name) == name


@settings(deadline=None)
@given(people)
def test_letters_in_pieces_are_put_together_and_counted(name):
    apart = unicodedata.normalize("NFD", name)
    assert clean_cell(apart) == (name, apart != name)
    assert nfc(apart) == name


@pytest.mark.parametrize(
    ("cell", "meant"),
    [
        ("To&#xE1;n", "Toán"),
        ("To&#225;n", "Toán"),
        ("H&ograve;a&nbsp;B&igrave;nh", "Hòa Bình"),
        ("\u00a008,25\u200b ", "08,25"),
        ("A &amp; B", "A & B"),
        ("R&D; S", "R&D; S"),
        ("AT&T", "AT&T"),
        ("a\u00adb", "ab"),
        ("dòng 1\ndòng 2", "dòng 1 dòng 2"),
        ("", ""),
    ],
)
def test_what_exports_leave_in_a_cell_is_cleaned_away(cell, meant):
    assert clean_cell(cell) == (meant, False)


def test_full_width_digits_and_signs_become_ordinary():
    assert full_width_to_ascii("０６０００００１　（２：３）") == "06000001 (2:3)"
    assert full_width_to_ascii("Nguyễn") == "Nguyễn"


def test_names_stand_in_the_order_of_the_dictionary():
    in_order = [
        "Số 9", "Số 10", "Số A", "An", "Ăn", "Ân", "Ba", "Ba Vì", "Bà", "Bà Rịa", "Bả", "Bã", "Bá", "Bạ", "Băng",
        "Dương", "Đá", "Ê", "Hoa Lư", "Hòa Bình", "Hoàn", "Ô", "Ơ", "U", "Ư", "Ý Yên",
    ]  # fmt: skip
    assert sorted(sorted(in_order[:3]), key=sort_key) == in_order[:3]
    assert sorted(sorted(in_order[3:]), key=sort_key) == in_order[3:]


def test_order_looks_past_case_signs_and_how_letters_are_composed():
    assert sort_key("ĐẶNG Thị  Hoà") == sort_key(unicodedata.normalize("NFD", "đặng thị-hoà"))
    assert sort_key("") == ()
    assert sort_key("Ø, 中") > sort_key("z")


@given(st.lists(st.text()))
def test_any_text_has_a_place_in_the_order(texts):
    assert sorted(map(sort_key, texts)) == sorted(map(sort_key, reversed(texts)))
