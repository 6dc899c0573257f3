"""The whole way in, in Chromium: invited, two factors set up, signed out and in again; axe finds nothing on the way."""

import base64
import re
from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_accessibility import WIDTHS, then_axe_finds_nothing
from tests.officers import PASSWORD, code_at, given_officer, keys_of
from tests.people import MORNING
from units.officers.tokens import link_path, make_token
from units.officers.two_factor import STEP_SECONDS, code_of

NEW = "trăng lên trên sông 41"


@pytest.fixture
def width() -> int:
    """Each step is looked at in all widths without being taken again."""
    return WIDTHS[0]


@pytest.fixture
async def lan(connection, settings):
    return await given_officer(connection, "lan", ("so", "editor"), full_name="Lê Thị Lan", keys=keys_of(settings))


async def fill(page: Page, **typed: str) -> None:
    for field, value in typed.items():
        await page.locator(f"#{field}").fill(value)
    await page.locator("main form .button").first.click()


async def test_an_invited_officer_comes_in_and_every_page_on_the_way_is_clean(connection, service, page, clock):
    officer = await given_officer(
        connection, "thu", ("so", "editor"), state="invited", totp_secret=None, full_name="", salutation="", position=""
    )
    await connection.execute("update units.officers set password_hash = null")
    secret = await make_token(connection, officer.id, "invitation", timedelta(days=7), MORNING)
    await page.goto(link_path("invitation", secret))
    await then_axe_finds_nothing(page)
    await page.get_by_role("button", name="Bắt đầu").click()
    assert secret not in page.url
    await then_axe_finds_nothing(page)
    await fill(page, full_name="", password="matkhau1", repeated="x")
    await expect(page.get_by_role("alert")).to_be_visible()
    await then_axe_finds_nothing(page)
    await page.locator("#salutation").select_option("Cô")
    await fill(page, full_name="Trần Minh Thư", position="Chuyên viên", password=NEW, repeated=NEW)
    await expect(page.get_by_role("heading", level=1, name="Thiết lập xác thực hai lớp")).to_be_visible()
    await page.locator("summary").first.click()
    await then_axe_finds_nothing(page)
    shown = (await page.locator(".manual-key code").inner_text()).replace(" ", "")
    await fill(page, code=code_of(from_base32(shown), int(clock.now.timestamp()) // STEP_SECONDS))
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    await then_axe_finds_nothing(page)
    await page.goto("/can-bo/tai-khoan")
    await expect(page.locator(".signed-in")).to_contain_text("Cô Trần Minh Thư")
    await then_axe_finds_nothing(page)


async def test_signing_in_and_out_by_keyboard(service, page, lan, clock):
    await page.goto("/can-bo/tai-khoan")
    await expect(page.get_by_role("heading", level=1, name="Đăng nhập")).to_be_visible()
    await then_axe_finds_nothing(page)
    await page.get_by_label("Thư điện tử công vụ").fill(lan.email)
    await page.keyboard.press("Tab")
    await page.keyboard.type("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("Địa chỉ hoặc mật khẩu chưa đúng")
    await expect(page.get_by_label("Thư điện tử công vụ")).to_have_value(lan.email)
    await then_axe_finds_nothing(page)
    await page.get_by_label("Mật khẩu", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Xác thực hai lớp")).to_be_visible()
    await then_axe_finds_nothing(page)
    await page.get_by_label("Mã xác thực").fill(code_at(clock.now))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1, name="Tài khoản")).to_be_visible()
    await page.locator(".signed-in summary").click()
    await page.get_by_role("button", name="Đăng xuất").click()
    await expect(page.get_by_role("heading", level=1, name="Đăng nhập")).to_be_visible()
    await page.goto("/can-bo/tai-khoan")
    await expect(page.get_by_role("heading", level=1, name="Đăng nhập")).to_be_visible()


async def test_every_page_of_the_account_is_clean(service, page, lan, clock):
    await sign_in(page, lan, clock.now)
    for path in ("", "/the", "/mat-khau", "/ung-dung-xac-thuc", "/ma-du-phong"):
        await page.goto(f"/can-bo/tai-khoan{path}")
        await then_axe_finds_nothing(page)
    clock.now += timedelta(seconds=30)
    await fill(page, current=PASSWORD, code=code_at(clock.now))
    await expect(page.locator(".recovery-codes li")).to_have_count(10)
    await then_axe_finds_nothing(page)
    clock.now += timedelta(seconds=30)
    await page.goto("/can-bo/tai-khoan/ung-dung-xac-thuc")
    await fill(page, current=PASSWORD, code=code_at(clock.now))
    await expect(page.locator("svg.qr")).to_be_visible()
    await then_axe_finds_nothing(page)


async def test_every_page_for_the_forgetful_is_clean(connection, service, page, lan):
    await page.goto("/can-bo/quen-mat-khau")
    await then_axe_finds_nothing(page)
    await fill(page, email=lan.email)
    await expect(page.get_by_role("heading", level=1, name="Đề nghị xem hộp thư")).to_be_visible()
    await then_axe_finds_nothing(page)
    secret = await make_token(connection, lan.id, "password_reset", timedelta(minutes=30), MORNING)
    await page.goto(link_path("password_reset", secret))
    await then_axe_finds_nothing(page)
    await page.get_by_role("button", name="Tiếp tục").click()
    await then_axe_finds_nothing(page)
    await fill(page, password=NEW, repeated=NEW)
    await expect(page.get_by_role("heading", level=1, name="Xác thực hai lớp")).to_be_visible()
    await page.goto(link_path("password_reset", secret))
    await page.get_by_role("button", name="Tiếp tục").click()
    await expect(page.get_by_role("heading", level=1, name="Liên kết không còn dùng được")).to_be_visible()
    await then_axe_finds_nothing(page)


async def sign_in(page: Page, officer, now) -> None:
    await page.goto("/can-bo/tai-khoan")
    await fill(page, email=officer.email, password=PASSWORD)
    await fill(page, code=code_at(now))
    await expect(page.get_by_role("heading", level=1, name="Tài khoản")).to_be_visible()


def from_base32(text: str) -> bytes:
    assert re.fullmatch(r"[A-Z2-7]{32}", text)
    return base64.b32decode(text)


class TestWithoutAScript:
    @pytest.fixture
    def browser_context_args(self, browser_context_args: dict) -> dict:
        return browser_context_args | {"java_script_enabled": False}

    async def test_signing_in_works_just_so(self, page, lan, clock):
        await sign_in(page, lan, clock.now)
        await page.locator(".signed-in summary").click()
        await page.get_by_role("button", name="Đăng xuất").click()
        await expect(page.get_by_role("heading", level=1, name="Đăng nhập")).to_be_visible()
