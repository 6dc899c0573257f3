"""A department's file of units: all of it or nothing, every mistake named, nothing changed without its decision."""

from datetime import date

import msgspec
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from kit.tables import TableError
from tests.officers import given_unit
from tests.people import MORNING
from units.changes import last_change
from units.history.decisions import Decision, list_events, list_former_names, merge_units
from units.lists.unit_import import import_units
from units.record.entries import COMMAND
from units.units import list_units

HEAD = "Mã đơn vị,Loại đơn vị,Tên đơn vị,Đơn vị quản lý,Xã/Phường,Địa chỉ,Đường dây nóng,Thư điện tử,Trang web"
DECIDED = f"{HEAD},Số quyết định,Ngày quyết định"
FILE = f"""DANH SÁCH ĐƠN VỊ
{HEAD}
phuong-ben-may,UBND phường,Ủy ban nhân dân phường Bến Mây,so,99001,,1900 0000,bm@vangiang.example,
mn-hoa-sen,Mầm non,Trường Mầm non Hoa Sen,phuong-ben-may,99001,Số 1,,,
th-le-loi,Trường Tiểu học,Trường Tiểu học Lê Lợi,uy ban nhan dan phuong ben may,99001,,,,th-leloi.example
thpt-ben-may,THPT,Trường THPT Bến Mây,so,99001,Số 3,1900 0001,,https://c3benmay.example/
"""


class Files:
    def __init__(self, connection, folder):
        self._connection, self._folder = connection, folder

    async def send(self, text, name="don-vi.csv", **options):
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return await self.send_path(path, **options)

    async def send_workbook(self, rows, **options):
        path = self._folder / "don-vi.xlsx"
        with xlsxwriter.Workbook(path) as workbook:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
        return await self.send_path(path, **options)

    async def send_path(self, path, **options):
        return await import_units(self._connection, path, actor=COMMAND, now=MORNING, **options)

    async def unit(self, code):
        return next((unit for unit in await list_units(self._connection) if unit.code == code), None)


@pytest.fixture
def files(connection, tmp_path):
    return Files(connection, tmp_path)


def told(summary):
    return [(problem.row, problem.code, problem.heading) for problem in summary.problems]


def rules(summary):
    return [(problem.row, problem.facts.get("rule"), problem.heading) for problem in summary.problems]


async def test_units_of_a_file_are_added_managers_by_code_or_name(files, connection):
    summary = await files.send(FILE)
    assert (told(summary), summary.added, summary.stored) == ([], 4, True)
    assert await files.unit("mn-hoa-sen") == msgspec.structs.replace(
        await files.unit("mn-hoa-sen"), kind="kindergarten", managed_by="phuong-ben-may", province_code="99",
        commune_code="99001", address="Số 1", short_name="Trường Mầm non Hoa Sen", email="", website=None,
    )  # fmt: skip
    assert (await files.unit("th-le-loi")).managed_by == "phuong-ben-may"
    assert (await files.unit("th-le-loi")).website == "https://th-leloi.example"
    assert [event.what for event in await list_events(connection, "th-le-loi")] == ["added"]
    entries = "select count(*) from units.record_entries where action = 'unit.added'"
    assert await connection.fetchval(entries) == 4
    imported = "select count(*) from units.changes where what = 'imported'"
    assert await connection.fetchval(imported) == 1


async def test_the_same_file_again_changes_nothing(files, connection):
    await files.send(FILE)
    before = await last_change(connection)
    summary = await files.send(FILE)
    assert (summary.added, summary.changed, summary.unchanged, summary.problems) == (0, 0, 4, [])
    assert await last_change(connection) == before


async def test_changed_contacts_are_described_and_empty_cells_leave_what_is_there(files, connection):
    await files.send(FILE)
    summary = await files.send("Mã,Địa chỉ,Điện thoại,E-mail\nthpt-ben-may,Số 30,,c3@vangiang.example\n")
    assert (summary.changed, summary.problems) == (1, [])
    unit = await files.unit("thpt-ben-may")
    assert (unit.address, unit.hotline, unit.email) == ("Số 30", "1900 0001", "c3@vangiang.example")
    assert [event.what for event in await list_events(connection, "thpt-ben-may")] == ["added"]


async def test_a_dry_run_finds_everything_and_stores_nothing(files, connection):
    before = await last_change(connection)
    summary = await files.send(FILE, dry_run=True)
    assert (summary.added, summary.stored, summary.problems) == (4, False, [])
    assert len(await list_units(connection)) == 1
    assert await last_change(connection) == before


async def test_one_mistake_keeps_the_whole_file_out_and_all_are_told(files, connection):
    summary = await files.send(
        f"{HEAD}\n"
        "Trường Hoa Mai,Mầm non,Trường MN Hoa Mai,so,99001,,,,\n"
        ",THCS,Trường THCS Đồi Nắng,so,99001,,,,\n"
        "x1,Đại học,,,,,,,\n"
        "x2,THPT,Trường X2,nobody,99999,,,không có,nơi nào đó\n"
        "x3,THPT,Trường X3,so,Phường Không Đâu,,,,\n"
        "x4,THPT,Trường X4,so,99001,,,,\n"
        "x4,THPT,Trường X4,so,99001,,,,\n"
    )
    assert told(summary) == [
        (2, "not_possible", "Mã đơn vị"),
        (2, "manager_unusual", "Đơn vị quản lý"),
        (3, "code_missing", "Mã đơn vị"),
        (4, "kind_unknown", "Loại đơn vị"),
        (4, "name_missing", "Tên đơn vị"),
        (4, "manager_missing", "Đơn vị quản lý"),
        (5, "manager_unknown", "Đơn vị quản lý"),
        (5, "commune_unknown", "Xã/Phường"),
        (5, "email_malformed", "Thư điện tử"),
        (5, "website_malformed", "Trang web"),
        (6, "commune_unknown", "Xã/Phường"),
        (7, "code_twice", "Mã đơn vị"),
    ]
    assert summary.problems[0].suggestion == "truong-hoa-mai"
    assert "7, 8" in summary.problems[-1].sentence()
    assert len(await list_units(connection)) == 1


@pytest.mark.parametrize("website", ["javascript:alert(1)", "ftp://x.vn", "https://", "data:text.html"])
async def test_a_website_is_one(files, website):
    assert told(await files.send(f"{HEAD}\nx,THPT,X,so,99001,,,,{website}\n")) == [
        (2, "website_malformed", "Trang web")
    ]


async def test_another_name_manager_or_place_needs_its_decision(files, connection):
    await files.send(FILE)
    summary = await files.send(f"{HEAD}\nmn-hoa-sen,Mầm non,Trường Mầm non Hoa Súng,so,99002,,,,\n")
    assert told(summary) == [
        (2, "name_needs_decision", "Tên đơn vị"),
        (2, "manager_unusual", "Đơn vị quản lý"),
        (2, "manager_needs_decision", "Đơn vị quản lý"),
        (2, "place_needs_decision", "Xã/Phường"),
    ]
    assert "baodanh unit rename mn-hoa-sen" in summary.problems[0].sentence()
    assert "baodanh unit move mn-hoa-sen" in summary.problems[2].sentence()
    assert (await files.unit("mn-hoa-sen")).name == "Trường Mầm non Hoa Sen"


async def test_where_units_stand_may_be_told_later(files, connection):
    await files.send(f"{HEAD}\nx,THPT,Trường X,so,,,,,\n")
    summary = await files.send(f"{HEAD}\nx,THPT,Trường X,so,99001,,,,\n")
    assert (told(summary), summary.changed) == ([], 1)
    assert (await files.unit("x")).province_code == "99"
    assert [event.what for event in await list_events(connection, "x")] == ["added"]


async def test_with_its_decision_a_row_renames_and_moves(files, connection):
    await files.send(FILE)
    row = "mn-hoa-sen,Mầm non,Trường Mầm non Hoa Súng,phuong-ben-may,99002,Số 9,,,,15/QĐ-UBND,15/6/2026"
    summary = await files.send(f"{DECIDED}\n{row}\n")
    assert (told(summary), summary.changed) == ([], 1)
    unit = await files.unit("mn-hoa-sen")
    assert (unit.name, unit.commune_code, unit.address) == ("Trường Mầm non Hoa Súng", "99002", "Số 9")
    assert (await list_former_names(connection, "mn-hoa-sen"))[0].until == date(2026, 6, 15)
    assert [(event.what, event.decision) for event in await list_events(connection, "mn-hoa-sen")][1:] == [
        ("renamed", Decision("15/QĐ-UBND", date(2026, 6, 15))),
        ("moved", Decision("15/QĐ-UBND", date(2026, 6, 15))),
    ]
    again = await files.send(f"{DECIDED}\n{row}\n")
    assert (again.unchanged, again.problems) == (1, [])


async def test_a_new_unit_may_bring_the_decision_that_founds_it(files, connection):
    await files.send(f"{DECIDED}\nx,THPT,Trường X,so,99001,,,,,1/QĐ,2026-06-30\n")
    assert (await list_events(connection, "x"))[0].decision == Decision("1/QĐ", date(2026, 6, 30))


@pytest.mark.parametrize(
    ("decision", "problem"),
    [
        ("1/QĐ,", "decision_incomplete"),
        (",1/6/2026", "decision_incomplete"),
        ("1/QĐ,hôm qua", "date_unreadable"),
        ("1/QĐ,2/7/2026", "a_decision_is_not_in_the_future"),
    ],
)
async def test_a_decision_has_both_parts_and_has_come(files, decision, problem):
    await files.send(FILE)
    for row in ("x,THPT,Trường X,so,99001,,,,", "thpt-ben-may,,Trường THPT Hồ Gươm,,,,,,"):
        summary = await files.send(f"{DECIDED}\n{row},{decision}\n")
        assert problem in {summary.problems[0].code, summary.problems[0].facts.get("rule")}
        assert not summary.stored
    assert await files.unit("x") is None


async def test_rules_of_units_are_told_in_their_row(files, connection):
    await files.send(FILE)
    summary = await files.send(f"{DECIDED}\nphuong-ben-may,,,th-le-loi,,,,,,1/QĐ,1/6/2026\n")
    assert "a_unit_is_not_below_itself" in {rule for _, rule, _ in rules(summary)}
    assert not summary.stored
    circle = await files.send(f"{HEAD}\nx,THPT,X,y,99001,,,,\ny,THPT,Y,x,99001,,,,\n")
    assert (2, "a_unit_is_not_below_itself", "Đơn vị quản lý") in rules(circle)


async def test_a_closed_unit_names_its_successor(files, connection):
    await files.send(FILE)
    decision = Decision("1/QĐ", date(2026, 6, 1))
    await merge_units(connection, ["mn-hoa-sen"], "th-le-loi", decision=decision, actor=COMMAND, now=MORNING)
    summary = await files.send(f"{HEAD}\nmn-hoa-sen,,,,,Số 2,,,\nx,Mầm non,X,mn-hoa-sen,,,,,\n")
    assert [code for _, code, _ in told(summary)] == ["unit_closed", "manager_closed", "manager_unusual"]
    assert "th-le-loi" in summary.problems[0].sentence()


async def test_a_kind_does_not_change(files):
    await files.send(FILE)
    assert told(await files.send(f"{HEAD}\nthpt-ben-may,THCS,,,,,,,\n")) == [(2, "kind_differs", "Loại đơn vị")]


async def test_a_manager_that_only_looks_like_the_place_is_asked_about(files):
    summary = await files.send(f"{FILE}thpt-x,THPT,Trường THPT X,phuong-ben-may,99001,,,,\n")
    assert (told(summary), summary.stored) == ([(7, "manager_unusual", "Đơn vị quản lý")], True)


async def test_a_name_that_several_units_have_is_not_guessed(files, connection):
    for code in ("a", "b"):
        await given_unit(connection, code, kind="commune", name="Ủy ban nhân dân xã Hòa An")
    summary = await files.send(f"{HEAD}\nx,Mầm non,X,UBND xã Hòa An,,,,,\ny,Mầm non,Y,Ủy ban nhân dân xã Hoà An,,,,,\n")
    assert [code for _, code, _ in told(summary)] == ["manager_unknown", "manager_ambiguous"]
    assert "a, b" in summary.problems[1].sentence()


async def test_communes_are_known_by_code_or_name_within_their_province(files):
    head = "Mã,Loại,Tên,Trực thuộc,Tỉnh,Xã"
    summary = await files.send(
        f"{head}\na,THPT,A,so,Hà Nội,hoan kiem\nb,THPT,B,so,,70\nc,THPT,C,so,01,Phường Hoàn Kiếm\n"
        "d,THPT,D,so,,Xã Hòa An\ne,THPT,E,so,TP. Hồ Chí Minh,99001\nf,THPT,F,so,79,00070\ng,THPT,G,so,Mars,\n"
    )
    assert told(summary) == [
        (5, "commune_ambiguous", "Xã"),
        (6, "province_unknown", "Tỉnh"),
        (7, "commune_unknown", "Xã"),
        (8, "province_unknown", "Tỉnh"),
    ]
    good = await files.send(f"{head}\na,THPT,A,so,Hà Nội,hoan kiem\nb,THPT,B,so,,70\nc,THPT,C,so,1,Hoàn Kiếm\n")
    assert told(good) == []
    assert {(await files.unit(code)).commune_code for code in "abc"} == {"00070"}


async def test_headings_are_known_however_they_are_written_and_others_are_refused(files):
    summary = await files.send("STT,MÃ ĐƠN VỊ,ten don vi,Đơn vị quản lí,Mã,Địa chĩ,Sức chứa\n1,x,X,so,y,Số 1,9\n")
    assert told(summary)[:4] == [
        (1, "unknown_column", "Đơn vị quản lí"),
        (1, "column_twice", "Mã"),
        (1, "unknown_column", "Sức chứa"),
        (2, "kind_missing", ""),
    ]
    assert told(await files.send("Tên,Loại\nX,THPT\n")) == [(1, "code_column_missing", "")]
    assert told(await files.send(f"{HEAD}\n")) == [(None, "no_rows", "")]
    with pytest.raises(TableError):
        await files.send("một,hai\n1,2\n")


async def test_a_decimal_comma_cannot_shift_a_row(files):
    summary = await files.send("Mã,Địa chỉ\nso,Số 1, đường Trung Tâm\n")
    assert told(summary) == [(2, "row_too_wide", "")]


async def test_a_workbook_comes_back_with_the_mistakes_marked_in_vietnamese(files, tmp_path):
    out = tmp_path / "loi.xlsx"
    rows = [HEAD.split(","), ["x", "THPTT", "Trường X", "so", 70, "", "", "", ""]]
    summary = await files.send_workbook(rows, report=out)
    assert told(summary) == [(2, "kind_unknown", "Loại đơn vị")]
    workbook = CalamineWorkbook.from_path(out)
    listed = workbook.get_sheet_by_name("Lỗi").to_python()
    assert [str(cell) for cell in listed[1]] == [
        "2", "Loại đơn vị (B)", "THPTT", "Không nhận ra loại đơn vị “THPTT”.", "THPT"
    ]  # fmt: skip


async def test_dates_of_a_workbook_are_read(files, connection):
    path_rows = [DECIDED.split(","), ["x", "THPT", "Trường X", "so", 70, "", "", "", "", "1/QĐ", 46174]]
    assert told(await files.send_workbook(path_rows)) == []
    assert (await list_events(connection, "x"))[0].decision == Decision("1/QĐ", date(2026, 6, 1))


async def test_a_report_never_overwrites_the_file_it_is_about(files, tmp_path):
    await files.send_workbook([HEAD.split(","), ["x"]])
    with pytest.raises(TableError, match=r"would overwrite don-vi\.xlsx"):
        await files.send_path(tmp_path / "don-vi.xlsx", report=tmp_path / "don-vi.xlsx")
    with pytest.raises(TableError, match=r"must end in \.xlsx"):
        await files.send(FILE, report=tmp_path / "x.csv")


async def test_old_letters_are_refused_rather_than_stored(files, tmp_path):
    path = tmp_path / "cu.csv"
    path.write_bytes("code,kind,name,manager\nx,THPT,NguyÔn V¨n Hoµ,so\ny,THPT,TrÇn ThÞ H»ng,so\n".encode("latin-1"))
    assert (1, "legacy_text", "name") in told(await files.send_path(path))


async def test_every_message_says_it_in_both_languages():
    from units.lists.problems import MESSAGES, Problem

    facts = dict.fromkeys(
        ("other", "charset", "most", "rows", "unit", "kind", "codes", "usual", "successor", "before", "rule"), "x"
    )
    for code in MESSAGES:
        for language in ("en", "vi"):
            assert "{" not in Problem(code, 1, 0, "Mã", "x" * 100, facts).sentence(language)


async def test_three_thousand_units_come_in_at_once(files, connection):
    communes = "".join(f"xa-{i},UBND xã,Ủy ban nhân dân xã {i},so,99002,,,,\n" for i in range(100))
    schools = "".join(f"th-{i},Tiểu học,Trường Tiểu học {i},xa-{i % 100},99002,,,,\n" for i in range(2900))
    summary = await files.send(f"{HEAD}\n{schools}{communes}")
    assert (summary.added, summary.problems) == (3000, [])
