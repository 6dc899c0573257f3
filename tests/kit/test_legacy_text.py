"""Old fonts are recognised and converted; proper Unicode is left in peace."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit import legacy_text
from kit.legacy_text import convert, recognise
from tests.kit.names import people

ABROAD = [
    *("John Smith", "José García", "François Lefèvre", "Zoë Müller", "Anaïs Noël", "Loïc Bréhat", "Søren Kjær"),
    *("Åsa Öberg", "Siobhán Ó Súilbheáin", "Jürgen Groß", "Inès Peña", "Chloé Dubœuf", "Renée Château", "João Simões"),
    *("Ksor H'Blan", "Y Thu Niê", "Rơ Châm H'Yưn", "K'Brể", "Đinh A Ngưi", "Giàng A Páo", "Sùng Thị Mỷ"),
]


def as_typed(text, charset):
    """What a typist with the old font would have left in the file."""
    codes = {letter: code for code, letter in reversed(legacy_text._TABLES[charset].items())}
    return "".join(codes.get(letter, codes.get(letter.lower(), letter)) for letter in text)


@pytest.mark.parametrize(
    ("typed", "charset", "meant"),
    [
        ("NguyÔn V¨n Hoµ", "tcvn3", "Nguyễn Văn Hoà"),
        ("Kh¸nh T­êng, ChuyÓn Ngò, Tó UÈn", "tcvn3", "Khánh Tường, Chuyển Ngũ, Tú Uẩn"),
        ("Nguyeãn Vaên Hoøa", "vni", "Nguyễn Văn Hòa"),
        ("TrÇn ThÞ Thuú D\u00ad¬ng", "tcvn3", "Trần Thị Thuỳ Dương"),
        ("Traàn Thò Ngoïc Aùnh", "vni", "Trần Thị Ngọc Ánh"),
        ("ÑAËNG HÖÕU THUYÛ", "vni", "ĐẶNG HỮU THUỶ"),
        ("Hä vµ tªn", "tcvn3", "Họ và tên"),
        ("Ngaøy sinh: 1/2/2008, nôi sinh Hueá", "vni", "Ngày sinh: 1/2/2008, nơi sinh Huế"),
    ],
)
def test_a_name_in_an_old_font_is_recognised_and_converted(typed, charset, meant):
    assert recognise([typed]) == charset
    assert convert(typed, charset) == meant


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("TRÇN THÞ Hµ", "TRẦN THỊ HÀ"),
        ("NguyÔn ThÞ ¸nh", "Nguyễn Thị Ánh"),
        ("HOÀNG", "HOÀNG"),
        ("L£ V¡N §¹T", "LÊ VĂN ĐẠT"),
        ("Lª V¨n Tý", "Lê Văn Tý"),
        ("ngµy ¸p dông", "ngày áp dụng"),
        ("§ç Mü Hµ", "Đỗ Mỹ Hà"),
    ],
)
def test_capitals_that_tcvn3_does_not_have_are_restored(typed, meant):
    assert convert(typed, "tcvn3") == meant


@settings(deadline=None)
@given(st.lists(people, min_size=25, max_size=40), st.sampled_from(["tcvn3", "vni"]), st.sampled_from([str, str.upper]))
def test_a_column_of_names_goes_to_the_old_font_and_back(names, charset, case):
    names = [case(name) for name in names]
    typed = [as_typed(name, charset) for name in names]
    assert recognise(typed) == charset
    back = [convert(cell, charset) for cell in typed]
    # `ĐỖ MỸ HÀ` has no letter by which TCVN3 could tell capitals from small ones, so small ones it is.
    alike = str.casefold if charset == "tcvn3" and case is str.upper else str
    assert list(map(alike, back)) == list(map(alike, names))


@settings(deadline=None)
@given(
    st.lists(st.one_of(people, st.sampled_from(ABROAD)), max_size=40),
    st.sampled_from([str, str.upper, str.lower]),
    st.sampled_from(["NFC", "NFD"]),
)
def test_proper_unicode_is_never_taken_for_an_old_font(names, case, form):
    cells = [unicodedata.normalize(form, case(name)) for name in names]
    assert recognise(cells) is None


def test_a_few_french_names_do_not_make_an_old_font():
    assert recognise(["Loïc", "Loïc"]) is None
    assert recognise(["Loïc", "Maïn", "Zoë", "José", "André", "Hélène", "Müller"]) is None
    assert recognise(["Loïc", "Maïn", "Hoà", "Toán", "Hoàng", "Toàn"]) is None


def test_one_word_is_enough_where_it_is_known_to_be_likely():
    assert recognise(["N÷", "Nam", ""], least=1) == "tcvn3"
    assert recognise(["N÷", "Nam", ""]) is None


@settings(deadline=None)
@given(people, st.sampled_from(["tcvn3", "vni"]))
def test_converting_what_is_unicode_already_changes_nothing(name, charset):
    ascii_name = unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()
    assert convert(ascii_name, charset) == ascii_name
    if any(letter > "\xff" for letter in name):
        assert convert(name, charset) == name


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20))
def test_any_text_can_be_asked_about(cells):
    charset = recognise(cells)
    for cell in cells:
        assert convert(cell, charset or "vni").isascii() >= cell.isascii()


def test_the_vni_table_holds_every_vietnamese_letter_in_both_cases():
    letters = set(legacy_text._TABLES["vni"].values())
    marked = set(legacy_text._TCVN3_SMALL.values())
    assert letters == marked | {letter.upper() for letter in marked}
