"""Files as departments send them, made on the spot."""

import csv
import io

import xlsxwriter

from kit.tables import open_table

HEADINGS = {"số báo danh", "sbd", "họ và tên", "toán", "ngữ văn", "ngoại ngữ", "giới tính"}
HEADER = ["Số báo danh", "Họ và tên", "Toán", "Ngữ văn"]
ROWS = [
    ["06000001", "Nguyễn Thị Ánh Nguyệt", "8.25", "7"],
    ["06000002", "Trần Đức Hoà", "", "6.5"],
    ["06000003", "Lê Quỳnh Như", "10", "0"],
]


def is_header(cells):
    return sum(cell.strip().casefold() in HEADINGS for cell in cells)


def csv_text(rows, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def write_xlsx(path, rows, *, sheet="Kết quả", more=(), options=None):
    """A workbook of the rows; `more` are further sheets as (name, rows). Text stays text."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, **(options or {})})
    for name, content in [(sheet, rows), *more]:
        page = book.add_worksheet(name)
        for number, row in enumerate(content):
            for column, cell in enumerate(row):
                write = page.write_string if isinstance(cell, str) and cell else page.write
                write(number, column, cell)
    book.close()
    return path


def read(path, **options):
    """The header and all rows, at once."""
    with open_table(path, is_header, **options) as table:
        return table.header, [row for chunk in table.chunks() for row in chunk.rows]


def as_tuples(rows):
    return [tuple(row) for row in rows]
