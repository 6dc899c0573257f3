"""Officers see units in their reach, edit their page, and change units by decision; a second person approves."""

import io
import json
import re

import pytest

from tests.officers import given_officer, given_unit, signed_in
from tests.people import MORNING
from tests.units.faces.test_editorial_board import BOARD
from tests.units.faces.test_unit_pictures import SVG, picture
from units import places
from units.faces.editorial_board import find_board, set_board
from units.history.decisions import list_former_names
from units.units import list_units

PAGE = {
    "short_name": "THPT A", "name_en": "", "governing_body": "Sở Giáo dục và Đào tạo", "responsible_person": "",
    "address": "Số 5 đường Hoa Sữa", "hotline": "1900 0005", "email": "c3a@vangiang.edu.vn",
    "website": "https://c3a.example", "board_number": "152/QĐ-SGDĐT", "board_on": "2/3/2026",
    "head": "Ông Lê Quang Hải, Hiệu trưởng", "deputies": "Bà Trần Thị Thu", "members": "", "accent": "#7a1f3d",
    "logo_kept": "", "note": "",
}  # fmt: skip
DECISION = {"decision_number": "12/QĐ-UBND", "decision_on": "01/6/2026"}


@pytest.fixture
async def school(connection):
    await given_unit(connection, "xa-b", kind="commune", name="Ủy ban nhân dân xã B")
    await given_unit(connection, "th-c", kind="primary", name="Trường Tiểu học C", managed_by="xa-b")
    return await given_unit(connection, "thpt-a", name="Trường THPT A", short_name="THPT A")


async def given_desk(connection, service, name, *roles):
    await service.hears_all_changes()
    return await signed_in(service, await given_officer(connection, name, *roles))


async def send(desk, path, files=None, **fields):
    """Post a form with a file, as her own page would."""
    origin = {"Origin": str(desk.base_url).rstrip("/")}
    return await desk.post(path, data={"csrf": desk.csrf, **fields}, files=files or {"logo": ("", b"")}, headers=origin)


def approval_of(answer) -> str:
    assert answer.status_code == 303, answer.text
    found = re.fullmatch(r"/can-bo/phe-duyet/([0-9a-f-]{36})\?vua=trinh", answer.headers["location"])
    assert found
    return found[1]


async def approve(desk, approval_id):
    answer = await desk.submit(f"/can-bo/phe-duyet/{approval_id}/phe-duyet")
    assert answer.status_code == 303, answer.text


def mistakes(answer) -> str:
    assert answer.status_code == 422, answer.text
    return answer.text


async def entries(connection, action):
    rows = await connection.fetch("select details from units.record_entries where action = $1", action)
    return [json.loads(row["details"]) for row in rows]


async def unit_now(connection, code):
    return next(unit for unit in await list_units(connection) if unit.code == code)


# Who sees what


async def test_an_officer_lists_what_is_in_her_reach(connection, service, school):
    desk = await given_desk(connection, service, "hung", ("xa-b", "administrator"))
    page = (await desk.get("/can-bo/don-vi")).text
    assert "2 đơn vị trong phạm vi" in page
    assert "Trường Tiểu học C" in page
    assert "Trường THPT A" not in page
    assert "Trường THPT A" not in (await desk.get("/can-bo/don-vi?q=thpt")).text


@pytest.mark.parametrize("path", ["", "/sua", "/doi-ten", "/dieu-chuyen", "/sap-nhap", "/giai-the", "/them-don-vi",
                                  "/nhap-danh-sach", f"/hinh/{'0' * 32}.png"])  # fmt: skip
async def test_a_unit_of_somebody_else_does_not_exist(connection, service, school, path):
    desk = await given_desk(connection, service, "hung", ("xa-b", "administrator"), ("xa-b", "editor"))
    for code in ("thpt-a", "so", "khong-co"):
        assert (await desk.get(f"/can-bo/don-vi/{code}{path}")).status_code == 404, code
    if not path.startswith("/hinh") and path:
        send_form = send if path in ("/sua", "/nhap-danh-sach") else type(desk).submit
        assert (await send_form(desk, f"/can-bo/don-vi/thpt-a{path}", **PAGE)).status_code == 404


async def test_who_may_see_but_not_change_is_refused(connection, service, school):
    reviewer = await given_desk(connection, service, "thu", ("thpt-a", "reviewer"))
    assert (await reviewer.get("/can-bo/don-vi/thpt-a")).status_code == 200
    for path in ("/sua", "/doi-ten", "/dieu-chuyen", "/sap-nhap", "/giai-the", "/them-don-vi", "/nhap-danh-sach"):
        assert (await reviewer.get(f"/can-bo/don-vi/thpt-a{path}")).status_code == 403, path
        send_form = send if path in ("/sua", "/nhap-danh-sach") else type(reviewer).submit
        assert (await send_form(reviewer, f"/can-bo/don-vi/thpt-a{path}", **PAGE)).status_code == 403, path
    # Names, places and ends are decided where the unit is managed.
    own = await given_desk(connection, service, "lan", ("thpt-a", "administrator"))
    assert (await own.get("/can-bo/don-vi/thpt-a/sua")).status_code == 200
    assert (await own.get("/can-bo/don-vi/thpt-a/them-don-vi")).status_code == 200
    for path in ("/doi-ten", "/dieu-chuyen", "/sap-nhap", "/giai-the"):
        assert (await own.get(f"/can-bo/don-vi/thpt-a{path}")).status_code == 403, path


async def test_a_place_is_named_beside_its_code(connection, service, school):
    await connection.execute("update units.units set commune_code = '00004' where code = 'thpt-a'")
    desk = await given_desk(connection, service, "hung", ("so", "administrator"))
    page = (await desk.get("/can-bo/don-vi/thpt-a/dieu-chuyen")).text
    assert 'value="00004"' in page
    assert f"Hiện nay: {places.commune('00004').name}, mã 00004." in page
    other = (await desk.get("/can-bo/don-vi/xa-b/dieu-chuyen")).text
    assert "Hiện nay" not in other


async def test_a_page_shows_just_what_one_may_do(connection, service, school):
    await given_officer(connection, "hai", ("thpt-a", "approver"))
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    page = (await editor.get("/can-bo/don-vi/thpt-a")).text
    assert "/can-bo/don-vi/thpt-a/sua" in page
    assert "/can-bo/don-vi/thpt-a/doi-ten" not in page
    assert "2 cán bộ có vai trò tại đơn vị" in page
    above = await given_desk(connection, service, "hung", ("so", "administrator"))
    page = (await above.get("/can-bo/don-vi/thpt-a")).text
    assert "/can-bo/don-vi/thpt-a/sua" not in page
    assert "/can-bo/don-vi/thpt-a/doi-ten" in page


async def test_an_unknown_kind_of_decision_is_no_page(connection, service, school):
    desk = await given_desk(connection, service, "hung", ("so", "administrator"))
    assert (await desk.get("/can-bo/don-vi/thpt-a/ban-di")).status_code == 404
    assert (await desk.submit("/can-bo/don-vi/thpt-a/ban-di")).status_code == 404


async def test_a_form_of_another_session_changes_nothing(connection, service, school):
    desk = await given_desk(connection, service, "an", ("thpt-a", "editor"), ("so", "administrator"))
    desk.csrf = "x"
    assert (await send(desk, "/can-bo/don-vi/thpt-a/sua", **PAGE)).status_code == 403
    assert (await desk.submit("/can-bo/don-vi/thpt-a/doi-ten", name="B", **DECISION)).status_code == 403
    assert (await send(desk, "/can-bo/don-vi/so/nhap-danh-sach", files={"list": ("x.csv", b"x")})).status_code == 403
    assert not await connection.fetchval("select count(*) from units.approvals")


# The page of a unit


async def test_a_page_changes_when_a_second_person_has_approved_it(connection, service, school, visitor):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    answer = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.png", picture())}, **PAGE)
    approval_id = approval_of(answer)
    assert "1900 0005" not in (await visitor.get("/don-vi/thpt-a")).text
    page = (await approver.get(f"/can-bo/phe-duyet/{approval_id}")).text
    for text in ("Đường dây nóng", "1900 0005", "Ban Biên tập: Trưởng ban", "Ông Lê Quang Hải, Hiệu trưởng", "#7a1f3d",
                 "/can-bo/don-vi/thpt-a/hinh/"):  # fmt: skip
        assert text in page, text
    (logo,) = set(re.findall(r"/can-bo/don-vi/thpt-a/hinh/[0-9a-f]{32}\.png", page))
    assert (await approver.get(logo)).headers["content-type"] == "image/png"
    await approve(approver, approval_id)
    await service.hears_all_changes()
    public = (await visitor.get("/don-vi/thpt-a")).text
    for text in ("1900 0005", "https://c3a.example", "Ông Lê Quang Hải", "mau.css?v=7a1f3d", "logo.png?v="):
        assert text in public, text


async def test_the_record_tells_field_by_field_and_names_nobody(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    answer = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.png", picture())}, **PAGE)
    await approve(approver, approval_of(answer))
    (described,) = await entries(connection, "unit.described")
    assert described["changes"]["hotline"] == ["", "1900 0005"]
    (board,) = await entries(connection, "editorial_board.changed")
    assert board["changes"] == {
        "decision": [None, "152/QĐ-SGDĐT"], "on": [None, "2026-03-02"], "count": [0, 2]
    }  # fmt: skip
    (look,) = await entries(connection, "unit_look.changed")
    assert look["changes"]["accent"] == [None, "#7a1f3d"]
    assert len(await entries(connection, "unit_picture.uploaded")) == 1
    told = await connection.fetchval("select string_agg(details::text, '') from units.record_entries")
    assert "Lê Quang Hải" not in told


async def test_only_what_is_different_is_handed_in(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approval_of(await send(editor, "/can-bo/don-vi/thpt-a/sua", short_name="THPT A", hotline="1900 0001"))
    payload = json.loads(await connection.fetchval("select payload::text from units.approvals"))
    assert payload == {"facts": {"hotline": "1900 0001"}}


async def test_what_stands_there_can_be_taken_away(connection, service, school):
    await set_board(connection, "thpt-a", BOARD)
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    first = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.png", picture())}, **PAGE)
    await approve(approver, approval_of(first))
    form = (await editor.get("/can-bo/don-vi/thpt-a/sua")).text
    assert 'value="https://c3a.example"' in form
    (kept,) = set(re.findall(r'name="logo_kept" value="([0-9a-f]{32})"', form))
    second = await send(editor, "/can-bo/don-vi/thpt-a/sua", short_name="THPT A", logo_kept=kept, logo_removed="1")
    await approve(approver, approval_of(second))
    unit = await unit_now(connection, "thpt-a")
    assert (unit.website, unit.logo, unit.accent, unit.hotline) == (None, None, None, "")
    assert await find_board(connection, "thpt-a") is None


async def test_every_mistake_stands_beside_its_field_with_what_was_typed(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    wrong = PAGE | {
        "short_name": "", "hotline": "gọi cô Lan", "email": "c3a@", "website": "javascript:alert(1)",
        "board_number": "", "board_on": "31/2/2026", "head": "", "members": "Bà Lan, 0912345678", "accent": "#ffd500",
        "governing_body": "x" * 301,
    }  # fmt: skip
    answer = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.svg", SVG)}, **wrong)
    page = mistakes(answer)
    for sentence in (
        "Nhập tên viết tắt.", "Số điện thoại chỉ gồm chữ số", "Địa chỉ thư điện tử chưa đúng",
        "Địa chỉ phải bắt đầu bằng https://", "Nhập ngày theo thứ tự ngày, tháng, năm", "Nhập Trưởng ban.",
        "Dòng 1 có số điện thoại hoặc thư điện tử.", "độ tương phản đo được là 1,33:1", "Tệp SVG có thể chứa mã lệnh",
        "Nội dung nhập dài quá mức.",
    ):  # fmt: skip
        assert sentence in page, sentence
    assert "gọi cô Lan" in page
    assert 'href="#logo"' in page


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"accent": "đỏ"}, "Nhập màu theo mã sáu chữ số"),
        ({"board_on": "01/01/2027"}, "Ngày này chưa đến."),
        ({"head": "Ông A\nÔng B"}, "Chỉ có một Trưởng ban."),
        ({"members": ", Hiệu trưởng"}, "Dòng 1 chưa có họ tên trước dấu phẩy."),
        ({"members": "A" * 151}, "Dòng 1 dài quá mức."),
        ({"members": "Bà Lan\n" * 41}, "Ban Biên tập ghi nhiều nhất 40 người"),
    ],
)
async def test_each_mistake_has_its_sentence(connection, service, school, fields, sentence):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    assert sentence in mistakes(await send(editor, "/can-bo/don-vi/thpt-a/sua", **(PAGE | fields)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"GIF89a" + bytes(99), "Tệp này không phải ảnh PNG, JPEG hay WebP."),
        (picture()[:200], "Tệp ảnh bị hỏng hoặc thiếu"),
        (picture(size=(20, 20)), "mỗi chiều cần ít nhất 48 điểm ảnh"),
        (picture("JPEG") + bytes(2**20), "Tệp biểu trưng lớn hơn 1 MB."),
    ],
)
async def test_each_picture_that_is_none_has_its_sentence(connection, service, school, content, sentence):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    answer = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("logo.png", content)}, **PAGE)
    assert sentence in mistakes(answer)


async def test_a_body_that_is_far_too_large_is_refused(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    answer = await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.png", bytes(3 * 2**20))}, **PAGE)
    assert answer.status_code == 413


async def test_a_good_logo_is_kept_while_the_rest_is_put_right(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    wrong = PAGE | {"accent": "#ffd500"}
    page = mistakes(await send(editor, "/can-bo/don-vi/thpt-a/sua", files={"logo": ("a.png", picture())}, **wrong))
    (kept,) = re.findall(r'name="logo_kept" value="([0-9a-f]{32})"', page)
    approval_of(await send(editor, "/can-bo/don-vi/thpt-a/sua", **(PAGE | {"logo_kept": kept})))
    payload = json.loads(await connection.fetchval("select payload::text from units.approvals"))
    assert payload["logo"] == kept


async def test_a_picture_of_another_unit_is_nobodys_logo(connection, service, school):
    above = await given_desk(connection, service, "hung", ("so", "editor"))
    page = mistakes(
        await send(above, "/can-bo/don-vi/so/sua", files={"logo": ("a.png", picture())}, **(PAGE | {"accent": "x"}))
    )
    (kept,) = re.findall(r'name="logo_kept" value="([0-9a-f]{32})"', page)
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approval_of(await send(editor, "/can-bo/don-vi/thpt-a/sua", **(PAGE | {"logo_kept": kept})))
    assert "logo" not in json.loads(await connection.fetchval("select payload::text from units.approvals"))


async def test_a_page_without_a_difference_and_one_that_waits_are_not_handed_in(connection, service, school):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    same = await send(editor, "/can-bo/don-vi/thpt-a/sua", short_name="THPT A")
    assert "Chưa có mục nào thay đổi so với trang hiện nay." in mistakes(same)
    approval_of(await send(editor, "/can-bo/don-vi/thpt-a/sua", **PAGE))
    again = await send(editor, "/can-bo/don-vi/thpt-a/sua", **PAGE)
    assert "Một bản sửa trang của đơn vị đang chờ phê duyệt." in mistakes(again)
    assert "đang chờ phê duyệt" in (await editor.get("/can-bo/don-vi/thpt-a")).text


# Decisions about units


async def decided(connection, service, desk, approver, path, **fields):
    await approve(approver, approval_of(await desk.submit(path, **DECISION, **fields)))
    await service.hears_all_changes()


@pytest.fixture
async def desks(connection, service, school):
    """An administrator of the department, and who approves there."""
    admin = await given_desk(connection, service, "hung", ("so", "administrator"))
    return admin, await given_desk(connection, service, "hai", ("so", "approver"))


async def test_a_unit_is_renamed_by_decision(connection, service, desks, visitor):
    await decided(connection, service, *desks, "/can-bo/don-vi/thpt-a/doi-ten", name="Trường THPT Lê Lợi")
    assert (await unit_now(connection, "thpt-a")).name == "Trường THPT Lê Lợi"
    assert [former.name for former in await list_former_names(connection, "thpt-a")] == ["Trường THPT A"]
    assert "Trường THPT Lê Lợi" in (await visitor.get("/don-vi/thpt-a")).text
    assert len(await entries(connection, "unit.renamed")) == 1, "the rehearsals left nothing"


async def test_a_unit_gets_another_manager(connection, service, desks):
    await decided(connection, service, *desks, "/can-bo/don-vi/th-c/dieu-chuyen", managed_by="so", address="Số 9")
    unit = await unit_now(connection, "th-c")
    assert (unit.managed_by, unit.address) == ("so", "Số 9")


async def test_units_are_merged_and_the_old_address_leads_on(connection, service, desks, visitor):
    await given_unit(connection, "th-d", kind="primary", name="Trường Tiểu học D", managed_by="xa-b")
    await service.hears_all_changes()
    admin, approver = desks
    answer = await admin.submit("/can-bo/don-vi/th-c/sap-nhap", into="Trường THPT A", others="th-d\n", **DECISION)
    approval_id = approval_of(answer)
    page = (await approver.get(f"/can-bo/phe-duyet/{approval_id}")).text
    assert "Sáp nhập vào Trường THPT A" in page
    assert "Trường Tiểu học D" in page
    await approve(approver, approval_id)
    await service.hears_all_changes()
    assert (await visitor.get("/don-vi/th-d")).headers["location"] == "/don-vi/thpt-a"
    closed = (await admin.get("/can-bo/don-vi/th-d")).text
    assert "Đơn vị đã sáp nhập" in closed
    assert (await admin.get("/can-bo/don-vi/th-d/doi-ten")).status_code == 422


async def test_a_unit_is_closed_by_decision(connection, service, desks):
    await decided(connection, service, *desks, "/can-bo/don-vi/th-c/giai-the")
    assert (await unit_now(connection, "th-c")).closed_on is not None


async def test_a_unit_is_founded_below_its_manager(connection, service, desks, visitor):
    await decided(
        connection, service, *desks, "/can-bo/don-vi/xa-b/them-don-vi",
        name="Trường Mầm non Hoa Sen", code="mn-hoa-sen", kind="kindergarten",
    )  # fmt: skip
    unit = await unit_now(connection, "mn-hoa-sen")
    assert (unit.managed_by, unit.short_name) == ("xa-b", "Trường Mầm non Hoa Sen")
    assert "Thành lập với tên Trường Mầm non Hoa Sen." in (await visitor.get("/don-vi/mn-hoa-sen")).text


async def test_nothing_happens_before_the_approval_and_never_twice_at_once(connection, service, desks):
    admin, _ = desks
    approval_of(await admin.submit("/can-bo/don-vi/thpt-a/doi-ten", name="Trường THPT B", **DECISION))
    assert (await unit_now(connection, "thpt-a")).name == "Trường THPT A"
    assert not await entries(connection, "unit.renamed")
    again = await admin.submit("/can-bo/don-vi/thpt-a/doi-ten", name="Trường THPT D", **DECISION)
    assert "Một thay đổi khác của đơn vị đang chờ phê duyệt." in mistakes(again)


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        ("thpt-a/doi-ten", {"name": ""}, "Mục này chưa được điền."),
        ("thpt-a/doi-ten", {"name": "Trường THPT A"}, "Không có gì thay đổi."),
        ("thpt-a/doi-ten", {"name": "B", "decision_number": ""}, "Nhập số quyết định."),
        ("thpt-a/doi-ten", {"name": "B", "decision_on": "mai"}, "Nhập ngày theo thứ tự ngày, tháng, năm"),
        ("thpt-a/doi-ten", {"name": "B", "decision_on": "02/7/2026"}, "Ngày này chưa đến."),
        ("thpt-a/doi-ten", {"name": "B", "decision_number": "1" * 101}, "Nội dung nhập dài quá mức."),
        ("thpt-a/dieu-chuyen", {"managed_by": "nobody"}, "Chưa tìm thấy đơn vị “nobody”"),
        ("thpt-a/dieu-chuyen", {"managed_by": "trường"}, "Có nhiều đơn vị hợp với “trường”"),
        ("thpt-a/dieu-chuyen", {"managed_by": "thpt-a"}, "không"),
        ("thpt-a/dieu-chuyen", {"commune": "00000"}, "Chưa tìm thấy xã, phường, đặc khu này."),
        ("thpt-a/dieu-chuyen", {"commune": "Tân"}, "Có nhiều nơi cùng tên"),
        ("thpt-a/sap-nhap", {"into": ""}, "Nhập đơn vị tiếp nhận."),
        ("thpt-a/sap-nhap", {"into": "thpt-a"}, "Việc sáp nhập cần có"),
        ("thpt-a/sap-nhap", {"into": "th-c", "others": "x y z"}, "Chưa tìm thấy đơn vị “x y z”"),
        ("xa-b/giai-the", {}, "trực thuộc"),
        ("so/giai-the", {}, "ơn vị cao nhất"),
        ("so/them-don-vi", {"name": "X", "code": "X Y", "kind": "primary"}, "Mã đơn vị chỉ gồm chữ thường"),
        ("so/them-don-vi", {"name": "X", "code": "thpt-a", "kind": "primary"}, "Mã này đã thuộc về một đơn vị"),
        ("so/them-don-vi", {"name": "X", "code": "x", "kind": "bank"}, "Chọn một loại hình trong danh sách."),
        ("so/them-don-vi", {"name": "X", "code": "x", "kind": "primary", "decision_number": ""}, "Nhập số quyết định."),
    ],
)  # fmt: skip
async def test_a_decision_that_cannot_be_is_refused_beside_its_field(
    connection, service, desks, path, fields, sentence
):
    admin, _ = desks
    answer = await admin.submit(f"/can-bo/don-vi/{path}", **(DECISION | fields))
    assert sentence in mistakes(answer)
    assert not await connection.fetchval("select count(*) from units.approvals")


async def test_an_administrator_moves_nothing_beyond_her_reach(connection, service, school):
    desk = await given_desk(connection, service, "hung", ("xa-b", "administrator"))
    beyond = await desk.submit("/can-bo/don-vi/th-c/dieu-chuyen", managed_by="so", **DECISION)
    assert "Chưa tìm thấy đơn vị “so”" in mistakes(beyond)
    beyond = await desk.submit("/can-bo/don-vi/th-c/sap-nhap", into="thpt-a", **DECISION)
    assert "Chưa tìm thấy đơn vị “thpt-a”" in mistakes(beyond)


async def test_an_approved_decision_that_has_become_impossible_changes_nothing(connection, service, desks):
    admin, approver = desks
    approval_id = approval_of(await admin.submit("/can-bo/don-vi/thpt-a/doi-ten", name="Trường THPT B", **DECISION))
    await connection.execute("update units.units set name = 'Trường THPT X' where code = 'thpt-a'")
    answer = await approver.submit(f"/can-bo/phe-duyet/{approval_id}/phe-duyet")
    assert answer.status_code == 409
    assert (await unit_now(connection, "thpt-a")).name == "Trường THPT X"


async def test_more_fields_than_the_form_has_change_nothing(connection, service, desks):
    admin, _ = desks
    approval_of(
        await admin.submit(
            "/can-bo/don-vi/thpt-a/doi-ten", name="B", code="so", managed_by="xa-b", closed_on="2026-01-01", **DECISION
        )
    )
    payload = json.loads(await connection.fetchval("select payload::text from units.approvals"))
    assert payload == {
        "what": "rename", "code": "thpt-a", "name": "B", "short_name": "B", "name_en": "",
        "decision": {"number": "12/QĐ-UBND", "on": "2026-06-01"},
    }  # fmt: skip


# Lists

LIST = "Mã đơn vị,Tên đơn vị,Loại,Đơn vị quản lý,Địa chỉ\n"


def sheet(*rows: str) -> dict:
    return {"list": ("danh-sach.csv", io.BytesIO((LIST + "\n".join(rows)).encode()))}


async def test_a_list_is_tried_approved_and_taken_whole(connection, service, desks):
    admin, approver = desks
    rows = ("mn-x,Trường Mầm non X,Mầm non,xa-b,Số 1", "thpt-a,Trường THPT A,THPT,so,Số 7")
    answer = await send(admin, "/can-bo/don-vi/so/nhap-danh-sach", files=sheet(*rows))
    approval_id = approval_of(answer)
    page = (await approver.get(f"/can-bo/phe-duyet/{approval_id}")).text
    assert "mn-x: đơn vị mới" in page
    assert "Trường THPT A: địa chỉ" in page
    assert not [unit for unit in await list_units(connection) if unit.code == "mn-x"]
    await approve(approver, approval_id)
    assert (await unit_now(connection, "mn-x")).managed_by == "xa-b"
    assert (await unit_now(connection, "thpt-a")).address == "Số 7"


async def test_every_mistake_of_a_list_is_told_by_row_and_column(connection, service, desks):
    admin, _ = desks
    rows = ("mn-x,,Mầm non,xa-b,", "mn-y,Trường Y,Ngân hàng,xa-b,", "mn-z,Trường Z,Mầm non,khong-co,")
    page = mistakes(await send(admin, "/can-bo/don-vi/so/nhap-danh-sach", files=sheet(*rows)))
    assert "chỗ cần sửa, ghi ở bảng dưới" in page
    for row in (2, 3, 4):
        assert f'data-label="Dòng">{row}</td>' in page
    assert not await connection.fetchval("select count(*) from units.approvals")
    assert len(await list_units(connection)) == 4


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Chọn tệp danh sách."),
        (b"%PDF-1.7", "Tệp này không đọc được như một bảng."),
        (b"a,b\n1,2\n", "Chưa tìm thấy dòng tên cột"),
        ((LIST + "thpt-a,Trường THPT A,THPT,so,\n").encode(), "Mọi dòng trong tệp đều giống dữ liệu hiện có."),
        (b"x" * (2**20 + 1), "Tệp lớn hơn 1 MB."),
    ],
)
async def test_a_file_that_is_no_list_is_refused_in_words(connection, service, desks, content, sentence):
    admin, _ = desks
    answer = await send(admin, "/can-bo/don-vi/so/nhap-danh-sach", files={"list": ("x.csv", content)})
    assert sentence in mistakes(answer)


async def test_a_list_may_not_reach_beyond_its_administrator(connection, service, school):
    desk = await given_desk(connection, service, "lan", ("xa-b", "administrator"))
    for row in ("thpt-a,Trường THPT A,THPT,so,Số 7", "mn-x,Trường Mầm non X,Mầm non,so,"):
        answer = await send(desk, "/can-bo/don-vi/xa-b/nhap-danh-sach", files=sheet(row))
        assert "Tệp có đơn vị ngoài phạm vi thầy/cô quản trị" in mistakes(answer)
    approval_of(
        await send(desk, "/can-bo/don-vi/xa-b/nhap-danh-sach", files=sheet("mn-x,Trường Mầm non X,Mầm non,xa-b,"))
    )


async def test_a_list_whose_units_have_changed_meanwhile_is_not_approved(connection, service, desks):
    admin, approver = desks
    answer = await send(
        admin, "/can-bo/don-vi/so/nhap-danh-sach", files=sheet("mn-x,Trường Mầm non X,Mầm non,xa-b,Số 1")
    )
    approval_id = approval_of(answer)
    await given_unit(connection, "mn-x", kind="kindergarten", name="Trường khác", managed_by="xa-b")
    assert (await approver.get(f"/can-bo/phe-duyet/{approval_id}")).status_code == 200
    assert (await approver.submit(f"/can-bo/phe-duyet/{approval_id}/phe-duyet")).status_code in (409, 422)
    assert (await unit_now(connection, "mn-x")).name == "Trường khác"


def test_the_clock_of_these_tests_is_after_their_decisions():
    assert MORNING.date().isoformat() > "2026-06-01"
