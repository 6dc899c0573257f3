"""What the pages do with a script where a live service is hard to bring: impatience, a wrong clock, a busy proxy.

Whole lookups, with a script and without one, are in `tests/browser`.
"""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, Route, expect

from kit.pages import Pages
from tests.templates.gallery import GALLERY, HOST, as_answer, hang, html

FORM = f"{HOST}/form"
SENT = "**/tra-cuu/diem-thi/*"
BUSY = {"status": 503, "body": "<h1>503 Service Temporarily Unavailable</h1>", "headers": {"Retry-After": "1"}}


@pytest.fixture
async def page(browser, pages) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    await hang(context, pages)
    yield await context.new_page()
    await context.close()


async def test_pressing_twice_asks_once(page, pages):
    asked = []

    async def slowly(route: Route) -> None:
        asked.append(route.request.post_data)
        await page.wait_for_timeout(1500)
        await route.fulfill(**a_result(pages))

    await page.route(SENT, slowly)
    await look_up(page)
    await page.click("form button")
    await expect(page.locator(".message")).to_contain_text("Đang tra cứu")
    await expect(page.locator(".result")).to_be_visible()
    assert asked == ["candidate_number=99004512"]


async def test_a_busy_proxy_is_waited_for_as_it_says(page, pages):
    answers = [BUSY, a_result(pages)]
    await page.route(SENT, lambda route: route.fulfill(**answers.pop(0)))
    await look_up(page)
    await expect(page.locator(".message")).to_contain_text(re.compile(r"tự thử lại sau khoảng [12] giây"))
    await expect(page.locator(".result")).to_be_visible()


async def test_the_countdown_goes_by_the_servers_clock(page):
    await page.clock.install(time="2031-01-01T00:00:00Z")
    await page.goto(f"{HOST}/countdown")
    await expect(page.locator("[data-part=days]")).to_have_text("1")
    await expect(page.locator("[data-part=hours]")).to_have_text("02")


async def test_the_longest_slip_is_one_page(page):
    await page.goto(f"{HOST}/result-total")
    await page.emulate_media(media="print")
    printed = await page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


async def look_up(page: Page) -> None:
    await page.goto(FORM)
    await page.fill("#candidate_number", "99004512")
    await page.click("form button")


def a_result(pages: Pages) -> dict:
    shown = next(page for page in GALLERY if page.path == "/result")
    return as_answer(html(pages, "vi", shown))
