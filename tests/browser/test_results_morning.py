"""Results morning in the browser: the form comes by itself at the announced second, and the card comes in its place."""

from datetime import timedelta

import pytest
from playwright.async_api import expect

from kit.clock import utc_now
from tests.browser.exams import PAGE, given_an_open_exam
from tests.people import MINH


@pytest.fixture
def clock():
    """The browser counts down by a real clock, so the service has one too."""
    return utc_now


async def test_minh_waits_on_the_countdown_and_sees_his_scores_without_reloading(connection, service, page):
    await given_an_open_exam(connection, service, opens_in=timedelta(seconds=3))
    await when_he_opens_the_page_too_early(page)
    await then_the_form_comes_by_itself(page)
    await when_he_types_his_number(page)
    await then_his_card_is_there(page)
    await then_the_page_was_never_loaded_again(page)
    await then_his_number_is_nowhere_in_the_history(page)


async def when_he_opens_the_page_too_early(page):
    await page.goto(PAGE)
    await expect(page.get_by_role("timer")).to_be_visible()
    assert not await page.locator("form").count()
    await page.evaluate("window.neverReloaded = true")


async def then_the_form_comes_by_itself(page):
    # The rest of three seconds, then up to three more so that not everybody comes at once.
    await expect(page.get_by_label("Số báo danh")).to_be_visible()
    await expect(page.get_by_role("heading", level=1)).to_be_focused()


async def when_he_types_his_number(page):
    await page.get_by_label("Số báo danh").fill(MINH.number)
    await page.get_by_label("Số báo danh").press("Enter")


async def then_his_card_is_there(page):
    card = page.get_by_role("region", name="Kết quả")
    await expect(card).to_contain_text(MINH.number)
    for shown in ("Toán", "8,25", "Ngữ văn", "7,50", "Vật lí", "9,00", "6,75"):
        await expect(card).to_contain_text(shown)
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await expect(page).to_have_title("Kết quả: Kỳ thi tốt nghiệp THPT năm 2026 - Sở Giáo dục và Đào tạo")


async def then_the_page_was_never_loaded_again(page):
    assert await page.evaluate("window.neverReloaded")


async def then_his_number_is_nowhere_in_the_history(page):
    browser = await page.context.new_cdp_session(page)
    history = await browser.send("Page.getNavigationHistory")
    assert [entry["url"].endswith(PAGE) for entry in history["entries"]] == [False, True, True]
    assert MINH.number not in str(history)
    assert MINH.number not in await page.evaluate("JSON.stringify(history.state)")
