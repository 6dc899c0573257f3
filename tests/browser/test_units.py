"""The directory, units' pages and officers' work on them in a real browser, for everyone, without a script too."""

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.officers import given_officer, given_unit
from tests.people import MORNING
from tests.units.faces.test_editorial_board import BOARD
from tests.units.faces.test_unit_pictures import picture
from units.changes import Change, announce
from units.faces.contacts import set_contacts
from units.faces.editorial_board import set_board
from units.faces.look import Look, set_look
from units.faces.pictures import keep_picture, remake
from units.record.entries import COMMAND
from units.units import describe_unit

FIRST_LOAD_BYTES = 30_000


@pytest.fixture
async def units(connection, service) -> None:
    """A department with a face, a commune, and more schools than fit on a page."""
    await describe_unit(
        connection, "so", actor=COMMAND, now=MORNING, name="Sở Giáo dục và Đào tạo tỉnh Vân Giang",
        name_en="Vân Giang Department of Education and Training", short_name="Sở GDĐT Vân Giang",
        address="12 đường Hoa Sữa", hotline="1900 0000", email="so@vangiang.edu.vn", website="https://so.example",
        responsible_person="Ông Lê Quang Hải, Phó Giám đốc Sở",
    )  # fmt: skip
    await set_board(connection, "so", BOARD)
    lan = await given_officer(connection, "lan", ("so", "reviewer"), full_name="Vũ Thu Lan")
    await connection.execute("update units.officers set office_phone = '1900 0000, máy lẻ 12'")
    await set_contacts(connection, "so", [lan.id])
    digest = await keep_picture(connection, "so", await remake(picture()), MORNING)
    await set_look(connection, "so", Look("#7a1f3d", digest))
    await given_unit(connection, "xa-ben-may", kind="commune", name="Ủy ban nhân dân xã Bến Mây")
    await given_unit(connection, "thpt-ben-may", name="Trường THPT Bến Mây", short_name="THPT Bến Mây")
    for number in range(1, 56):
        await given_unit(connection, f"th-{number}", kind="primary", name=f"Trường Tiểu học Số {number}")
    await announce(connection, Change("unit", "so", "described"), MORNING)
    await service.hears_all_changes()


@pytest.mark.parametrize("prefix", ["", "/en"])
async def test_public_pages_are_clean(units, page, prefix):
    await page.goto(f"{prefix}/don-vi/so")
    await expect(page.get_by_role("link", name="lan@vangiang.edu.vn")).to_be_visible()
    for path in ("", "?q=khong-co-dau", "?cap=primary&trang=2", "/so", "/thpt-ben-may", "/khong-co"):
        await page.goto(f"{prefix}/don-vi{path}")
        await then_axe_finds_nothing(page)


async def test_the_units_colour_is_the_pages_colour(units, page):
    await page.goto("/don-vi/so")
    await page.emulate_media(color_scheme="light")
    assert await colour_of(page) == "#7a1f3d"
    await page.emulate_media(color_scheme="dark")
    assert await colour_of(page) not in ("#7a1f3d", "#8dbdf0")
    loaded = "document.querySelector('.unit-logo').naturalWidth"
    assert await page.evaluate(loaded) > 0


@pytest.mark.parametrize("width", [360], ids=["phone"], indirect=True)
async def test_the_first_load_is_light(units, new_context):
    for path in ("/don-vi", "/don-vi/so"):
        assert await bytes_received(await new_context(), path) < FIRST_LOAD_BYTES, path


async def test_an_officer_edits_the_page_and_every_step_is_clean(connection, units, service, page, context):
    await come_in(context, service, await given_officer(connection, "hung", ("so", "administrator"), ("so", "editor")))
    for path in ("/can-bo/don-vi", "/can-bo/don-vi/so", "/can-bo/don-vi/thpt-ben-may", "/can-bo/don-vi/so/sua",
                 "/can-bo/don-vi/so/them-don-vi", "/can-bo/don-vi/so/nhap-danh-sach",
                 "/can-bo/don-vi/thpt-ben-may/doi-ten", "/can-bo/don-vi/thpt-ben-may/dieu-chuyen",
                 "/can-bo/don-vi/thpt-ben-may/sap-nhap", "/can-bo/don-vi/thpt-ben-may/giai-the"):  # fmt: skip
        await page.goto(path)
        await then_axe_finds_nothing(page)
    await page.goto("/can-bo/don-vi/so/sua")
    await page.get_by_label("Màu nhấn").fill("#ffd500")
    await page.get_by_role("button", name="Trình phê duyệt").click()
    await expect(page.get_by_role("alert")).to_contain_text("độ tương phản đo được là 1,33:1")
    await then_axe_finds_nothing(page)
    await page.get_by_label("Màu nhấn").fill("#00529b")
    await page.locator("#logo").set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": picture(size=(200, 200))}
    )
    await page.get_by_role("button", name="Trình phê duyệt").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Trang của Sở")
    await expect(page.locator("img.unit-logo").first).to_be_visible()
    await then_axe_finds_nothing(page)
    # What the browser keeps is hers: the session alone.
    await context.clear_cookies()


async def colour_of(page: Page) -> str:
    return await page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent').trim()")


async def bytes_received(context: BrowserContext, path: str) -> int:
    """What a first visit brings over the line, as the network counts it."""
    page = await context.new_page()
    browser = await context.new_cdp_session(page)
    received = []
    browser.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    await browser.send("Network.enable")
    await page.goto(path, wait_until="networkidle")
    return sum(received)


class TestWithoutAScript:
    """Forms are forms, lists have addresses."""

    @pytest.fixture
    def browser_context_args(self, browser_context_args: dict) -> dict:
        return browser_context_args | {"java_script_enabled": False}

    @pytest.mark.usefixtures("units")
    async def test_a_family_finds_a_school(self, page):
        await page.goto("/")
        await page.get_by_role("link", name="Đơn vị", exact=True).click()
        await page.get_by_label("Tên đơn vị").fill("thpt ben may")
        await page.get_by_label("Cấp học").select_option("upper-secondary")
        await page.get_by_role("button", name="Tìm").click()
        await page.get_by_role("link", name="Trường THPT Bến Mây").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Trường THPT Bến Mây")

    @pytest.mark.usefixtures("units")
    async def test_pages_turn(self, page):
        await page.goto("/don-vi?cap=primary")
        await page.get_by_role("link", name="Trang sau").click()
        await expect(page.get_by_text("Trang 2 trên 2")).to_be_visible()
        await expect(page.get_by_label("Cấp học")).to_have_value("primary")
