"""Everything can be done with the keys alone, and one always sees where one is."""

from playwright.async_api import Page, expect

from tests.browser.exams import PAGE, given_an_open_exam
from tests.browser.looking_up import sees_card
from tests.people import MINH

# Name of what has the focus, whether it can be seen, and whether a ring is drawn around it.
_FOCUS = """() => {
  const at = document.activeElement, box = at.getBoundingClientRect(), drawn = getComputedStyle(at);
  const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
  const marked = drawn.outlineStyle !== "none" && parseFloat(drawn.outlineWidth) >= 2;
  return [(at.labels?.[0] ?? at).textContent.trim(), inside, marked];
}"""


async def test_tab_leads_through_the_page_in_the_order_of_reading(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    names = [await next_by_tab(page) for _ in range(9)]
    assert names[0] == "Đến nội dung chính"
    assert names[2:] == [
        "English",
        "Trang chủ",
        "Tra cứu điểm thi",
        "Số báo danh",
        "Tra cứu điểm",
        "Không nhớ số báo danh?",
        "Vì sao không tra cứu bằng họ tên?",
    ]
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Nhiều thí sinh trùng họ tên")).to_be_visible()


async def test_a_score_is_looked_up_with_the_keys_alone(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await next_by_tab(page)
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    while await next_by_tab(page) != "Số báo danh":
        pass
    await page.keyboard.type(MINH.number)
    await page.keyboard.press("Enter")
    await sees_card(page, MINH.number)
    assert await page.evaluate("getComputedStyle(document.activeElement).boxShadow") == "none", "no ring on a heading"
    assert await next_by_tab(page) == "Tra cứu số khác"
    assert await next_by_tab(page) == "In phiếu tra cứu"


async def next_by_tab(page: Page) -> str:
    """Go on by one; the name of where that leads, which must be in sight and marked."""
    await page.keyboard.press("Tab")
    name, in_sight, marked = await page.evaluate(_FOCUS)
    assert in_sight, f"{name}: out of sight"
    assert marked, f"{name}: no ring"
    return name
