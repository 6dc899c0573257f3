"""The record in a real browser: found, opened and followed by keyboard, clean for everyone, without a script too."""

import pytest
from playwright.async_api import expect

from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.officers import given_officer, given_unit
from tests.units.record.writing import sealed
from units.record.entries import COMMAND, SERVICE, Actor, write

HERE = "/can-bo/nhat-ky"


@pytest.fixture
def width() -> int:
    return 360


@pytest.fixture
async def auditor(connection, service, context):
    """The department's auditor, signed in; a school's officers have done this and that."""
    await given_unit(connection, "thpt-ly", name="Trường THPT Lý Thường Kiệt")
    auditor = await given_officer(connection, "kiem-tra", ("so", "auditor"), full_name="Lê Thị Kiểm")
    editor = await given_officer(connection, "bien-tap", ("thpt-ly", "editor"), full_name="Trần Quốc Hùng")
    hand = Actor(editor.id, "web", "203.0.113.9", "ab" * 16)
    about = ("exam", "lop-10-2026")
    await write(connection, COMMAND, "exam.added", about, unit="so", name="Tuyển sinh lớp 10")
    await write(connection, hand, "session.began", ("officer", editor.id), unit="thpt-ly", second_factor="totp")
    await write(connection, hand, "exam.uploaded", about, unit="thpt-ly", rows=12480, batch=3)
    changes = {"hotline": [None, "1900 0000"], "name": ["Trường Lý Thường Kiệt", "Trường THPT Lý Thường Kiệt"]}
    await write(connection, hand, "unit.described", ("unit", "thpt-ly"), unit="thpt-ly", changes=changes)
    await write(connection, SERVICE, "officer.fell_asleep", ("officer", editor.id))
    await write(connection, hand, "exam.released", about, unit="so", generation=1, opens_at="2026-07-01T01:00:00Z")
    last = await sealed(connection)
    await connection.execute(
        "insert into units.record_checks (checked_at, entry_count, head_number, finding_count, seconds)"
        " values ('2026-07-01 00:30+00', $1, $1, 0, 0.1)", last,
    )  # fmt: skip
    await service.hears_all_changes()
    await come_in(context, service, auditor)
    return auditor


async def test_an_entry_is_found_opened_and_followed(auditor, page):
    await page.goto(HERE)
    await expect(page.get_by_text("Nguyên vẹn")).to_be_visible()
    await then_axe_finds_nothing(page)
    await page.get_by_text("Tìm trong nhật ký").click()
    await page.get_by_role("textbox", name="Cán bộ").fill("bien-tap@vangiang.edu.vn")
    await page.get_by_role("combobox", name="Việc").select_option("unit.described")
    await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Tìm").click()
    entry = page.get_by_role("article")
    await expect(entry).to_have_count(1)
    await expect(entry).to_contain_text("1900 0000")
    assert "@" not in page.url
    await entry.locator("summary").press("Enter")
    await expect(entry.get_by_text("203.0.113.9")).to_be_visible()
    await then_axe_finds_nothing(page)
    await entry.get_by_role("link", name="Các việc khác của Bà Trần Quốc Hùng").click()
    await expect(page.get_by_role("article")).to_have_count(4)


async def test_mistakes_stand_beside_their_fields(auditor, page):
    await page.goto(HERE)
    await page.get_by_text("Tìm trong nhật ký").click()
    await page.get_by_role("textbox", name="Mã yêu cầu").fill("z")
    await page.get_by_role("button", name="Tìm").click()
    await expect(page.get_by_role("alert")).to_contain_text("32 chữ số")
    await then_axe_finds_nothing(page)


async def test_the_record_is_exported(auditor, page):
    await page.goto(HERE)
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Tải tệp Excel").click()
    assert (await download.value).suggested_filename == "nhat-ky-20260701-0800.xlsx"
