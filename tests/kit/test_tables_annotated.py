"""Senders get their file back with the mistakes marked; nothing that we write can act as a formula."""

import csv
import zipfile

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from xlsxwriter.exceptions import FileCreateError

from kit.tables import CellMark, Limits, TableError, harmless, marked_workbook, open_table, write_annotated, write_csv
from kit.tables.marks import FILL
from tests.kit.table_files import HEADER, ROWS, csv_text, is_header, read, write_xlsx

TITLE = ["KẾT QUẢ THI"]
MARKS = [
    CellMark(6, 2, "Điểm 10,5 lớn hơn 10.", "10"),
    CellMark(4, None, "Thí sinh có hai lần trong tệp."),
    CellMark(4, 3, "=HYPERLINK(1)"),
    CellMark(4, 3, "Điểm không có trên thang 0,25."),
    CellMark(2, 1, "Không hiểu tiêu đề."),
]


@pytest.fixture
def out(tmp_path):
    return tmp_path / "loi.xlsx"


def annotate(file, out, marks=MARKS, **options):
    with open_table(file, is_header, limits=options.pop("limits", Limits())) as table:
        for _ in table.chunks():
            pass
    write_annotated(table, out, marks, **options)
    return openpyxl.load_workbook(out)


def cells_with_comments(sheet):
    return {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}


def coloured(sheet):
    return {cell.coordinate for row in sheet.iter_rows() for cell in row if cell.fill.fgColor.rgb.endswith(FILL)}


def mistakes(book):
    return [[cell or "" for cell in row] for row in book["Lỗi"].iter_rows(values_only=True)]


LISTED = [
    ["Dòng", "Cột", "Nội dung", "Lỗi", "Gợi ý"],
    ["2", "Họ và tên (B)", "Họ và tên", "Không hiểu tiêu đề.", ""],
    ["4", "", "", "Thí sinh có hai lần trong tệp.", ""],
    ["4", "Ngữ văn (D)", "7", "=HYPERLINK(1)", ""],
    ["4", "Ngữ văn (D)", "7", "Điểm không có trên thang 0,25.", ""],
    ["6", "Toán (C)", "10", "Điểm 10,5 lớn hơn 10.", "10"],
]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_file_comes_back_with_its_own_rows_and_the_mistakes_marked(tmp_path, out, kind):
    file = tmp_path / f"diem.{kind}"
    rows = [TITLE, HEADER, [], *ROWS]
    if kind == "csv":
        file.write_text(csv_text(rows, ";"), encoding="utf-16")
    else:
        write_xlsx(file, rows)
    book = annotate(file, out)
    sheet = book.worksheets[0]
    shown = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert shown == [[*TITLE, "", "", ""], HEADER, [""] * 4, *ROWS]
    assert coloured(sheet) == {"A4", "B2", "D4", "C6"}
    assert cells_with_comments(sheet) == {
        "A4": "Thí sinh có hai lần trong tệp.",
        "B2": "Không hiểu tiêu đề.",
        "C6": "Điểm 10,5 lớn hơn 10.\nGợi ý: 10",
        "D4": "=HYPERLINK(1)\nĐiểm không có trên thang 0,25.",
    }
    assert mistakes(book) == LISTED
    assert read(out)[1] == [tuple(row) for row in ROWS]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_of_a_long_file_only_the_bad_rows_come_back_with_their_numbers(tmp_path, out, kind):
    file = tmp_path / f"diem.{kind}"
    rows = [TITLE, HEADER, [], *ROWS, *(["06000009", "", "8", "8"] for _ in range(100))]
    if kind == "csv":
        file.write_text(csv_text(rows), encoding="utf-8")
    else:
        write_xlsx(file, rows)
    book = annotate(file, out, max_rows=100)
    sheet = book.worksheets[0]
    assert [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)] == [
        ["Dòng trong tệp gốc", *HEADER],
        ["4", *ROWS[0]],
        ["6", *ROWS[2]],
    ]
    assert coloured(sheet) == {"C1", "B2", "E2", "D3"}
    assert set(cells_with_comments(sheet)) == {"C1", "B2", "E2", "D3"}
    assert mistakes(book) == LISTED


def test_what_stands_beside_the_rows_stays_in_the_copy(tmp_path, out):
    file = write_xlsx(tmp_path / "diem.xlsx", [HEADER, *ROWS], more=[("Ghi chú", [["Sở"]]), ("Lỗi", [["cũ"]])])
    book = annotate(file, out)
    assert book.sheetnames == ["Kết quả", "Ghi chú", "Lỗi", "Lỗi1"]
    assert book["Ghi chú"]["A1"].value == "Sở"


def test_the_copy_holds_values_and_no_formulas(tmp_path, out):
    file = tmp_path / "diem.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADER)
    sheet.write_row(1, 0, ["06000001", "", 4])
    sheet.write_formula(1, 1, '=HYPERLINK("http://example.org","An")', None, "An")
    sheet.write_formula(1, 3, "=C2*2", None, 8)
    sheet.write_string(2, 1, "=1+1")
    sheet.merge_range(3, 0, 3, 3, "hết")
    book.close()
    marks = [CellMark(3, 1, "=2+2", "@x"), CellMark(3, 3, "+1"), CellMark(4, 2, "Dòng này không phải thí sinh.")]
    annotate(file, out, marks)
    assert formulas(out) == 0
    shown = openpyxl.load_workbook(out)
    assert [cell.value for cell in shown.worksheets[0][2]] == ["06000001", "An", 4, 8]
    assert shown.worksheets[0]["B3"].value == "=1+1"
    assert mistakes(shown)[1] == ["3", "Họ và tên (B)", "=1+1", "=2+2", "@x"]


def formulas(file):
    with zipfile.ZipFile(file) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    return sum(sheet.count(b"<f>") + sheet.count(b"<f ") for sheet in sheets)


def test_cells_of_a_csv_file_are_text_in_the_workbook(tmp_path, out):
    file = tmp_path / "diem.csv"
    file.write_text('SBD,Toán\n06000001,=1+1\n=cmd|x,"@a"\nhttp://example.org/,\x01\n', encoding="utf-8")
    book = annotate(file, out, [CellMark(2, 1, "=x", "+y")])
    assert formulas(out) == 0
    assert [cell.value for cell in book.worksheets[0]["A"]] == ["SBD", "06000001", "=cmd|x", "http://example.org/"]
    assert not book.worksheets[0]["A4"].hyperlink


def test_a_copy_that_needs_too_much_memory_becomes_a_new_workbook_of_the_same_rows(tmp_path, out):
    file = write_xlsx(tmp_path / "diem.xlsx", [TITLE, HEADER, [], *ROWS], more=[("Ghi chú", [["Sở"]])])
    with open_table(file, is_header) as table:
        list(table.chunks())
    table.limits = Limits(memory_bytes=1)
    write_annotated(table, out, MARKS)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["Dữ liệu", "Lỗi"]
    assert mistakes(book) == LISTED


def test_a_mark_where_the_file_has_no_cell_is_listed_all_the_same(tmp_path, out):
    for file in (tmp_path / "diem.csv", tmp_path / "diem.xlsx"):
        if file.suffix == ".csv":
            file.write_text(csv_text([HEADER, *ROWS]), encoding="utf-8")
        else:
            write_xlsx(file, [HEADER, *ROWS])
        book = annotate(file, out, [CellMark(99, 9, "Không có."), CellMark(2, 9, "Xa.")])
        assert [row[0] for row in mistakes(book)] == ["Dòng", "2", "99"]


def test_very_many_mistakes_are_listed_though_not_all_get_a_comment(tmp_path, out, monkeypatch):
    monkeypatch.setattr(marked_workbook, "MOST_COMMENTS", 50)
    file = tmp_path / "diem.csv"
    file.write_text(csv_text([["SBD", "Toán"], *(["06000001", "11"] for _ in range(60))]), encoding="utf-8")
    book = annotate(file, out, [CellMark(row, 1, "Quá 10.") for row in range(2, 62)], max_rows=10)
    assert len(cells_with_comments(book.worksheets[0])) == 50
    assert book["Lỗi"].max_row == 61


def test_an_output_that_cannot_be_written_leaves_nothing_half_done(tmp_path):
    file = tmp_path / "diem.csv"
    file.write_text(csv_text([HEADER, *ROWS]), encoding="utf-8")
    for out, code in ((tmp_path / "missing" / "loi.xlsx", "no_folder"), (tmp_path, "unwritable")):
        with pytest.raises(TableError) as refusal:
            annotate(file, out)
        assert refusal.value.code == code
        assert ".part" not in str(refusal.value)
    assert [path.name for path in tmp_path.iterdir()] == ["diem.csv"]


def test_why_the_system_does_not_write_is_said_without_our_temporary_name(tmp_path, monkeypatch):
    file = tmp_path / "diem.csv"
    file.write_text(csv_text([HEADER, *ROWS]), encoding="utf-8")

    def refuse(self):
        raise FileCreateError(OSError(28, "No space left on device", "/x/.loi.xlsx.part"))

    monkeypatch.setattr(xlsxwriter.Workbook, "close", refuse)
    with pytest.raises(TableError) as refusal:
        annotate(file, tmp_path / "loi.xlsx")
    assert "cannot be written: No space left on device. " in str(refusal.value)


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd", "'+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-1", "-1"),
        ("+84", "+84"),
        ("-8,25", "-8,25"),
        ("-1.5E+3", "-1.5E+3"),
        ("Nguyễn", "Nguyễn"),
        ("", ""),
    ],
)
def test_no_cell_acts_as_a_formula_in_csv(cell, written):
    assert harmless(cell) == written


def test_csv_opens_rightly_in_excel(tmp_path):
    out = tmp_path / "ket-qua.csv"
    write_csv(out, HEADER, iter([*ROWS, ["=x", 'a "b"', "1,5", "c\nd"]]))
    assert out.read_bytes().startswith(b"\xef\xbb\xbfS\xe1\xbb\x91")
    assert read(out)[1] == [*map(tuple, ROWS), ("'=x", 'a "b"', "1,5", "c\nd")]


def test_half_a_csv_file_never_takes_the_place_of_a_whole_one(tmp_path):
    out = tmp_path / "ket-qua.csv"
    out.write_text("trước", encoding="utf-8")

    def rows():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(out, HEADER, rows())
    assert out.read_text(encoding="utf-8") == "trước"
    assert list(tmp_path.iterdir()) == [out]


def test_a_csv_file_that_is_there_is_overwritten_only_where_that_is_meant(tmp_path):
    out = tmp_path / "ma-tra-cuu.csv"
    write_csv(out, HEADER, ROWS, overwrite=False)
    before = out.read_bytes()
    with pytest.raises(TableError, match="exists already") as refusal:
        write_csv(out, HEADER, [], overwrite=False)
    assert (refusal.value.code, out.read_bytes()) == ("exists", before)
    write_csv(out, HEADER, [])
    assert out.read_bytes() != before


def test_a_new_csv_file_that_fails_leaves_nothing(tmp_path):
    def rows():
        yield ROWS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_csv(tmp_path / "ma.csv", HEADER, rows(), overwrite=False)
    with pytest.raises(TableError, match=r"the folder .*missing does not exist"):
        write_csv(tmp_path / "missing" / "ma.csv", HEADER, [], overwrite=False)
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_characters="\r\0", codec="utf-8")), min_size=2, max_size=2))
def test_exported_cells_are_read_back_but_for_the_apostrophe(tmp_path_factory, cells):
    out = tmp_path_factory.mktemp("csv") / "x.csv"
    write_csv(out, ["SBD", "Toán", "Ngữ văn"], [["1", *cells]])
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [["1", *map(harmless, cells)]]
