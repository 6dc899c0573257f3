"""Workbooks are read as their senders see them, by a process that ends when it is no longer needed."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from kit.tables import Limits, TableError, open_table
from tests.kit.table_files import HEADER, ROWS, as_tuples, is_header, read, write_xlsx
from tests.kit.test_legacy_text import as_typed

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "diem-thi.xlsx"


def test_titles_a_blank_row_and_a_running_number_are_no_trouble(file):
    rows = [["KẾT QUẢ KỲ THI"], [], ["STT", *HEADER], *([i, *row] for i, row in enumerate(ROWS, 1)), [], ["", "", "x"]]
    write_xlsx(file, rows)
    with open_table(file, is_header) as table:
        assert (table.kind, table.sheet, table.encoding, table.delimiter) == ("xlsx", "Kết quả", None, None)
        assert (table.header.row, table.header.cells) == (3, ["STT", *HEADER])
        assert table.total_rows_hint == 5
        (chunk,) = table.chunks()
        assert table.bytes_read == table.bytes_total
    assert chunk.rows[:3] == [(str(i), *row) for i, row in enumerate(ROWS, 1)]
    assert list(chunk.numbers) == [4, 5, 6, 8]
    assert table.warnings == []


def test_the_name_of_the_file_does_not_decide_what_it_is(tmp_path):
    write_xlsx(tmp_path / "diem.csv", [HEADER, *ROWS])
    assert read(tmp_path / "diem.csv")[1] == as_tuples(ROWS)
    (tmp_path / "diem.xlsx").write_text("SBD,Toán\n06000001,8\n", encoding="utf-8")
    assert read(tmp_path / "diem.xlsx")[1] == [("06000001", "8")]


def test_cells_become_the_text_that_their_sender_sees(file):
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    formats = {name: book.add_format({"num_format": code}) for name, code in [("day", "dd/mm/yyyy"), ("time", "hh:mm")]}
    sheet.write_row(0, 0, ["SBD", "Toán"])
    values = [8.25, 8.0, 12345678.0, 0.1, 0, -1, 1.23e11, 1e-7, 123456789012.0]
    for row, value in enumerate(values, 1):
        sheet.write_number(row, 1, value)
    row = len(values) + 1
    sheet.write_datetime(row, 1, dt.datetime(2008, 2, 1), formats["day"])  # noqa: DTZ001
    sheet.write_datetime(row + 1, 1, dt.time(8, 30), formats["time"])
    sheet.write_boolean(row + 2, 1, boolean=True)
    sheet.write_formula(row + 3, 1, "=1+1", None, 2)
    sheet.write_formula(row + 4, 1, '="a"&"b"', None, "ab")
    sheet.write_string(row + 5, 1, "=1+1")
    book.close()
    with open_table(file, is_header) as table:
        (chunk,) = table.chunks()
    assert [cells[1] for cells in chunk.rows] == [
        *("8.25", "8", "12345678", "0.1", "0", "-1", "123000000000", "0.0000001", "123456789012"),
        *("2008-02-01", "08:30:00", "TRUE", "2", "ab", "=1+1"),
    ]
    assert [chunk.was_number(i, 1) for i in range(len(chunk.rows))] == [True] * 9 + [False] * 3 + [True] + [False] * 2


def test_a_sum_shows_the_digits_that_excel_shows(file):
    write_xlsx(file, [["SBD", "Toán"], ["1", 0.1 + 0.2], ["2", 8.1 + 0.15], ["3", -0.0]])
    assert [row[1] for row in read(file)[1]] == ["0.3", "8.25", "0"]


def test_a_number_that_lost_its_zeros_is_told_from_text_that_kept_them(file):
    write_xlsx(file, [["SBD", "Toán"], ["01000001", 8], [1000002, 8], [], [1000003, "8"]])
    with open_table(file, is_header) as table:
        (chunk,) = table.chunks()
    assert [row[0] for row in chunk.rows] == ["01000001", "1000002", "1000003"]
    assert [chunk.was_number(i, 0) for i in range(3)] == [False, True, True]
    assert [chunk.was_number(i, 1) for i in range(3)] == [True, True, False]


def test_a_formula_that_failed_is_never_an_empty_cell(file):
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["SBD", "Toán", "Ngữ văn"])
    sheet.write_row(1, 0, ["06000001", 8])
    sheet.write_formula(1, 2, "=VLOOKUP(A2,X:Y,2)", None, "#N/A")
    sheet.write_blank(2, 0, None, book.add_format({"bold": True}))
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    book.close()
    assert read(file)[1] == [("06000001", "8", "#N/A"), ("", "#DIV/0!", "")]


def test_a_formula_without_a_value_is_never_an_empty_cell(file):
    book = openpyxl.Workbook()
    for row in (["SBD", "Toán", "Ngữ văn"], ["06000001", "=4+4", 7], ["06000002", 8, '="a"&"b"'], ["=A3", "=B3"]):
        book.active.append(row)
    book.save(file)
    assert read(file)[1] == [("06000001", "=4+4", "7"), ("06000002", "8", '="a"&"b"'), ("=A3", "=B3", "")]
    with open_table(file, is_header) as table:
        assert table.total_rows_hint == 3


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="B2"><f>1+1</f></c>', "=1+1"),
        ('<c r="B2"><f>1+1</f><v></v></c>', "=1+1"),
        ('<c r="B2"><f t="shared" si="0"/></c>', "=…"),
        ('<c r="B2"><f t="shared" si="0"/><v>3</v></c>', "3"),
        # Excel writes this for a formula whose value is the empty text.
        ('<c r="B2" t="str"><f>""</f><v></v></c>', ""),
    ],
)
def test_formulas_without_a_value_are_seen_in_every_way_of_writing_them(file, cell, text):
    write_xlsx(file, [["SBD", "Toán"], ["06000001", 9]])
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b'<c r="B2"><v>9</v></c>', cell.encode())
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert read(file)[1] == [("06000001", text)]


def test_tables_need_not_begin_in_the_first_cell(file):
    rows = [[], [], ["", "", *HEADER], *(["", "", *row] for row in ROWS)]
    write_xlsx(file, rows)
    with open_table(file, is_header) as table:
        assert table.header.cells == ["", "", *HEADER]
        assert table.header.row == 3
        (chunk,) = table.chunks()
    assert chunk.rows == [("", "", *row) for row in ROWS]
    assert list(chunk.numbers) == [4, 5, 6]


def test_merged_titles_and_headings_are_read_once(file):
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 3, "KẾT QUẢ")
    sheet.write_row(1, 0, HEADER)
    sheet.write_row(2, 0, ROWS[0])
    book.close()
    header, rows = read(file)
    assert header.cells == HEADER
    assert rows == [("06000001", "Nguyễn Thị Ánh Nguyệt", "8.25", "7")]


def test_the_first_sheet_with_a_header_is_taken_and_the_others_are_named(file):
    write_xlsx(file, [], sheet="Trống", more=[("Bìa", [["Sở"]]), ("Điểm", [HEADER, *ROWS]), ("Cũ", [HEADER, ["9"]])])
    with open_table(file, is_header) as table:
        assert table.sheet == "Điểm"
        assert [row for chunk in table.chunks() for row in chunk.rows] == as_tuples(ROWS)
    (warning,) = table.warnings
    assert (warning.code, warning.facts) == ("other_sheets", {"taken": "Điểm", "ignored": ["Bìa", "Cũ"]})
    assert '"Cũ"' in warning.sentence


def test_a_hidden_sheet_is_not_what_the_sender_sees(file):
    book = xlsxwriter.Workbook(str(file))
    book.add_worksheet("Mới").write(0, 0, "Sở")
    hidden = book.add_worksheet("Cũ")
    hidden.write_row(0, 0, HEADER)
    hidden.hide()
    book.close()
    with pytest.raises(TableError) as refusal:
        read(file)
    assert refusal.value.code == "header_not_found"


def test_columns_in_an_old_font_are_converted_in_workbooks_too(file):
    write_xlsx(file, [HEADER, *([number, as_typed(name, "vni"), *scores] for number, name, *scores in ROWS)])
    assert read(file, convert="vni")[1] == as_tuples(ROWS)


def test_many_rows_come_in_order_with_their_numbers(file):
    rows = [[f"{number:08d}", number % 2 or ""] for number in range(7000)]
    write_xlsx(file, [["SBD", "Toán"], *rows])
    with open_table(file, is_header) as table:
        chunks = list(table.chunks(1500))
    assert max(len(chunk.rows) for chunk in chunks) <= 1500
    assert [row[0] for chunk in chunks for row in chunk.rows] == [row[0] for row in rows]
    assert [number for chunk in chunks for number in chunk.numbers] == list(range(2, 7002))
    masks = b"".join(chunk.numeric[1] for chunk in chunks)
    assert masks == bytes(number % 2 for number in range(7000))


def test_as_many_rows_as_allowed_are_read_and_not_one_more(file):
    write_xlsx(file, [["Sở"], HEADER, *ROWS])
    assert len(read(file, limits=Limits(max_rows=3))[1]) == 3
    with pytest.raises(TableError, match="more than 2 rows") as refusal:
        read(file, limits=Limits(max_rows=2))
    assert refusal.value.code == "too_many_rows"


def test_a_workbook_without_anything_in_it_is_empty(file):
    write_xlsx(file, [])
    with pytest.raises(TableError) as refusal:
        read(file)
    assert refusal.value.code == "empty"


def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def test_closing_early_ends_the_process_at_once(file):
    write_xlsx(file, [["SBD", "Toán"], *([f"{number:08d}", 8] for number in range(20_000))])
    before = children()
    table = open_table(file, is_header)
    chunks = table.chunks(10)
    next(chunks)
    assert len(children()) == len(before) + 1
    table.close()
    table.close()
    assert children() == before


def test_a_failed_opening_leaves_no_process_behind(file):
    before = children()
    write_xlsx(file, [["Sở"], ["x", "y"]])
    with pytest.raises(TableError):
        open_table(file, is_header)
    assert children() == before


STOPS_WHILE_ROWS_COME = """
table = open_table(Path(sys.argv[1]), len)
next(table.chunks(10))
tell_and_wait()
"""
STOPS_WHILE_IT_IS_ASKED = "open_table(Path(sys.argv[1]), lambda cells: tell_and_wait())"


@pytest.mark.parametrize("rest", [STOPS_WHILE_ROWS_COME, STOPS_WHILE_IT_IS_ASKED])
def test_the_process_ends_when_the_one_that_started_it_is_killed(file, rest):
    write_xlsx(file, [["SBD", "Toán"], *([f"{number:08d}", 8] for number in range(50_000))])
    program = f"""
import os, sys, time
from pathlib import Path
from kit.tables import open_table
def tell_and_wait():
    print(Path(f"/proc/self/task/{{os.getpid()}}/children").read_text(), flush=True)
    time.sleep(60)
{rest}
"""
    parent = subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, cwd=ROOT)
    (pid,) = map(int, parent.stdout.readline().split())
    parent.kill()
    parent.communicate()
    assert ends(pid)


def ends(pid):
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


def test_a_process_that_is_killed_is_an_error_and_no_traceback(file):
    write_xlsx(file, [["SBD", "Toán"], *([f"{number:08d}", 8] for number in range(50_000))])
    with open_table(file, is_header) as table:
        table._source._process._process.kill()
        with pytest.raises(TableError) as refusal:
            list(table.chunks())
    assert refusal.value.code == "too_much_memory"
