"""The smallest phone, letters twice as large, a slow line: the pages still serve."""

import pytest
from playwright.async_api import BrowserContext, Page

from kit.clock import utc_now
from server.demo.department import load_demo
from tests.browser.looking_up import look_up, sees_card

FIRST_LOAD_BYTES = 30_000
PAGES = (
    "/",
    "/tra-cuu/diem-thi",
    "/tra-cuu/diem-thi/demo-thpt",
    "/tra-cuu/diem-thi/demo-chuyen",
    "/tra-cuu/diem-thi/demo-sap-cong-bo",
    "/huong-dan/tra-cuu-diem-thi",
    "/quyen-rieng-tu",
    "/tai-lieu/api",
    "/khong-co-trang-nay",
)
# The innermost parts that stick out at the right; what a box of its own scrolls does not.
_TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter((part) => part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter((part) => !part.children.length && !part.closest(".scroller, .visually-hidden, .skip-link"))
  .map((part) => `${part.localName}: ${part.textContent.trim()}`)"""


@pytest.fixture
def clock():
    """The demo opens by the real clock."""
    return utc_now


@pytest.fixture
async def demo(connection, service, pin_key) -> None:
    await load_demo(connection, pin_key=pin_key, now=utc_now())
    await service.hears_all_changes()


@pytest.mark.parametrize("width", [320], ids=["smallest-phone"], indirect=True)
async def test_nothing_is_wider_than_the_smallest_phone(demo, page):
    assert not await parts_too_wide(page)


async def test_letters_twice_as_large_still_fit(demo, page):
    await with_letters_twice_as_large(page)
    assert not await parts_too_wide(page)


@pytest.mark.parametrize("width", [360], ids=["phone"], indirect=True)
async def test_the_first_load_is_light(demo, new_context):
    for path in ("/", "/tra-cuu/diem-thi/demo-thpt"):
        assert await bytes_received(await new_context(), path) < FIRST_LOAD_BYTES


async def parts_too_wide(page: Page) -> dict[str, list[str]]:
    """By page and language, whatever sticks out at the right."""
    found = {}
    for path in (*PAGES, *(f"/en{path}".rstrip("/") for path in PAGES)):
        await page.goto(path)
        found[path] = await page.evaluate(_TOO_WIDE)
    await page.goto("/tra-cuu/diem-thi/demo-thpt")
    await look_up(page, "12")
    await page.locator(".error-summary").wait_for()
    found["a mistake"] = await page.evaluate(_TOO_WIDE)
    await look_up(page, "99000001")
    await sees_card(page, "99000001")
    found["a result"] = await page.evaluate(_TOO_WIDE)
    return {path: parts for path, parts in found.items() if parts}


async def with_letters_twice_as_large(page: Page) -> None:
    """As somebody sets it in their browser: the size that 100 % stands for."""
    browser = await page.context.new_cdp_session(page)
    await browser.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})


async def bytes_received(context: BrowserContext, path: str) -> int:
    """What a first visit brings over the line, as the network counts it: headers, page, style, script, icon."""
    page = await context.new_page()
    browser = await context.new_cdp_session(page)
    received = []
    browser.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    await browser.send("Network.enable")
    await page.goto(path, wait_until="networkidle")
    assert len(received) >= 3, "a page, its style and its script"
    return sum(received)
