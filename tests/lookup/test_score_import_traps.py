"""What goes wrong with result files on their way from a department, one truth for each."""

import codecs
import string
import unicodedata
from decimal import Decimal

import msgspec
import openpyxl
import pytest

from kit.tables import TableError
from lookup.score_problems import MESSAGES
from tests.exams import given_exam
from tests.lookup.result_files import told

D = Decimal
MINH = "Nguyễn Hoàng Minh"


# Encodings and shapes


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-be", "semicolon", "tab-crlf"],
)
async def test_encodings_and_delimiters_are_recognised(exam, files, encode):
    summary = await files.send(exam, encode("Số báo danh,Họ và tên,Toán\n06000001,Nguyễn Hoàng Minh,8\n"))
    assert summary.error_count == 0
    assert await files.stored(exam) == {"06000001": {"toan": D(8), "name": MINH}}


async def test_the_old_windows_code_page_is_read_with_a_remark(exam, files):
    apart = unicodedata.normalize("NFD", "Số báo danh,Họ và tên,Toán\n06000001,Nguyễn Hoàng Minh,8\n")
    # The code page has letters such as ă and ê, and the tones apart.
    text = "".join(unicodedata.normalize("NFC", part) if "\u0302" in part or "\u0306" in part else part
                   for part in _letters(apart))  # fmt: skip
    summary = await files.send(exam, text.encode("cp1258"))
    assert [remark for remark in summary.remarks if "1258" in remark]
    assert (await files.stored(exam))["06000001"]["name"] == MINH


def _letters(apart):
    """Each base letter with its circumflex or breve, tones by themselves."""
    parts = []
    for character in apart:
        if parts and character in "\u0302\u0306\u031b":
            parts[-1] += character
        else:
            parts.append(character)
    return [unicodedata.normalize("NFC", part) for part in parts]


async def test_titles_above_and_signatures_below_are_no_results(exam, files):
    summary = await files.send(
        exam,
        "KẾT QUẢ THI,,,\n,,,\nSTT,SBD,Toán,Văn\n(1),(2),(3),(4)\n1,06000001,8,7\nSTT,SBD,Toán,Văn\n2,06000002,5,6\n"
        ',,,\n,Tổng số: 2 thí sinh,,\n,,,"Hà Nội, ngày 5 tháng 7"\n,Người lập bảng,,\n',
    )
    assert [row for row, code, _ in told(summary) if code == "row_not_read"] == [4, 6, 9, 11]
    assert [(row, code) for row, code, _ in told(summary) if code != "row_not_read"] == [
        (10, "number_missing"), (10, "score_not_understood")
    ]  # fmt: skip


async def test_headings_spread_over_two_rows_are_read_together(exam, files):
    summary = await files.send(
        exam,
        "STT,SBD,Họ tên,Điểm thi,,\n,,,Toán,Văn,Anh\n1,06000001,Nguyễn Hoàng Minh,8,7,6\n",
    )
    assert summary.error_count == 0
    assert (await files.stored(exam))["06000001"]["ngoai_ngu/N1"] == 6


async def test_headings_may_hold_html_entities_and_any_spelling(exam, files):
    await files.send(exam, "S&#x1ED1; b&#xE1;o danh,To&#xE1;n,Hoá,Lý,GDKTPL,tin_hoc\n06000001,8,7,6,5,4\n")
    assert await files.stored(exam) == {
        "06000001": {"toan": D(8), "hoa_hoc": D(7), "vat_li": D(6), "gdktpl": D(5), "tin_hoc": D(4)}
    }


async def test_a_name_may_stand_in_two_columns_or_hold_entities(exam, files):
    await files.send(
        exam, "SBD,Họ và tên đệm,Tên,Toán\n06000001,Nguyễn Hoàng,Minh,8\n06000002, Tr&#x1EA7;n  Thị ,An,7\n"
    )
    stored = await files.stored(exam)
    assert (stored["06000001"]["name"], stored["06000002"]["name"]) == (MINH, "Trần Thị An")
    await files.send(exam, "SBD,Họ và tên,,Toán\n06000001,Nguyễn Hoàng,Nam,8\n", reason="Sửa tên")
    assert (await files.stored(exam))["06000001"]["name"] == "Nguyễn Hoàng Nam"


async def test_names_not_composed_are_composed_and_counted(exam, files):
    summary = await files.send(
        exam, f"SBD,Họ tên,Toán\n06000001,{unicodedata.normalize('NFD', MINH)},8\n06000002,Lê Bình,7\n"
    )
    assert summary.composed_names == 1
    assert (await files.stored(exam))["06000001"]["name"] == MINH


async def test_a_backslash_in_a_name_stays_one(exam, files):
    summary = await files.send(exam, "SBD,Họ tên,Toán\n06000001,A\\N Ê\\b,8\n06000002,\\N,7\n")
    assert {code for _, code, _ in told(summary)} == {"name_odd"}
    stored = await files.stored(exam)
    assert (stored["06000001"]["name"], stored["06000002"]["name"]) == ("A\\N Ê\\b", "\\N")


async def test_a_decimal_comma_that_split_a_cell_is_told(exam, files):
    summary = await files.send(exam, "SBD,Toán,Văn\n06000001,8,25,7\n06000002,8,7\n")
    assert told(summary) == [(2, "row_too_wide", "")]


async def test_text_beside_the_table_of_a_workbook_is_told(exam, files):
    summary = await files.send_workbook(exam, [["SBD", "Toán"], ["06000001", 8, "", "đã kiểm tra"]])
    assert told(summary) == [(2, "text_beside_table", "")]
    assert await files.stored(exam) == {"06000001": {"toan": D(8)}}


# Columns


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("SBD,Toán,Tonas", [("unknown_column", "Tonas")]),
        ("SBD,Toán,Tiếng Việt", [("subject_not_in_exam", "Tiếng Việt")]),
        ("SBD,Toán,Điểm Toán", [("column_twice", "Điểm Toán")]),
        ("SBD,Số báo danh,Toán", [("column_twice", "Số báo danh")]),
        ("SBD,Ngoại ngữ,Mã môn ngoại ngữ,Tiếng Anh", [("column_twice", "Tiếng Anh")]),
        ("SBD,Toán,Điểm", [("score_without_subject", "Điểm")]),
        ("SBD,Toán,Môn thi", [("subject_without_score", "Môn thi")]),
        ("SBD,Toán,Mã môn ngoại ngữ", [("variant_without_score", "Mã môn ngoại ngữ")]),
        ("SBD,Họ tên,Họ và tên,Toán", [("column_twice", "Họ và tên")]),
        ("STT,Toán,Văn", [("number_column_missing", "")]),
        ("SBD,Họ tên", [("no_papers", "")]),
    ],
)
async def test_what_is_wrong_with_the_headings_is_told(exam, files, header, expected):
    summary = await files.send(exam, f"{header}\n" + ",".join(["06000001"] + ["8"] * header.count(",")) + "\n")
    assert [(p.code, p.heading) for p in summary.problems if p.row in (None, 1) and p.is_error] == expected
    assert await files.stored(exam) == {}


async def test_an_unknown_column_is_answered_with_the_nearest_known_one(exam, files):
    summary = await files.send(exam, "SBD,Toán,Hoá hcọ\n06000001,8,7\n")
    assert told(summary) == [(1, "unknown_column", "Hóa học")]


async def test_columns_that_a_lookup_does_not_need_are_not_kept_and_named(exam, files):
    summary = await files.send(exam, "STT,SBD,Trường,,Toán,Tổng điểm\n1,06000001,THCS A,x,8,8\n")
    assert [(p.code, p.heading) for p in summary.problems] == [
        ("column_not_kept", "Trường"),
        ("column_without_heading", ""),
        ("total_not_used", "Tổng điểm"),
    ]
    assert summary.error_count == 0


# Cells


async def test_all_mistakes_of_a_file_are_told_at_once_by_row_and_column(exam, files):
    summary = await files.send(
        exam,
        "SBD,Họ tên,Toán,Văn,Ngoại ngữ,Mã môn ngoại ngữ,extra\n"
        '06000001,Lê An,825,"8,333",7,N9,\n'
        "X,Lê Bình,8,2025-05-08,,,Hoá\n"
        f"06000003,{'A' * 151},abc,6.66,,,Toán=9; Xyzzy=8; Văn\n",
    )
    assert [(p.row, p.column, p.code, p.fault.suggestion) for p in summary.problems] == [
        (2, 2, "score_out_of_range", "8.25"),
        (2, 3, "score_too_precise", "8.25"),
        (2, 5, "variant_not_understood", None),
        (3, 0, "number_malformed", None),
        (3, 3, "score_became_date", "8.5"),
        (3, 6, "extra_not_understood", None),
        (4, 1, "name_too_long", None),
        (4, 2, "score_not_understood", None),
        (4, 3, "score_off_step", None),
        (4, 6, "subject_not_understood", None),
        (4, 6, "extra_not_understood", None),
    ]
    assert (summary.error_count, summary.warning_count) == (10, 1)


async def test_formulas_without_values_are_refused_wherever_they_stand(one_database, files, tmp_path):
    exam = await given_exam(one_database, "pin-exam", policy="pin")
    book = openpyxl.Workbook()
    book.active.append(["STT", "SBD", "Họ tên", "PIN", "Toán", "Ngoại ngữ", "Mã ngoại ngữ"])
    book.active.append(["=A1", "=B9", "=C9", "=UPPER(CONCAT(D5,E6,F7))", "=4+4", 8, "=N1"])
    book.active.append(["=A2", "06000002", "Lê An", "", 8, "=KT", "N1"])
    book.save(tmp_path / "cong-thuc.xlsx")
    summary = await files.send_path(exam, tmp_path / "cong-thuc.xlsx")
    assert [(p.row, p.column, p.code) for p in summary.problems] == [
        (2, column, "formula_without_value") for column in (1, 2, 3, 4, 6)
    ] + [(3, 5, "formula_without_value")]
    assert "Open the file in Excel, save it" in summary.problems[0].sentence()


async def test_an_unknown_language_is_answered_with_the_codes(exam, files):
    summary = await files.send(exam, "SBD,Ngoại ngữ,Mã môn ngoại ngữ\n06000001,8,N9\n")
    sentence = summary.problems[0].sentence()
    assert "N1 (Tiếng Anh), N2 (Tiếng Nga)" in sentence
    assert "N7 (" in sentence


async def test_a_paper_that_stands_in_a_column_and_in_extra_has_two_scores(exam, files):
    summary = await files.send(exam, "SBD,Toán,extra\n06000001,8,Toán=9\n06000002,,Toán=9\n")
    assert told(summary) == [(2, "paper_twice", "")]


async def test_languages_are_told_by_code_or_by_name(exam, files):
    await files.send(
        exam,
        "SBD,Ngoại ngữ,Mã môn ngoại ngữ\n06000001,8,N2\n06000002,7,Tiếng Nhật\n06000003,6,\n06000004,,\n"
        "06000005,KT,n1\n",
    )
    assert await files.stored(exam) == {
        "06000001": {"ngoai_ngu/N2": D(8)},
        "06000002": {"ngoai_ngu/N6": D(7)},
        "06000003": {"ngoai_ngu": D(6)},
        "06000004": {},
        "06000005": {"ngoai_ngu/N1": "absent"},
    }


async def test_an_exam_that_does_not_tell_languages_apart_takes_each_for_the_language(one_database, files):
    exam = await given_exam(one_database, "language-exam", kind="lop-10")
    subjects = tuple(s for s in exam.subjects if s.code != "ngoai_ngu" or not s.variant)[:3]
    exam = msgspec.structs.replace(exam, subjects=subjects)
    await files.send(exam, "SBD,Tiếng Anh\n000001,8\n")
    assert await files.stored(exam) == {"000001": {"ngoai_ngu": D(8)}}


# Old fonts


async def test_text_in_old_letters_is_refused_until_conversion_is_asked_for(exam, files):
    text = "SBD,Hä vµ tªn,To¸n\n06000001,NguyÔn V¨n Hoµ,8\n06000002,TrÇn ThÞ H»ng,7\n".encode("latin-1")
    with pytest.raises(TableError, match="--convert tcvn3"):
        await files.send(exam, text.replace(b"SBD", "Sè b¸o danh".encode("latin-1")))
    summary = await files.send(exam, "SBD,Ho ten,Toan\n06000001,NguyÔn V¨n Hoµ,8\n06000002,TrÇn ThÞ H»ng,7\n")
    assert told(summary)[0] == (1, "legacy_text", "Nguyễn Văn Hoà")
    assert summary.error_count == 1
    summary = await files.send(exam, text, convert="tcvn3")
    assert [(c.before, c.after) for c in summary.conversions] == [
        ("NguyÔn V¨n Hoµ", "Nguyễn Văn Hoà"), ("TrÇn ThÞ H»ng", "Trần Thị Hằng")
    ]  # fmt: skip
    assert (await files.stored(exam))["06000002"]["name"] == "Trần Thị Hằng"


@pytest.mark.parametrize("text", ["SBD,Toán\n", "SBD,Toán\n,\n"])
async def test_a_file_without_results_is_told(exam, files, text):
    assert [code for _, code, _ in told(await files.send(exam, text))] == ["no_rows"]


async def test_a_file_that_is_no_table_is_told_in_one_sentence(exam, files, tmp_path):
    with pytest.raises(TableError, match="no heading row"):
        await files.send(exam, "Xin chào\n")
    with pytest.raises(TableError, match="There is no file"):
        await files.send_path(exam, tmp_path / "khong-co.csv")


def test_every_message_speaks_both_languages_with_the_same_facts():
    def fields(text):
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    for code, message in MESSAGES.items():
        assert message.en, code
        assert message.vi, code
        assert fields(message.vi) <= fields(message.en), code


async def test_a_name_that_is_a_novel_is_refused_among_plain_names_too(exam, files):
    rows = "".join(f"0600{i:04d},Lê An,8\n" for i in range(1, 50))
    summary = await files.send(exam, f"SBD,Họ tên,Toán\n{rows}06000099,{'A' * 200},8\n")
    assert [(p.row, p.code) for p in summary.problems] == [(51, "name_too_long")]


@pytest.mark.parametrize(("columns", "refusal"), [(100_000, "header_not_found"), (1_000_000, "cell_too_long")])
async def test_a_hundred_thousand_headings_are_no_heading_and_a_million_no_line(exam, files, columns, refusal):
    with pytest.raises(TableError) as refused:
        await files.send(exam, ",".join(["SBD", "Toán", *["x"] * columns]) + "\n06000001,8\n")
    assert refused.value.code == refusal
