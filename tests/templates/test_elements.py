"""What the pages do better with a script, and that nothing typed is ever lost."""

import re
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from playwright.async_api import BrowserContext, Page, Route, expect

from tests.templates.gallery import GALLERY, HOST, as_answer, hang, html

FORM = f"{HOST}/form"
SENT = "**/tra-cuu/diem-thi/*"


@pytest.fixture
async def context(browser, pages) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    await hang(opened, pages)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context) -> Page:
    return await context.new_page()


@pytest.fixture
def answer(pages) -> Callable[..., dict]:
    """The answer that is the gallery's page at a path."""

    def answer(path: str, status: int = 200, **headers: str) -> dict:
        shown = next(page for page in GALLERY if page.path == path)
        return as_answer(html(pages, "vi", shown), status, **headers)

    return answer


async def answered(page: Page, *answers: dict | None) -> None:
    """Let POSTs be answered one after the other; None is a connection that breaks. The last one stays."""
    left = list(answers)

    async def fulfill(route: Route) -> None:
        next_answer = left.pop(0) if len(left) > 1 else left[0]
        await (route.fulfill(**next_answer) if next_answer else route.abort())

    await page.route(SENT, fulfill)


async def look_up(page: Page, number: str = "99004512") -> None:
    await page.fill("#candidate_number", number)
    await page.click("form button")


async def test_a_result_comes_without_a_page_load_and_without_a_number_in_the_address(page, answer):
    await answered(page, answer("/result"))
    await page.goto(FORM)
    await page.evaluate("window.sameDocument = true")
    await look_up(page)
    await expect(page.locator(".result")).to_contain_text("8,25")
    assert await page.evaluate("window.sameDocument")
    assert page.url == FORM
    await expect(page).to_have_title(re.compile("Kết quả"))
    await expect(page.locator("h1")).to_be_focused()


async def test_back_brings_the_form_with_what_was_typed_and_forward_the_result(page, answer):
    await answered(page, answer("/result"))
    await page.goto(FORM)
    await look_up(page)
    await expect(page.locator(".result")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#candidate_number")).to_have_value("99004512")
    await page.go_forward()
    await expect(page.locator(".result")).to_be_visible()


async def test_another_number_starts_with_an_empty_form(page, answer):
    await answered(page, answer("/result"))
    await page.goto(FORM)
    await look_up(page)
    await page.click("a[data-again]")
    await expect(page.locator("#candidate_number")).to_have_value("")
    await expect(page.locator("#candidate_number")).to_be_focused()
    await look_up(page, "99000002")
    await expect(page.locator(".result")).to_be_visible()


async def test_mistakes_are_told_at_once_and_the_summary_leads_to_the_field(page, answer):
    await answered(page, answer("/form-mistaken", 422))
    await page.goto(f"{HOST}/form-birth-date")
    await look_up(page, "12345")
    await expect(page.locator(".error-summary")).to_be_focused()
    await page.click(".error-summary a >> nth=1")
    await expect(page.locator("#birth_date")).to_be_focused()


async def test_a_broken_connection_loses_nothing(page, answer):
    await answered(page, None, answer("/result"))
    await page.goto(FORM)
    await look_up(page)
    await expect(page.locator(".message")).to_contain_text("Chưa kết nối được")
    await expect(page.locator("#candidate_number")).to_have_value("99004512")
    await page.click("form button")
    await expect(page.locator(".result")).to_be_visible()


@pytest.mark.parametrize("status", [429, 503])
async def test_in_a_crowd_the_page_waits_as_it_is_told_and_tries_again_by_itself(page, answer, status):
    busy = {"status": status, "body": "<p>busy</p>", "headers": {"Retry-After": "1"}}
    await answered(page, busy, answer("/result"))
    await page.goto(FORM)
    await look_up(page)
    await expect(page.locator(".message")).to_contain_text(re.compile(r"tự thử lại sau khoảng [12] giây"))
    await expect(page.locator(".result")).to_be_visible(timeout=8000)


async def test_whoever_must_wait_long_is_told_so(page, answer):
    await answered(page, answer("/problem-too_many_lookups", 429, **{"Retry-After": "900"}))
    await page.goto(FORM)
    await look_up(page)
    await expect(page.locator("h1")).to_contain_text("thử quá nhiều lần")
    await page.go_back()
    await expect(page.locator("#candidate_number")).to_have_value("99004512")


async def test_pressing_twice_asks_once(page, answer):
    asked = []

    async def slowly(route: Route) -> None:
        asked.append(route.request.post_data)
        await page.wait_for_timeout(1500)
        await route.fulfill(**answer("/result"))

    await page.route(SENT, slowly)
    await page.goto(FORM)
    await look_up(page)
    await page.click("form button")
    await expect(page.locator(".message")).to_contain_text("Đang tra cứu")
    await expect(page.locator(".result")).to_be_visible()
    assert asked == ["candidate_number=99004512"]


async def test_the_countdown_becomes_the_form_by_itself(page, pages, answer):
    opened = []

    async def at_the_door(route: Route) -> None:
        form = answer("/form")
        countdown = next(shown for shown in GALLERY if shown.path == "/countdown")
        text = re.sub(r'server-now="[^"]+"', f'server-now="{almost(countdown)}"', html(pages, "vi", countdown))
        await route.fulfill(**(form if opened else as_answer(text)))

    await page.route(f"{HOST}/countdown", at_the_door)
    await page.goto(f"{HOST}/countdown")
    await expect(page.locator("[data-part=seconds]")).to_have_text(re.compile("0[123]"))
    opened.append(True)
    await expect(page.locator("#candidate_number")).to_be_visible(timeout=15000)
    assert page.url == f"{HOST}/countdown"


async def test_the_countdown_goes_by_the_servers_clock(page):
    await page.clock.install(time="2031-01-01T00:00:00Z")
    await page.goto(f"{HOST}/countdown")
    await expect(page.locator("[data-part=days]")).to_have_text("1")
    await expect(page.locator("[data-part=hours]")).to_have_text("02")


async def test_without_a_script_the_form_posts_and_the_countdown_reloads(browser, pages, answer):
    context = await browser.new_context(java_script_enabled=False)
    await hang(context, pages)
    page = await context.new_page()
    await answered(page, answer("/result"))
    await page.goto(FORM)
    await look_up(page)
    await expect(page.locator(".result")).to_contain_text("8,25")
    await expect(page.get_by_role("button", name="In phiếu tra cứu")).to_be_hidden()
    await page.goto(f"{HOST}/countdown")
    await expect(page.get_by_text("Trang này tự tải lại mỗi phút")).to_be_visible()
    await expect(page.locator(".clock")).to_be_hidden()
    await context.close()


async def test_a_slip_is_one_page_with_what_it_is_worth(page):
    await page.goto(f"{HOST}/result-total")
    await page.emulate_media(media="print")
    await expect(page.get_by_text("Phiếu tra cứu điểm thi")).to_be_visible()
    await expect(page.get_by_text("không thay thế Giấy chứng nhận kết quả thi")).to_be_visible()
    await expect(page.locator("footer")).to_be_hidden()
    printed = await page.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1


def almost(countdown) -> str:
    """Three seconds before the countdown's moment."""
    return (countdown.context["exam"].opens_at - timedelta(seconds=3)).isoformat()
