from decimal import Decimal

import pytest

from kit.errors import UsageError
from lookup.exam_kinds import read_subjects_file


def given_file(tmp_path, text, name="mon.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_brings_papers_on_their_own_scale(tmp_path):
    path = given_file(
        tmp_path,
        "code,name,name_en,type,decimals,step,lowest,highest\n"
        "toan,,,,,,,40\n"
        'doc_hieu,Đọc hiểu,Reading,score,1,"0,5",0,60\n'
        "giai,,,prize,,,,\n",
    )
    toan, reading, prize = read_subjects_file(path)
    assert (toan.name, toan.highest, toan.step) == ("Toán", 40, Decimal("0.01"))
    assert (reading.position, reading.name, reading.decimals, reading.step) == (2, "Đọc hiểu", 1, Decimal("0.5"))
    assert prize.type == "prize"


def test_toml_says_the_same(tmp_path):
    path = given_file(
        tmp_path,
        '[[subject]]\ncode = "ngoai_ngu"\nvariant = "N1"\nhighest = 100\nstep = 0.25\n[[subject]]\ncode = "toan"\n',
        "mon.toml",
    )
    english, toan = read_subjects_file(path)
    assert (english.name, english.variant, english.step, english.highest) == ("Tiếng Anh", "N1", Decimal("0.25"), 100)
    assert toan.highest == 10


def test_every_mistake_is_named_with_its_row_at_once(tmp_path):
    path = given_file(
        tmp_path,
        "code,name,type,decimals,step,lowest,highest\n"
        "toan,,mark,2,0.25,0,10\n"
        "Doc Hieu,Đọc hiểu,,,,,\n"
        "la,,,,,,\n"
        "ngu_van,,,9,0.25,0,10\n"
        "tin_hoc,,,,,10,5\n"
        "vat_li,,,,0.001,,\n",
    )
    with pytest.raises(UsageError) as refused:
        read_subjects_file(path)
    told = str(refused.value)
    for mistake in (
        "row 2, type: 'mark'",
        "row 3, code: 'Doc Hieu'",
        "row 4, name: 'la'",
        "row 5, decimals: '9'",
        "row 6, highest: 5",
        "row 7, step: 0.001",
    ):
        assert mistake in told


def test_a_paper_stands_there_once(tmp_path):
    with pytest.raises(UsageError, match="row 3: toan stands there twice"):
        read_subjects_file(given_file(tmp_path, "code,name\ntoan,Toán\ntoan,Toán\n"))


@pytest.mark.parametrize("text", ["[[subject]\n", 'subject = "toan"\n', "[[paper]]\n"])
def test_a_toml_file_that_is_none_is_told_in_a_sentence(tmp_path, text):
    with pytest.raises(UsageError, match=r"mon\.toml"):
        read_subjects_file(given_file(tmp_path, text, "mon.toml"))


def test_a_missing_file_is_told_in_a_sentence(tmp_path):
    for name in ("khong-co.csv", "khong-co.toml"):
        with pytest.raises(UsageError, match="khong-co"):
            read_subjects_file(tmp_path / name)
