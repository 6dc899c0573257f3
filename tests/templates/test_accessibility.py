"""Every page can be used by everyone, in the states too that are hard to come by on the way to a score.

The steps of a lookup, live and in both languages, are looked at by `tests/browser/test_accessibility.py`.
"""

import json

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.templates.gallery import GALLERY, HOST, hang

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = f"axe.run({json.dumps({'runOnly': TAGS, 'resultTypes': ['violations']})})"
# Problems differ in words only: two of them stand for all.
PATHS = [page.path for page in GALLERY if not page.path.startswith("/problem")]
PATHS += ["/problem-not_found", "/problem-too_many_requests", "/en/result-total"]
STEPS_OF_A_LOOKUP = {
    *("/form", "/form-birth-date", "/form-pin", "/form-mistaken", "/not-found"),
    *("/result", "/result-total", "/en/result-total"),
}
TOO_SMALL = """() => [...document.querySelectorAll("button, .button, input")]
  .filter((part) => part.checkVisibility() && part.getBoundingClientRect().height < 48)
  .map((part) => part.outerHTML)"""


@pytest.mark.parametrize("path", [path for path in PATHS if path not in STEPS_OF_A_LOOKUP])
async def test_axe_finds_nothing(browser, pages, path):
    context = await browser.new_context(reduced_motion="reduce")
    await hang(context, pages)
    page, found = await context.new_page(), []
    await page.goto(HOST + path)
    await page.evaluate(AXE_SCRIPT)
    for width, scheme in [(360, "light"), (1280, "dark")]:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = (await page.evaluate(LOOK))["violations"]
        found += [f"{width} {scheme} {each['id']}: {each['nodes'][0]['html']}" for each in violations]
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
        small += [f"{path} {part}" for part in await page.evaluate(TOO_SMALL)]
    await context.close()
    assert not small, "\n".join(small)
