"""Without JavaScript everything works as well: pages load instead of turning in place."""

import pytest
from playwright.async_api import expect

from tests.browser.exams import PAGE, given_an_open_exam
from tests.browser.looking_up import look_up, sees_card, sees_heading, still_has_typed
from tests.people import MINH, MORNING


@pytest.fixture
def browser_context_args(browser_context_args: dict) -> dict:
    return browser_context_args | {"java_script_enabled": False}


async def test_a_mistake_is_told_and_put_right(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, "9900")
    await expect(page.get_by_role("alert")).to_contain_text("Số báo danh chưa đúng mẫu của kỳ thi này")
    await still_has_typed(page, candidate_number="9900")
    await page.get_by_role("alert").get_by_role("link").click()
    await expect(page.get_by_label("Số báo danh")).to_be_focused()
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number, "8,25")
    assert page.url == service.url + PAGE, "a number never stands in an address"
    await expect(page.get_by_role("button", name="In phiếu tra cứu")).to_be_hidden()
    await page.get_by_role("link", name="Tra cứu số khác").click()
    await still_has_typed(page, candidate_number="")


async def test_a_wrong_birth_date_is_kept_for_correction(connection, service, page):
    await given_an_open_exam(connection, service, policy="birth-date")
    await page.goto(f"/en{PAGE}")
    await look_up(page, MINH.number, birth_date="02/01/2008")
    await sees_heading(page, "No result found")
    await still_has_typed(page, candidate_number=MINH.number, birth_date="02/01/2008")
    await look_up(page, MINH.number, birth_date="1.2.2008")
    await sees_card(page, MINH.number, "8.25")


async def test_back_leads_from_the_card_to_the_form(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await page.go_back()
    await expect(page.get_by_label("Số báo danh")).to_be_visible()
    await expect(page.locator(".result")).to_have_count(0)


async def test_the_countdown_page_loads_itself_again_until_there_is_the_form(connection, service, clock, page):
    await given_an_open_exam(connection, service)
    clock.now = MORNING.replace(minute=0, hour=0)
    await given_a_minute_that_lasts_a_second(page)
    await page.goto(PAGE)
    await expect(page.get_by_text("8 giờ 00, ngày 01/7/2026")).to_be_visible()
    await expect(page.get_by_text("Trang này tự tải lại mỗi phút.")).to_be_visible()
    await expect(page.get_by_role("timer")).to_be_hidden()
    clock.now = MORNING
    await expect(page.get_by_label("Số báo danh")).to_be_visible()


async def given_a_minute_that_lasts_a_second(page):
    async def hurry(route):
        answer = await route.fetch()
        page_of_a_minute = await answer.text()
        await route.fulfill(response=answer, body=page_of_a_minute.replace('content="60"', 'content="1"'))

    await page.route(f"**{PAGE}", hurry)
