"""Editors and approvers at their pages of exams, in a browser, with a script and without."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from lookup.upload_work import Tools, work_on_uploads
from tests.browser.exams import EXAM, given_an_open_exam
from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.lookup.desk import NEW_EXAM, RESULTS
from tests.officers import given_officer
from tests.people import MORNING

WRONG = (
    "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn\n9000001,Nguyễn Hoàng Minh,01/02/2008,82,7.5\n"
    "99000002,Trần Thị Hoài An,30/11/2008,4,6.2\n"
)
# Where somebody looks at them: PICTURES=/some/folder.
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def width() -> int:
    """Each step is looked at in all widths without being taken again."""
    return 1280


@pytest.fixture
async def worker(pool, tmp_path, pin_key):
    tools = Tools(pool=pool, folder=tmp_path / "uploads", pin_key=pin_key, clock=lambda: MORNING)
    return lambda: work_on_uploads(tools, "thi-thu")


PEOPLE = {"hien": "Lê Thu Hiền", "hung": "Trần Quốc Hùng"}


async def comes_in(connection, service, context, name: str, *roles) -> None:
    officer = await given_officer(connection, name, *roles, full_name=PEOPLE[name])
    await service.hears_all_changes()
    await come_in(context, service, officer)


async def picture(page: Page, name: str) -> None:
    """For whoever wants to look: in both widths and both schemes."""
    if not PICTURES:
        return
    for width in (360, 1280):
        for scheme in ("light", "dark") if width == 1280 else ("light",):
            await page.set_viewport_size({"width": width, "height": 800})
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=Path(PICTURES) / f"{name}-{width}-{scheme}.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.emulate_media(color_scheme="light")


async def is_good(page: Page, name: str) -> None:
    await picture(page, name)
    await then_axe_finds_nothing(page)
    await page.set_viewport_size({"width": 1280, "height": 800})


async def fills_in(page: Page, fields: dict[str, str]) -> None:
    await page.get_by_label("Mã kỳ thi").fill(fields["code"])
    await page.get_by_label("Tên kỳ thi", exact=True).fill(fields["name"])
    await page.get_by_label("Năm", exact=True).fill(fields["year"])
    await page.get_by_label("Loại kỳ thi", exact=True).select_option(fields["kind"])
    await page.get_by_label("Số báo danh và ngày sinh").check()


async def chooses(page: Page, content: str) -> None:
    file = {"name": "diem.csv", "mimeType": "text/csv", "buffer": content.encode()}
    await page.get_by_label("Tệp Excel").set_input_files(file)
    await page.get_by_role("button", name="Gửi và kiểm tra").click()
    await expect(page.get_by_role("heading", name="Đang kiểm tra")).to_be_visible()


async def confirms(page: Page) -> None:
    await page.get_by_role("button", name="Nhập").click()
    await expect(page.get_by_role("heading", name="Đang nhập")).to_be_visible()


async def test_from_a_file_with_mistakes_to_what_waits_for_approval(connection, service, context, page, worker):
    await comes_in(connection, service, context, "hien", ("so", "editor"))
    await page.goto("/can-bo/ky-thi")
    await is_good(page, "01-empty")
    await page.get_by_role("link", name="Tạo kỳ thi").click()
    await page.get_by_label("Loại kỳ thi", exact=True).select_option("hoc-sinh-gioi")
    await page.locator("#number_format").fill("HSG9999")
    await expect(page.get_by_text("Ví dụ: HSG0123")).to_be_visible()
    await page.get_by_role("button", name="Lưu bản nháp").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await is_good(page, "02-form-mistakes")
    await page.locator("#number_format").fill("")
    await fills_in(page, NEW_EXAM)
    await page.get_by_role("button", name="Lưu bản nháp").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Bản nháp")
    await is_good(page, "03-draft")
    await page.get_by_role("link", name="Gửi tệp kết quả").click()
    await is_good(page, "04-upload")
    await chooses(page, WRONG)
    await is_good(page, "05-checking")
    await worker()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("lỗi trong tệp")
    await is_good(page, "06-mistakes")
    await page.get_by_role("link", name="Xem tất cả").click()
    await is_good(page, "07-problems")
    await page.goto("/can-bo/ky-thi/thi-thu/tep")
    await chooses(page, RESULTS)
    await worker()
    await expect(page.get_by_role("heading", name="sẵn sàng")).to_be_visible()
    await is_good(page, "08-ready")
    await confirms(page)
    await worker()
    await expect(page.get_by_role("heading", name="Đã nhập")).to_be_visible()
    await is_good(page, "09-imported")
    await page.get_by_role("link", name="Trình công bố").click()
    await page.get_by_label("Vào một thời điểm").check()
    await page.get_by_role("button", name="Trình phê duyệt").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await is_good(page, "10-hand-in")
    await page.get_by_label("Ngày", exact=True).fill("2026-07-03")
    await page.get_by_label("Giờ", exact=True).fill("08:00")
    await page.get_by_role("button", name="Trình phê duyệt").click()
    await expect(page.get_by_text("Đã trình phê duyệt")).to_be_visible()
    await page.goto("/can-bo/ky-thi/thi-thu")
    await expect(page.get_by_text("Đang chờ phê duyệt")).to_be_visible()
    await is_good(page, "11-waits")
    await page.goto("/can-bo/ky-thi")
    await is_good(page, "12-list")


async def test_results_are_taken_down_and_the_nodes_are_seen_to_follow(connection, service, context, page):
    await given_an_open_exam(connection, service, policy="birth-date")
    await comes_in(connection, service, context, "hung", ("so", "approver"))
    await page.goto(f"/can-bo/ky-thi/{EXAM}")
    await is_good(page, "20-open")
    await page.get_by_role("link", name="Gỡ bỏ kết quả").click()
    await is_good(page, "21-withdraw")
    await page.get_by_label("Lý do").fill("Sai dữ liệu của một hội đồng")
    await page.get_by_role("button", name="Gỡ bỏ ngay").click()
    await expect(page.get_by_role("heading", name="Kết quả đã được gỡ bỏ")).to_be_visible(timeout=10_000)
    await is_good(page, "22-withdrawn")
    await page.goto(f"/tra-cuu/diem-thi/{EXAM}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_label("Số báo danh")).to_have_count(0)


@pytest.fixture
def plain_context_args(browser_context_args: dict) -> dict:
    return browser_context_args | {"java_script_enabled": False}


async def test_a_file_goes_its_way_without_a_script(connection, service, browser, plain_context_args, worker):
    context = await browser.new_context(**plain_context_args)
    await comes_in(connection, service, context, "hien", ("so", "editor"))
    page = await context.new_page()
    await page.goto("/can-bo/ky-thi/tao")
    await fills_in(page, NEW_EXAM)
    await page.get_by_role("button", name="Lưu bản nháp").click()
    await page.get_by_role("link", name="Gửi tệp kết quả").click()
    await chooses(page, RESULTS)
    await worker()
    await expect(page.get_by_role("heading", name="sẵn sàng")).to_be_visible()
    await confirms(page)
    await worker()
    await expect(page.get_by_role("heading", name="Đã nhập")).to_be_visible()
    await context.close()
