"""The printed slip: one sheet with the number, the scores and what the slip is worth, and nothing to press."""

import re

from playwright.async_api import expect

from tests.browser.exams import PAGE, given_an_open_exam
from tests.browser.looking_up import look_up, sees_card
from tests.people import MINH


async def test_a_result_prints_on_one_sheet(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await page.emulate_media(media="print")
    for shown in (
        "Phiếu tra cứu điểm thi",
        MINH.number,
        "8,25",
        "7,50",
        "9,00",
        "6,75",
        "không thay thế Giấy chứng nhận",
    ):
        await expect(page.get_by_text(shown).first).to_be_visible()
    for hidden in (
        page.get_by_role("button"),
        page.locator(".actions"),
        page.locator("header"),
        page.locator("footer"),
    ):
        await expect(hidden.first).to_be_hidden()
    slip = await page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b", slip)) == 1
    assert re.findall(rb"/MediaBox \[0 0 (\d+)\S* (\d+)", slip) == [(b"594", b"841")], "A4 in points"


async def test_the_button_prints(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await page.evaluate("window.print = () => { window.printed = true }")
    await page.get_by_role("button", name="In phiếu tra cứu").click()
    assert await page.evaluate("window.printed")
