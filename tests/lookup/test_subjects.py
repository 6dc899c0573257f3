import unicodedata

import pytest

from lookup.spellings import Spellings, spelling_keys
from lookup.subjects import SUBJECT_NAMES, recognise_subject, subject_spellings


@pytest.mark.parametrize(
    ("heading", "meant"),
    [
        ("Lí", ("vat_li", "")),
        ("Lý", ("vat_li", "")),
        ("VẬT LÝ", ("vat_li", "")),
        ("Hóa", ("hoa_hoc", "")),
        ("Hoá", ("hoa_hoc", "")),
        ("hoa hoc", ("hoa_hoc", "")),
        ("Văn", ("ngu_van", "")),
        ("Ngữ  văn", ("ngu_van", "")),
        ("ngu_van", ("ngu_van", "")),
        ("Toan", ("toan", "")),
        ("Điểm Toán", ("toan", "")),
        ("Điểm thi môn: Toán", ("toan", "")),
        ("Sử", ("lich_su", "")),
        ("Địa", ("dia_li", "")),
        ("Sinh", ("sinh_hoc", "")),
        ("Tin", ("tin_hoc", "")),
        ("tin_hoc", ("tin_hoc", "")),
        ("T.Anh", ("ngoai_ngu", "N1")),
        ("Anh", ("ngoai_ngu", "N1")),
        ("Tiếng Nhật", ("ngoai_ngu", "N6")),
        ("Ngoại ngữ", ("ngoai_ngu", "")),
        ("GDKTPL", ("gdktpl", "")),
        ("KTPL", ("gdktpl", "")),
        ("GD kinh tế và pháp luật", ("gdktpl", "")),
        ("GDCD", ("gdcd", "")),
        ("Công nghệ công nghiệp", ("cong_nghe_cong_nghiep", "")),
        ("Chuyên Toán", ("chuyen", "toan")),
        ("Điểm chuyên", ("chuyen", "")),
        ("Giải", ("giai", "")),
    ],
)
def test_departments_name_a_subject_in_many_ways(heading, meant):
    assert recognise_subject(heading) == meant
    assert recognise_subject(unicodedata.normalize("NFD", heading.upper())) == meant


def test_a_heading_that_is_no_subject_is_not_guessed():
    for heading in ("Họa", "Trường", "Ngày sinh", "", "-", "8,25", "Toán Văn"):
        assert recognise_subject(heading) is None


def test_missing_marks_never_decide_between_two_meanings():
    spellings = Spellings([("Vắng", "absent"), ("Vàng", "gold")])
    assert spellings.find("Vàng") == "gold"
    assert spellings.find("Vang") is None


def test_a_misspelt_heading_is_answered_with_the_nearest_known_one():
    spellings = Spellings(subject_spellings())
    assert spellings.nearest("Hoá hcọ") == "Hóa học"
    assert spellings.nearest("zzzzzzz") is None


def test_no_spelling_means_two_subjects():
    meanings = {}
    for text, meaning in subject_spellings():
        assert meanings.setdefault(spelling_keys(text)[1], meaning) == meaning, text


def test_every_subject_code_is_its_own_spelling():
    for code, subject in SUBJECT_NAMES.items():
        assert recognise_subject(code) == (code, "")
        assert recognise_subject(subject.name) == (code, "")
        for variant in subject.variants:
            assert recognise_subject(subject.variants[variant].name) == (code, variant)
