"""Whoever reads for long is told before the session ends, and stays with one press; later the page says it is over."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.officers import given_officer
from tests.people import MORNING

SOON = "Phiên đăng nhập sẽ kết thúc sau một phút"


@pytest.fixture
async def hung(connection):
    return await given_officer(connection, "hung", ("so", "editor"))


async def given_a_page_that_is_read(page, context, service, officer):
    await come_in(context, service, officer)
    await page.clock.install()
    await page.goto("/can-bo")


async def time_passes(page, clock, minutes: int):
    clock.now += timedelta(minutes=minutes)
    await page.clock.fast_forward(minutes * 60_000)


async def test_a_minute_before_the_end_one_is_told_and_stays(page, context, service, clock, hung):
    await given_a_page_that_is_read(page, context, service, hung)
    told = page.locator("idle-warning [role=status]")
    await time_passes(page, clock, 13)
    await expect(told).to_have_text("")
    await time_passes(page, clock, 1)
    await expect(told).to_contain_text(SOON)
    await then_axe_finds_nothing(page)
    await page.get_by_role("button", name="Tiếp tục làm việc").click()
    await expect(told).to_have_text("")
    await time_passes(page, clock, 14)
    await expect(told).to_contain_text(SOON)
    await page.goto("/can-bo")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Việc của tôi")


async def test_what_is_over_is_said_to_be_over(page, context, service, clock, hung):
    await given_a_page_that_is_read(page, context, service, hung)
    await time_passes(page, clock, 16)
    await expect(page.locator("idle-warning [role=status]")).to_contain_text("đã kết thúc")
    await page.get_by_role("link", name="Đăng nhập lại").click()
    await expect(page).to_have_url(f"{service.url}/can-bo/dang-nhap")


async def test_an_ended_session_is_not_woken_by_the_button(page, context, service, clock, hung):
    await given_a_page_that_is_read(page, context, service, hung)
    await time_passes(page, clock, 14)
    clock.now = MORNING + timedelta(hours=13)
    await page.get_by_role("button", name="Tiếp tục làm việc").click()
    await expect(page.locator("idle-warning [role=status]")).to_contain_text("đã kết thúc")


async def test_a_page_in_another_tab_keeps_this_one(page, context, service, clock, hung):
    await given_a_page_that_is_read(page, context, service, hung)
    await time_passes(page, clock, 14)
    await expect(page.locator("idle-warning [role=status]")).to_contain_text(SOON)
    other = await context.new_page()
    await other.goto("/can-bo")
    await expect(page.locator("idle-warning [role=status]")).to_have_text("")
