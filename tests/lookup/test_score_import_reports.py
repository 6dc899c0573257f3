"""What operators and senders read about a file: on the terminal, and in the workbook that goes back."""

import pytest
from python_calamine import CalamineWorkbook

from kit.tables import TableError
from lookup import score_problems
from server.commands.import_report import print_summary


async def test_what_was_found_is_counted_in_words(exam, files, capsys):
    print_summary(await files.send(exam, "SBD,Văn\n06000001,8.1\n06000002,8.2\n"))
    printed = capsys.readouterr().out
    assert "scores between two steps: 2\n" in printed
    assert "2 rows read, 2 new, 0 changed, 0 unchanged, 2 warnings. Stored" in printed
    print_summary(await files.send(exam, "SBD,Văn\n06000003,81\n"))
    assert "1 row read, 1 error, 0 warnings. Nothing was stored." in capsys.readouterr().out


async def test_a_report_never_overwrites_the_file_it_is_about(exam, files, tmp_path):
    await files.send_workbook(exam, [["SBD", "Toán"], ["06000001", 825]])
    source = tmp_path / "diem.xlsx"
    before = source.read_bytes()
    link = tmp_path / "lien-ket.xlsx"
    link.symlink_to(source)
    for out in (source, link, tmp_path / "." / "diem.xlsx"):
        with pytest.raises(TableError, match=r"would overwrite diem\.xlsx"):
            await files.send_path(exam, source, report=out)
    assert source.read_bytes() == before


async def test_a_report_is_a_workbook_in_a_folder_that_exists(exam, files, tmp_path):
    other = tmp_path / "quan-trong.csv"
    other.write_text("giữ lại")
    with pytest.raises(TableError, match=r"must end in \.xlsx"):
        await files.send(exam, "SBD,Toán\n06000001,8\n", report=other)
    with pytest.raises(TableError, match=r"the folder .*/thieu does not exist"):
        await files.send(exam, "SBD,Toán\n06000001,8\n", report=tmp_path / "thieu" / "x.xlsx")
    assert other.read_text() == "giữ lại"
    assert await files.stored(exam) == {}


async def test_the_report_marks_every_mistake_in_vietnamese(exam, files, tmp_path):
    out = tmp_path / "loi.xlsx"
    await files.send_workbook(exam, [["SBD", "Toán"], ["06000001", 825], ["06000002", 8]], report=out)
    workbook = CalamineWorkbook.from_path(out)
    assert workbook.sheet_names[-1] == "Lỗi"
    listed = workbook.get_sheet_by_name("Lỗi").to_python()
    assert [str(cell) for cell in listed[1]] == [
        "2", "Toán (B)", "825", "“825” không nằm trong khoảng từ 0 đến 10.", "8.25"
    ]  # fmt: skip


async def test_the_report_of_a_converted_file_shows_names_before_and_after(exam, files, tmp_path):
    out = tmp_path / "loi.xlsx"
    text = "SBD,Hä vµ tªn,To¸n\n06000001,NguyÔn V¨n Hoµ,8\n06000002,TrÇn ThÞ H»ng,7\n".encode("latin-1")
    await files.send(exam, text, convert="tcvn3", report=out)
    listed = str(CalamineWorkbook.from_path(out).get_sheet_by_name("Lỗi").to_python())
    assert "NguyÔn V¨n Hoµ" in listed
    assert "Nguyễn Văn Hoà" in listed


async def test_every_mistake_is_counted_even_where_not_all_are_listed(exam, files, tmp_path, monkeypatch):
    monkeypatch.setattr(score_problems, "LISTED_ERRORS", 10)
    out = tmp_path / "loi.xlsx"
    summary = await files.send(exam, "SBD,Toán\n" + "".join(f"{i:08d},11\n" for i in range(100)), report=out)
    assert "Còn 90 lỗi" in str(CalamineWorkbook.from_path(out).get_sheet_by_name("Lỗi").to_python())
    assert (summary.error_count, summary.counts, len(summary.problems), summary.unlisted) == (
        100, {"score_out_of_range": 100}, 10, 90
    )  # fmt: skip


async def test_a_conversion_from_the_wrong_letters_is_never_called_one(exam, files, capsys):
    text = "SBD,Ho ten,Toan\n06000001,NguyÔn V¨n Hoµ,8\n06000002,TrÇn ThÞ H»ng,7\n"
    summary = await files.send(exam, text, convert="vni")
    print_summary(summary)
    assert not summary.converted
    printed = capsys.readouterr().out
    assert "It would become, for example:\n  row 2: NguyÔn V¨n Hoµ -> Nguyễn Văn Hoà" in printed
    assert "Converted" not in printed
    print_summary(await files.send(exam, text, convert="tcvn3"))
    assert "Converted, for example:" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_the_report_names_a_number_that_stands_twice_once_with_its_column(exam, files, tmp_path, kind):
    rows = [["SBD", "Toán"], ["06000001", "8"], ["06000002", "7"], ["06000001", "6"]]
    out = tmp_path / "loi.xlsx"
    if kind == "csv":
        summary = await files.send(exam, "\n".join(map(",".join, rows)), report=out)
    else:
        summary = await files.send_workbook(exam, rows, report=out)
    print_summary(summary)
    listed = CalamineWorkbook.from_path(out).get_sheet_by_name("Lỗi").to_python()[1:]
    assert [[str(cell) for cell in row] for row in listed] == [
        ["2", "SBD (A)", "06000001", "Số báo danh “06000001” xuất hiện ở các dòng 2, 4. Đề nghị chỉ giữ một dòng.", ""]
    ]


async def test_a_report_without_a_conversion_shows_none(exam, files, tmp_path):
    out = tmp_path / "loi.xlsx"
    text = "SBD,Ho ten,Toan\n06000001,NguyÔn V¨n Hoµ,8\n06000002,TrÇn ThÞ H»ng,7\n"
    await files.send(exam, text, convert="vni", report=out)
    assert "được chuyển mã" not in str(CalamineWorkbook.from_path(out).get_sheet_by_name("Lỗi").to_python())
