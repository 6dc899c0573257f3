"""The public pages of units: complete, quick, in both languages, and never in the way of a lookup."""

import gzip
from datetime import date

import asyncpg
import msgspec
import pytest

from kit.clock import utc_now
from lookup.exam_setup import add_exam
from tests.exams import given_exam
from tests.officers import given_unit
from tests.people import MORNING
from tests.units.faces.test_editorial_board import BOARD
from tests.units.faces.test_unit_pictures import picture
from units.changes import Change, announce
from units.directory.directory_page import web_address
from units.faces.editorial_board import set_board
from units.faces.look import Look, set_look
from units.faces.pictures import keep_picture, remake
from units.history.decisions import close_unit, merge_units, rename_unit
from units.history.events import Decision
from units.record.entries import COMMAND
from units.units import describe_unit, list_units

DECISION = Decision("12/QĐ-UBND", date(2026, 6, 1))
LIGHT = 30_000


async def given_a_school(connection, code="thpt-hoa-binh", name="Trường THPT Hòa Bình", **facts):
    await given_unit(connection, code, name=name, short_name=name.removeprefix("Trường "), **facts)


async def given_its_exam(connection, code="thpt-hoa-binh"):
    (school,) = (unit for unit in await list_units(connection) if unit.code == code)
    pattern = await given_exam(connection)
    exam = msgspec.structs.replace(pattern, code="thi-thu", unit=school, name="Kỳ thi thử lớp 12")
    await add_exam(connection, exam, MORNING)


async def told(connection, service, code="so"):
    await announce(connection, Change("unit", code, "described"), utc_now())
    await service.hears_all_changes()


async def test_the_directory_finds_a_school_by_its_former_name(connection, service, visitor):
    await given_a_school(connection)
    await rename_unit(connection, "thpt-hoa-binh", "Trường THPT Lê Lợi", decision=DECISION, actor=COMMAND, now=MORNING)
    await service.hears_all_changes()
    page = (await visitor.get("/don-vi", params={"q": "hoa binh"})).text
    assert "Trường THPT Lê Lợi" in page
    assert "Tên trước đây:" in page
    assert "Trường THPT Hòa Bình" in page
    assert "Tìm thấy: 1 đơn vị." in page


async def test_conditions_stand_in_the_address_and_stay_in_the_form(connection, service, visitor):
    await given_a_school(connection)
    await service.hears_all_changes()
    page = (await visitor.get("/don-vi?q=%3Cb%3E&cap=upper-secondary&loai=upper-secondary")).text
    assert 'value="&lt;b&gt;"' in page
    assert '<option value="upper-secondary" selected>' in page
    assert "Chưa tìm thấy đơn vị phù hợp." in page
    assert "Nothing matches." in (await visitor.get("/en/don-vi?q=khong-co")).text


async def test_a_unit_page_tells_everything_about_the_unit(connection, service, visitor):
    await given_a_school(connection)
    await describe_unit(
        connection, "thpt-hoa-binh", actor=COMMAND, now=MORNING, address="Số 5 đường Hoa Sữa", hotline="1900 0005",
        email="c3hoabinh@vangiang.edu.vn", website="https://c3hoabinh.example", name_en="Hoa Binh High School",
    )  # fmt: skip
    await set_board(connection, "thpt-hoa-binh", BOARD)
    await given_its_exam(connection)
    await told(connection, service)
    page = (await visitor.get("/don-vi/thpt-hoa-binh")).text
    for text in (
        "Trường THPT Hòa Bình", "Trường trung học phổ thông", "Số 5 đường Hoa Sữa", 'href="tel:19000005"',
        'href="mailto:c3hoabinh@vangiang.edu.vn"', '<a href="https://c3hoabinh.example" rel="noopener">',
        'href="/don-vi/so"', "Ban Biên tập", "Quyết định số 152/QĐ-SGDĐT ngày 02/3/2026", "Ông Lê Quang Hải",
        "Phó Giám đốc Sở", "Kỳ thi thử lớp 12", 'href="/tra-cuu/diem-thi/thi-thu"',
    ):  # fmt: skip
        assert text in page, text
    english = (await visitor.get("/en/don-vi/thpt-hoa-binh")).text
    assert "Hoa Binh High School" in english
    assert "Set up by Decision No. 152/QĐ-SGDĐT of 2 March 2026." in english


async def test_a_board_that_was_taken_down_is_gone_at_once(connection, service, visitor):
    await set_board(connection, "so", BOARD)
    await told(connection, service)
    assert "Ông Lê Quang Hải" in (await visitor.get("/don-vi/so")).text
    await set_board(connection, "so", None)
    await told(connection, service)
    assert "Ông Lê Quang Hải" not in (await visitor.get("/don-vi/so")).text


async def test_a_merged_unit_leads_to_its_heir_with_everything_it_owned(connection, service, visitor):
    await given_a_school(connection)
    await given_a_school(connection, "thpt-le-loi", "Trường THPT Lê Lợi")
    await given_its_exam(connection)
    await merge_units(connection, ["thpt-hoa-binh"], "thpt-le-loi", decision=DECISION, actor=COMMAND, now=MORNING)
    await service.hears_all_changes()
    moved = await visitor.get("/en/don-vi/thpt-hoa-binh")
    assert (moved.status_code, moved.headers["location"]) == (301, "/en/don-vi/thpt-le-loi")
    assert moved.headers["cache-control"] == "public, max-age=86400"
    page = (await visitor.get("/don-vi/thpt-le-loi")).text
    assert "Kỳ thi thử lớp 12" in page
    assert "Tiếp nhận Trường THPT Hòa Bình." in page
    assert "Quyết định số 12/QĐ-UBND" in page


async def test_a_closed_unit_without_an_heir_keeps_its_page_and_says_so(connection, service, visitor):
    await given_a_school(connection)
    await close_unit(connection, "thpt-hoa-binh", decision=DECISION, actor=COMMAND, now=MORNING)
    await service.hears_all_changes()
    page = await visitor.get("/don-vi/thpt-hoa-binh")
    assert page.status_code == 200
    assert "Đơn vị đã ngừng hoạt động" in page.text
    assert "01/6/2026" in page.text


@pytest.mark.parametrize("path", ["/don-vi/khong-co", "/en/don-vi/khong-co", "/don-vi/khong-co/logo.png",
                                  "/don-vi/khong-co/mau.css"])  # fmt: skip
async def test_an_unknown_code_is_a_page_that_helps_on(visitor, path):
    answer = await visitor.get(path)
    assert answer.status_code == 404
    if not path.endswith((".png", ".css")):
        assert 'href="/don-vi"' in answer.text or 'href="/en/don-vi"' in answer.text


def test_a_stored_address_that_is_none_of_the_web_becomes_no_link():
    for bad in ("javascript:alert(1)", "ftp://x.example", "https://", "//x.example", "http://[", "", None):
        assert web_address(bad) is None, bad
    assert web_address("http://c3.example/trang") == "http://c3.example/trang"


async def test_a_logo_and_a_colour_are_on_the_units_pages_and_the_roots_on_all(connection, service, visitor):
    await given_a_school(connection)
    painted = await remake(picture())
    digest = await keep_picture(connection, "so", painted, MORNING)
    await set_look(connection, "so", Look("#7a1f3d", digest))
    await told(connection, service)
    for path in ("/", "/don-vi", "/quyen-rieng-tu", "/nowhere", "/can-bo/dang-nhap"):
        page = (await visitor.get(path)).text
        assert '<link rel="stylesheet" href="/don-vi/so/mau.css?v=7a1f3d">' in page, path
        assert f'src="/don-vi/so/logo.png?v={digest}"' in page, path
    school = (await visitor.get("/don-vi/thpt-hoa-binh")).text
    assert '<link rel="stylesheet" href="/don-vi/thpt-hoa-binh/mau.css?v=7a1f3d">' in school
    assert "logo.png" not in school


async def test_a_logo_is_an_image_for_good_and_nothing_else(connection, service, visitor):
    painted = await remake(picture())
    digest = await keep_picture(connection, "so", painted, MORNING)
    assert (await visitor.get("/don-vi/so/logo.png")).status_code == 404, "a draft is nobody's logo"
    await set_look(connection, "so", Look(None, digest))
    await told(connection, service)
    answer = await visitor.get(f"/don-vi/so/logo.png?v={digest}")
    assert answer.content == painted
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (await visitor.get("/don-vi/so/logo.png?v=other")).headers["cache-control"] == "no-store"


async def test_a_style_sheet_changes_its_address_with_the_colour(connection, service, visitor):
    assert (await visitor.get("/don-vi/so/mau.css")).status_code == 404
    await set_look(connection, "so", Look("#7a1f3d"))
    await told(connection, service)
    answer = await visitor.get("/don-vi/so/mau.css?v=7a1f3d")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "--accent:#7a1f3d" in answer.text
    assert (await visitor.get("/don-vi/so/mau.css?v=17518f")).headers["cache-control"] == "no-store"


async def test_a_page_of_a_whole_province_is_light(connection, service, visitor):
    async with connection.transaction():
        for number in range(180):
            await given_unit(
                connection, f"th-so-{number}", kind="primary", name=f"Trường Tiểu học Số {number} phường Trung Tâm"
            )
    await service.hears_all_changes()
    page = await visitor.get("/don-vi")
    assert "Trang 1 trên 4" in page.text
    assert 'href="/don-vi?trang=2"' in page.text
    assert len(gzip.compress(page.content)) < LIGHT / 2
    assert "cap=primary&amp;trang=3" in (await visitor.get("/don-vi?cap=primary&trang=2")).text


async def test_a_unit_is_shown_while_postgresql_cannot_be_asked(connection, service, visitor, database):
    await set_board(connection, "so", BOARD)
    await told(connection, service)
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute("alter table units.editorial_boards rename to hidden")
    page = await visitor.get("/don-vi/so")
    assert page.status_code == 200
    assert "Một phần thông tin của đơn vị tạm thời chưa hiển thị được." in page.text
    await owner.execute("alter table units.hidden rename to editorial_boards")
    await owner.close()
    assert "Ông Lê Quang Hải" in (await visitor.get("/don-vi/so")).text, "what failed is not remembered"
