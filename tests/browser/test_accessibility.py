"""What a script has changed on a page can be used by everyone too: axe finds nothing after any step of a lookup.

The pages as they are sent are looked at by `tests/templates/test_accessibility.py`.
"""

import json

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Page, expect

from kit.locale import LOCALES, in_locale
from lookup.pins import derive_pin
from tests.browser.exams import EXAM, PAGE, given_a_corrected_score, given_an_open_exam
from tests.browser.looking_up import look_up, sees_card
from tests.people import MINH

WCAG_2_2_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_LOOK = f"axe.run({json.dumps({'runOnly': WCAG_2_2_AA, 'resultTypes': ['violations']})})"
# In the dark the same page has other colours, and nothing else.
_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
_LOOK_IN_THE_DARK = f"axe.run({json.dumps({'runOnly': _COLOURS, 'resultTypes': ['violations']})})"
WIDTHS = (360, 1280)


@pytest.fixture
def width() -> int:
    """Each step is looked at in all widths without being taken again."""
    return WIDTHS[0]


@pytest.mark.parametrize("locale", LOCALES)
async def test_every_step_to_a_score_is_clean(connection, service, page, locale):
    exam = await given_an_open_exam(connection, service)
    await given_a_corrected_score(connection, service, exam)
    await page.goto(in_locale(PAGE, locale))
    for question in await page.locator("summary").all():
        await question.click()
    await then_axe_finds_nothing(page)
    await look_up(page, "12")
    await expect(page.get_by_role("alert")).to_be_focused()
    await then_axe_finds_nothing(page)
    await look_up(page, "99999999")
    await expect(page.locator(".notice")).to_be_visible()
    await then_axe_finds_nothing(page)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await then_axe_finds_nothing(page)


@pytest.mark.parametrize("locale", LOCALES)
async def test_a_result_with_a_name_is_clean(connection, service, page, pin_key, locale):
    await given_an_open_exam(connection, service, policy="pin", show_name=True)
    await page.goto(in_locale(PAGE, locale))
    await look_up(page, MINH.number)
    await expect(page.get_by_role("alert")).to_be_focused()
    await then_axe_finds_nothing(page)
    await look_up(page, MINH.number, pin=derive_pin(pin_key, EXAM, MINH.number))
    await sees_card(page, MINH.name)
    await then_axe_finds_nothing(page)


@pytest.mark.parametrize("locale", LOCALES)
async def test_the_sentence_about_a_lost_connection_is_clean(connection, service, page, context, locale):
    await given_an_open_exam(connection, service, policy="birth-date")
    await page.goto(in_locale(PAGE, locale))
    await context.set_offline(True)
    await look_up(page, MINH.number, birth_date="1/2/2008")
    await expect(page.get_by_role("status")).not_to_be_empty()
    await then_axe_finds_nothing(page)


async def then_axe_finds_nothing(page: Page) -> None:
    """In both widths, light and dark, on the page as it stands."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    found = []
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 740})
        for scheme, look in (("light", _LOOK), ("dark", _LOOK_IN_THE_DARK)):
            await page.emulate_media(color_scheme=scheme)
            violations = (await page.evaluate(f"{look}.then(({{violations}}) => ({{violations}}))"))["violations"]
            found += [f"{width} {scheme} {each['id']}: {each['nodes'][0]['html']}" for each in violations]
    assert not found, "\n".join(found)
