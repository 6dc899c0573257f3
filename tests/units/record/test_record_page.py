"""Auditors read the record of their units, in Vietnamese, and that they did is on the record."""

import csv
import io
import re
from datetime import timedelta

import msgspec
import openpyxl
import pytest

from server.approval_kinds import KINDS
from tests.officers import given_officer, given_unit, signed_in
from tests.units.approvals.notices import given_editor as given_approvals_editor
from tests.units.approvals.notices import given_stage
from tests.units.record.writing import given_entries, sealed
from units.record.entries import Actor, write

HERE = "/can-bo/nhat-ky"


@pytest.fixture
async def desk(connection, service):
    """The department's auditor; a school, and an officer of it whose deeds are on record."""
    await given_unit(connection, "thpt-ly", name="Trường THPT Lý Thường Kiệt")
    auditor = await given_officer(connection, "kiem-tra", ("so", "auditor"), full_name="Lê Thị Kiểm")
    await service.hears_all_changes()
    return await signed_in(service, auditor)


@pytest.fixture
async def editor(connection, desk):
    return await given_officer(connection, "bien-tap", ("thpt-ly", "editor"), full_name="Trần Biên Tập")


def by(officer, request_id="ab" * 16) -> Actor:
    return Actor(officer.id, "web", "203.0.113.9", request_id)


async def actions_on(desk, **query) -> list[str]:
    page = await desk.get(HERE, params=query)
    assert page.status_code == 200, page.text
    return re.findall(r"<dt>Mã việc</dt><dd><code>([^<]+)<", page.text)


async def test_an_entry_reads_as_who_did_what_to_what_field_by_field(desk, connection, editor):
    await write(
        connection, by(editor), "officer.role_granted", ("officer", desk.officer.id), unit="thpt-ly", role="editor",
        changes={"name": ["Cũ", "Mới"], "website": [None, "https://x.example"]}, takes_effect_at="2026-07-01T01:00:00Z",
    )  # fmt: skip
    last = await sealed(connection)
    page = (await desk.get(HERE)).text
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Giao vai trò: Bà Lê Thị Kiểm" in text
    assert "Bà Trần Biên Tập · Trường THPT Lý Thường Kiệt" in text
    assert "Vai trò biên tập viên" in text
    assert "Tên trước: Cũ → sau: Mới" in text
    assert "Trang thông tin điện tử trước: (trống) → sau: https://x.example" in text
    assert "Có hiệu lực từ 8 giờ 00, ngày 01/7/2026" in text
    assert "trang cán bộ, địa chỉ mạng 203.0.113.9" in text
    assert f"Số thứ tự {last}" in text


async def test_an_approval_is_named_by_what_it_is_about_and_leads_there(desk, connection, settings, monkeypatch):
    stage = await given_stage(connection, settings)
    monkeypatch.setitem(KINDS, "notice", stage.notices)
    approval = await stage.hand_in(connection, await given_approvals_editor(connection))
    page = (await desk.get(HERE, params={"viec": "approval.handed_in"})).text
    title = f'<a href="/can-bo/phe-duyet/{approval.id}">Thông báo a</a>'
    assert f"<dt>Đối tượng</dt><dd>{title}" in page
    assert f"<code>{approval.id}" not in page
    assert (await desk.get(f"/can-bo/phe-duyet/{approval.id}")).status_code == 200


async def test_an_approval_that_its_reader_may_not_open_stays_a_number(desk, connection, settings, monkeypatch):
    monkeypatch.setattr("units.record.record_page.may_see", lambda *_: False)
    approval = await (await given_stage(connection, settings)).hand_in(
        connection, await given_approvals_editor(connection)
    )
    page = (await desk.get(HERE, params={"viec": "approval.handed_in"})).text
    assert f"<dt>Đối tượng</dt><dd><code>{approval.id}</code>" in page
    assert "Thông báo a" not in page


async def test_only_entries_of_units_in_reach_are_shown(desk, connection, service, editor):
    await given_unit(connection, "xa-an", kind="commune", name="Xã An")
    await given_unit(connection, "thcs-an", kind="lower-secondary", managed_by="xa-an")
    commune = await given_officer(connection, "xa", ("xa-an", "auditor"))
    await service.hears_all_changes()
    for unit in ("so", "thpt-ly", "xa-an", "thcs-an", None):
        await write(connection, by(editor), "unit.described", ("unit", unit or "none"), unit=unit)
    theirs = await signed_in(service, commune)
    page = (await theirs.get(HERE)).text
    seen = set(re.findall(r"<dt>Đối tượng</dt><dd><code>([^<]+)<", page))
    assert {"xa-an", "thcs-an"} <= seen
    assert not {"so", "thpt-ly", "none"} & seen
    page = (await desk.get(HERE)).text
    assert {"so", "thpt-ly", "xa-an", "thcs-an", "none"} <= set(
        re.findall(r"<dt>Đối tượng</dt><dd><code>([^<]+)<", page)
    )
    assert (await theirs.get(HERE, params={"don-vi": "so"})).status_code == 422
    assert await actions_on(theirs, **{"can-bo": editor.id}) == ["unit.described", "unit.described"]
    kept = await theirs.submit(f"{HERE}/tai-ve", dang="csv")
    assert "thpt-ly" not in kept.text


@pytest.mark.parametrize("role", ["reviewer", "editor", "approver", "administrator", "operator"])
async def test_nobody_but_an_auditor_reads_the_record(desk, connection, service, role):
    other = await signed_in(service, await given_officer(connection, role, ("so", role)))
    assert (await other.get(HERE)).status_code == 403
    assert (await other.submit(HERE, viec="exam.added")).status_code == 403
    assert (await other.submit(f"{HERE}/tai-ve", dang="csv")).status_code == 403
    assert (await service.visitor().get(HERE)).status_code == 303
    assert await connection.fetchval("select count(*) from units.record_entries where action like 'record.%'") == 0


async def test_the_record_is_searched_by_each_of_its_facts(desk, connection, editor):
    await write(connection, by(editor), "exam.uploaded", ("exam", "thi-a"), unit="thpt-ly")
    await write(connection, by(desk.officer, "cd" * 16), "exam.listed", ("exam", "thi-b"), unit="so")
    await connection.execute(
        "insert into units.record_entries (at, through, unit_code, action, object_kind, object_id, details)"
        " values ('2026-02-28 23:59:59+07', 'web', 'so', 'exam.removed', 'exam', 'thi-c', '{}')"
    )
    assert await actions_on(desk, viec="exam.uploaded") == ["exam.uploaded"]
    assert "exam.uploaded" in (of_the_school := await actions_on(desk, **{"don-vi": "thpt-ly"}))
    assert "exam.listed" not in of_the_school
    assert await actions_on(desk, **{"can-bo": editor.id}) == ["exam.uploaded"]
    assert await actions_on(desk, **{"doi-tuong": "thi-b"}) == ["exam.listed"]
    assert await actions_on(desk, **{"yeu-cau": "cd" * 16}) == ["exam.listed"]
    assert await actions_on(desk, tu="2026-02-28", den="2026-02-28") == ["exam.removed"]
    assert await actions_on(desk, den="01/03/2026") == ["exam.removed"]
    assert await actions_on(desk, den="2026-02-27") == []


async def test_the_form_leads_to_an_address_without_a_mail_address(desk, connection, editor):
    await write(connection, by(editor), "exam.uploaded", ("exam", "thi-a"), unit="thpt-ly")
    answer = await desk.submit(HERE, thu="Bien-Tap@vangiang.edu.vn", tu="2026-01-01", viec="exam.uploaded")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{HERE}?tu=2026-01-01&can-bo={editor.id}&viec=exam.uploaded"
    page = await desk.get(answer.headers["location"])
    assert 'value="bien-tap@vangiang.edu.vn"' in page.text
    assert "Nhập kết quả thi" in page.text


async def test_all_mistakes_of_a_search_are_shown_at_once_beside_what_was_typed(desk):
    page = await desk.submit(
        HERE, thu="ai@vangiang.edu.vn", tu="hôm qua", den="2026-01-01", viec="x", **{"don-vi": "y", "yeu-cau": "z",
        "doi-tuong": "99000001"},
    )  # fmt: skip
    assert page.status_code == 422
    for sentence in (
        "Không có mục nào của cán bộ", "Nhập ngày theo thứ tự", "Chọn một đơn vị", "Chọn một việc",
        "Không có mục nào về đối tượng này", "Mã yêu cầu gồm 32",
    ):  # fmt: skip
        assert page.text.count(sentence) == 2, sentence
    assert 'value="ai@vangiang.edu.vn"' in page.text
    backwards = await desk.submit(HERE, tu="2026-02-01", den="2026-01-01")
    assert "Ngày kết thúc phải từ ngày bắt đầu" in backwards.text


async def test_looking_and_exporting_are_on_the_record_with_what_was_looked_for(desk, connection, editor):
    await write(connection, by(editor), "exam.uploaded", ("exam", "thi-a"), unit="thpt-ly")
    await desk.get(HERE, params={"can-bo": editor.id, "viec": "exam.uploaded"})
    await desk.submit(f"{HERE}/tai-ve", dang="csv", viec="exam.uploaded")
    rows = await connection.fetch(
        "select officer_id::text, unit_code, action, details, address, request_id from units.record_entries"
        " where action like 'record.%' order by id"
    )
    searched, exported = rows
    assert (searched["action"], exported["action"]) == ("record.searched", "record.exported")
    filters = {"officer": editor.id, "action": "exam.uploaded"}
    assert msgspec.json.decode(searched["details"]) == {"filters": filters, "shown": 1}
    assert msgspec.json.decode(exported["details"]) == {"format": "csv", "filters": {"action": "exam.uploaded"}}
    for row in rows:
        assert (row["officer_id"], row["unit_code"]) == (desk.officer.id, "so")
        assert row["address"] == "203.0.113.7"
        assert re.fullmatch("[0-9a-f]{32}", row["request_id"])
        assert "@" not in row["details"]


async def test_pages_follow_one_another_without_a_gap_or_a_repeat(desk, connection):
    await given_entries(connection, 120)
    seen, address = [], f"{HERE}?viec=exam.added"
    while address:
        page = (await desk.get(address)).text
        seen += re.findall(r"<dt>Đối tượng</dt><dd><code>(thi-\d+)<", page)
        found = re.search(r'href="([^"]+)" rel="next"', page)
        address = found[1].replace("&amp;", "&") if found else None
        # What comes in meanwhile moves nothing.
        await write(connection, by(desk.officer), "exam.added", ("exam", "sau"), unit="so")
    assert seen == [f"thi-{number}" for number in reversed(range(120))]


async def test_strange_addresses_of_pages_show_the_first(desk, connection):
    await given_entries(connection, 1)
    for place in ("x", "9" * 18 + "-1", "-", "1-" + "9" * 30):
        assert (await desk.get(HERE, params={"sau": place})).status_code == 200


async def test_an_exported_cell_cannot_act_as_a_formula(desk, connection, editor):
    await write(connection, by(editor), "unit.described", ("exam", "=1+1"), unit="thpt-ly", reason="@SUM(A1)")
    last = await sealed(connection)
    answer = await desk.submit(f"{HERE}/tai-ve", dang="csv", viec="unit.described")
    assert answer.headers["content-disposition"].startswith('attachment; filename="nhat-ky-20260701-0800.csv"')
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:4] == ["Số thứ tự", "Thời điểm", "Cán bộ", "Thư công vụ"]
    assert rows[1][0] == str(last)
    assert rows[1][2:4] == ["Bà Trần Biên Tập", "bien-tap@vangiang.edu.vn"]
    assert "'=1+1" in rows[1]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    book = await desk.submit(f"{HERE}/tai-ve", dang="xlsx", viec="unit.described")
    sheet = openpyxl.load_workbook(io.BytesIO(book.content)).active
    assert [cell.value for cell in sheet[1]] == rows[0]
    assert [cell.value or "" for cell in sheet[2]] == rows[1]
    assert {cell.data_type for row in sheet for cell in row} <= {"s", "n"}


async def test_a_long_record_is_exported_whole(desk, connection):
    await connection.execute(
        "insert into units.record_entries (through, unit_code, action, object_kind, object_id, details)"
        " select 'service', 'so', 'exam.added', 'exam', 'thi-' || n, '{}' from generate_series(1, 2500) n"
    )
    answer = await desk.submit(f"{HERE}/tai-ve", dang="csv", viec="exam.added")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row[10] for row in rows[1:]} == {f"thi-{number}" for number in range(1, 2501)}
    assert len(rows) == 2501


async def test_an_export_needs_the_forms_token(desk):
    answer = await desk.post(f"{HERE}/tai-ve", data={"dang": "csv"}, headers={"Origin": str(desk.base_url).rstrip("/")})
    assert answer.status_code == 403


async def test_the_page_says_whether_the_record_is_well(desk, connection, clock):
    assert "Chưa kiểm tra" in (await desk.get(HERE)).text
    await given_entries(connection, 2)
    last = await sealed(connection)
    add = (
        "insert into units.record_checks (checked_at, entry_count, head_number, finding_count, first_number,"
        " first_problem, seconds) values ($1, 1234, $2, $3, $4, $5, 1)"
    )
    await connection.execute(add, clock.now, last, 0, None, None)
    page = (await desk.get(HERE)).text
    assert "Nguyên vẹn" in page
    assert "1.234 mục" in page
    assert f"số {last}," in page
    assert "đang chờ niêm phong" in page
    await connection.execute(add, clock.now + timedelta(minutes=1), last, 1, 2, "entry_changed")
    page = (await desk.get(HERE)).text
    assert "Có sai khác" in page
    assert "bắt đầu từ mục số 2" in page
