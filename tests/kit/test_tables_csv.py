"""CSV files are read as departments save them."""

import codecs
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.tables import TableError, open_table
from tests.kit.table_files import HEADER, ROWS, as_tuples, csv_text, is_header, read
from tests.kit.test_legacy_text import as_typed


def save(path, content, encoding="utf-8"):
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "diem-thi.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    ("mark", "encoding", "found"),
    [
        (b"", "utf-8", "utf-8"),
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16"),
        (b"", "utf-16-le", "utf-16-le"),
        (b"", "utf-16-be", "utf-16-be"),
    ],
)
def test_every_unicode_encoding_and_delimiter_is_read(file, delimiter, mark, encoding, found):
    save(file, mark + csv_text([HEADER, *ROWS], delimiter).encode(encoding))
    with open_table(file, is_header) as table:
        assert (table.kind, table.encoding, table.delimiter) == ("csv", found, delimiter)
        assert table.header.cells == HEADER
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(ROWS)
        assert table.warnings == []
        assert table.legacy == {}


def test_the_old_windows_code_page_is_read_with_a_warning(file):
    save(file, "".join(map(in_code_page, csv_text([HEADER, *ROWS]))), "cp1258")
    with open_table(file, is_header) as table:
        assert table.encoding == "cp1258"
        assert [warning.code for warning in table.warnings] == ["cp1258"]
        assert "UTF-8" in table.warnings[0].sentence
        assert table.header.cells == HEADER
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(ROWS)


def in_code_page(letter):
    """The code page has the letter ê, then the dot: `ệ` otherwise comes apart as e, dot, roof."""
    tones = "\u0300\u0301\u0303\u0309\u0323"
    apart = unicodedata.normalize("NFD", letter)
    base = "".join(mark for mark in apart if mark not in tones)
    return unicodedata.normalize("NFC", base) + "".join(mark for mark in apart if mark in tones)


def test_titles_above_the_header_and_blank_rows_are_passed_over(file):
    rows = [["SỞ GIÁO DỤC VÀ ĐÀO TẠO"], [], ["KẾT QUẢ THI: Toán, Ngữ văn", "", "", ""], [" ", ""], HEADER, ROWS[0]]
    save(file, csv_text([*rows, [], ["", "", "", ""], ["  ", "", "\u00a0", ""], *ROWS[1:], []]))
    with open_table(file, is_header) as table:
        assert table.header.row == 5
        chunks = list(table.chunks())
    assert [number for chunk in chunks for number in chunk.numbers] == [6, 10, 11]
    assert [row for chunk in chunks for row in chunk.rows] == as_tuples(ROWS)
    assert table.total_rows_hint == 7


def test_row_numbers_are_those_of_excel_though_cells_hold_line_breaks(file):
    rows = [["Ghi chú\nhai dòng", ""], HEADER, ["06000001", "Nguyễn\nAn", "8", "7"], ROWS[1]]
    save(file, csv_text(rows))
    with open_table(file, is_header) as table:
        assert table.header.row == 2
        (chunk,) = table.chunks()
    assert list(chunk.numbers) == [3, 4]
    assert chunk.rows[0][1] == "Nguyễn\nAn"


def test_delimiters_at_the_end_of_lines_add_no_columns(file):
    save(file, "".join(";".join(row) + ";;;\r\n" for row in [HEADER, *ROWS]))
    header, rows = read(file)
    assert header.cells == HEADER
    assert rows == as_tuples(ROWS)


def test_short_rows_are_filled_and_text_beyond_the_header_is_told(file):
    save(file, "SBD,Toán,Ngữ văn\n06000001\n06000002,8,25,7\n06000003,8,7,,\n")
    with open_table(file, is_header) as table:
        (chunk,) = table.chunks()
    assert chunk.rows == [("06000001", "", ""), ("06000002", "8", "25"), ("06000003", "8", "7")]
    assert chunk.overlong == [1]


def test_a_decimal_comma_does_not_split_cells_between_semicolons(file):
    save(file, "SBD;Toán;Ngữ văn\n06000001;8,25;7,5\n")
    assert read(file)[1] == [("06000001", "8,25", "7,5")]


def test_a_cell_is_the_text_as_it_stands_in_the_file(file):
    save(file, 'SBD,Toán,Ngữ văn\n 06000001 ,"8,25","To&#xE1;n ""A"""\n')
    assert read(file)[1] == [(" 06000001 ", "8,25", 'To&#xE1;n "A"')]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(file, ending):
    save(file, csv_text([HEADER, *ROWS]).replace("\r\n", ending))
    assert read(file)[1] == as_tuples(ROWS)


@pytest.mark.parametrize("single_byte", [True, False])
@pytest.mark.parametrize("charset", ["tcvn3", "vni"])
def test_columns_in_an_old_font_are_recognised_and_converted_when_asked(file, charset, single_byte):
    rows = [HEADER, *([number, as_typed(name, charset), *scores] for number, name, *scores in ROWS)]
    header = [as_typed(cell, charset) for cell in HEADER] if single_byte else HEADER
    save(file, csv_text([header, *rows[1:]]), "latin-1" if single_byte else "utf-8")
    with open_table(file, is_header, convert=charset) as table:
        assert table.legacy == {1: charset}
        assert table.header.cells == HEADER
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(ROWS)
    first = table.legacy_examples[0]
    assert (first.row, first.column, first.before, first.after) == (2, 1, rows[1][1], ROWS[0][1])


def test_without_being_asked_nothing_is_converted(file):
    rows = [[number, as_typed(name, "vni"), *scores] for number, name, *scores in ROWS]
    save(file, csv_text([["SBD", "Ho ten", "Toán", "Ngữ văn"], *rows]))
    with open_table(file, is_header) as table:
        assert table.legacy == {1: "vni"}
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(rows)


def test_one_strange_word_suffices_where_another_column_is_surely_in_an_old_font(file):
    rows = [[number, as_typed(name, "tcvn3"), "8", "N÷"] for number, name, *_ in ROWS]
    save(file, csv_text([["SBD", "Ho ten", "Toán", "Gioi tinh"], *rows]))
    with open_table(file, is_header, convert="tcvn3") as table:
        assert table.legacy == {1: "tcvn3", 3: "tcvn3"}
        assert {row[3] for chunk in table.chunks() for row in chunk.rows} == {"Nữ"}


def test_a_heading_in_an_old_font_says_how_to_convert(file):
    save(file, csv_text([[as_typed(cell, "tcvn3") for cell in HEADER], *ROWS]))
    with pytest.raises(TableError, match="--convert tcvn3") as refusal:
        open_table(file, is_header)
    assert refusal.value.code == "legacy_header"


def test_a_conversion_that_finds_nothing_says_so(file):
    save(file, csv_text([HEADER, *ROWS]))
    with open_table(file, is_header, convert="vni") as table:
        assert [warning.code for warning in table.warnings] == ["nothing_to_convert"]
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(ROWS)


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty", "is empty"),
        (b"\r\n \r\n", "empty", "is empty"),
        (b"\xef\xbb\xbf", "empty", "is empty"),
        ("tên,điểm\nAn,8\n", "header_not_found", "no heading row"),
        ("SBD,Toán\n06000001,8\n" + "Điểm,ở,đây\n" * 9, "broken_encoding", "Line 11"),
        ('SBD,Toán\n06000001,8\n06000002,"8\n06000003,7\n', "unclosed_quote", "Row 3"),
        ('SBD,Toán\n06000001,"8" 5\n', "unclosed_quote", "Row 2"),
        ('SBD,Toán\n06000001,"' + "x" * 200_000 + '"\n', "cell_too_long", "Row 2"),
        (b"SBD,To\xc3\xa1n\n0600\x000001,8\n", "not_text", "neither a workbook nor text"),
        (b"a\x00\x00a" * 100, "not_text", "neither a workbook nor text"),
        (b"\xff\xfe\x00\x00S\x00\x00\x00", "not_text", "neither a workbook nor text"),
        (codecs.BOM_UTF16_LE + "SBD,Toán\n".encode("utf-16-le") + b"\x00", "broken_encoding", "UTF-16"),
        (b"%PDF-1.7\n%\xe2\xe3", "not_a_table", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "not_a_table", "a picture"),
        (b"Rar!\x1a\x07", "not_a_table", "a RAR archive"),
        (b"PK\x05\x06" + bytes(18), "not_a_table", "a ZIP archive"),
        (b"PK\x03\x04 and no more", "damaged", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "other_workbook", "an old Excel workbook (.xls)"),
        ("<html><table><tr><td>SBD</td></tr></table>", "other_workbook", "a web page"),
        ('\ufeff<?xml version="1.0"?><Workbook/>', "other_workbook", "a web page or XML"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(file, content, code, said):
    save(file, content)
    if code == "broken_encoding" and isinstance(content, str):
        file.write_bytes(content.encode()[:-3] + b"\xc3\n")
    with pytest.raises(TableError) as refusal:
        read(file)
    assert refusal.value.code == code
    assert said in str(refusal.value)
    assert refusal.value.facts["file"] == "diem-thi.csv"


def test_a_mistake_late_in_a_long_file_is_found_before_anything_is_imported(file):
    good = "06000001,8\n" * 300_000
    save(file, b"SBD,To\xc3\xa1n,Ng\xe1\xbb\xaf v\xc4\x83n\n" + good.encode() + b"06000002,\xff\n")
    with pytest.raises(TableError, match="Line 300002"):
        open_table(file, is_header)


def test_chunks_have_at_most_the_size_asked_for_and_keep_the_order(file):
    save(file, csv_text([["SBD", "Toán"], *([f"{number:08d}", "8"] for number in range(4321))]))
    with open_table(file, is_header) as table:
        hint = table.total_rows_hint
        chunks = list(table.chunks(500))
        assert table.bytes_read == table.bytes_total == file.stat().st_size
    assert max(len(chunk.rows) for chunk in chunks) <= 1000
    assert [int(row[0]) for chunk in chunks for row in chunk.rows] == list(range(4321))
    assert [number for chunk in chunks for number in chunk.numbers] == list(range(2, 4323))
    assert abs(hint - 4321) <= 2
    assert table.total_rows_hint == 4321
    assert not chunks[0].was_number(0, 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.text(st.characters(exclude_characters="\r\0", codec="utf-8")), min_size=3, max_size=3)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_was_written_is_read_back(tmp_path_factory, rows, delimiter, encoding):
    file = tmp_path_factory.mktemp("table") / "x.csv"
    rows = [[f"n{i}", *row[1:]] for i, row in enumerate(rows)]
    save(file, csv_text([["SBD", "Toán", "Ngữ văn"], *rows], delimiter), encoding)
    assert read(file)[1] == as_tuples(rows)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from([b"", b"SBD,To\xc3\xa1n,Toan\n", b'SBD;"To\xe1n"\n', codecs.BOM_UTF16_LE])
)
def test_random_bytes_are_read_or_refused_and_nothing_else(tmp_path_factory, content, start):
    file = tmp_path_factory.mktemp("table") / "x.csv"
    save(file, start + content)
    try:
        read(file, convert="tcvn3")
    except TableError as refusal:
        assert str(refusal).startswith(("x.csv", "Line", "Row", "There"))  # noqa: PT017
