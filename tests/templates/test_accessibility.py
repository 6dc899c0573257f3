"""Every page can be used by everyone: axe finds nothing, nothing is wider than the smallest phone."""

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.templates.gallery import GALLERY, HOST, hang

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}}
# Problems differ in words only: two of them stand for all. So do two English pages.
PATHS = [page.path for page in GALLERY if not page.path.startswith("/problem")]
PATHS += ["/problem-not_found", "/problem-too_many_requests", "/en", "/en/result-total"]


@pytest.mark.parametrize(("width", "scheme"), [(360, "light"), (1280, "dark")])
async def test_axe_finds_nothing(browser, pages, width, scheme):
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    await hang(context, pages)
    page, found = await context.new_page(), []
    for path in PATHS:
        await page.goto(HOST + path)
        results = await Axe().run(page, options=RULES)
        found += [f"{path} {each['id']}: {each['nodes'][0]['html']}" for each in results.response["violations"]]
    await context.close()
    assert not found, "\n".join(found)


async def test_nothing_is_wider_than_the_smallest_phone(browser, pages):
    context = await browser.new_context(viewport={"width": 320, "height": 640})
    await hang(context, pages)
    page, wide = await context.new_page(), []
    for path in PATHS:
        await page.goto(HOST + path)
        if await page.evaluate("document.documentElement.scrollWidth") > 320:
            wide.append(path)
    await context.close()
    assert not wide


async def test_every_button_and_field_is_large_enough_for_a_thumb(browser, pages):
    context = await browser.new_context(viewport={"width": 360, "height": 740})
    await hang(context, pages)
    page, small = await context.new_page(), []
    for path in PATHS:
        await page.goto(HOST + path)
        for part in await page.locator("button:visible, .button:visible, input:visible").all():
            box = await part.bounding_box()
            if box and box["height"] < 48:
                small.append((path, box["height"]))
    await context.close()
    assert not small
