"""The pictures of the README: a result of the demo on a phone, and on a wide screen.

`python -m tests.browser.readme_pictures [URL]` takes them anew from a running demo, after a change of the pages' look.
"""

import asyncio
import sys
from pathlib import Path

import msgspec
from playwright.async_api import Browser, async_playwright

from tests.browser.guide_pictures import DEMO_NUMBER, PHONE_WIDTH
from tests.browser.looking_up import look_up, sees_card
from tests.install_browser import find_chromium

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
_BELOW_THE_CARD = 16


class Shot(msgspec.Struct, frozen=True):
    """A window so wide, and how many dots of the picture make one of its points."""

    width: int
    sharpness: float


SHOTS = {"result.png": Shot(PHONE_WIDTH, 1.5), "result-wide.png": Shot(820, 1.25)}


async def take_readme_pictures(browser: Browser, url: str) -> dict[str, bytes]:
    """PNG by file name, from the top of the page to the end of the card; `url` is that of a service with demo data."""
    return {name: await _take(browser, url, shot) for name, shot in SHOTS.items()}


async def _take(browser: Browser, url: str, shot: Shot) -> bytes:
    context = await browser.new_context(
        base_url=url,
        viewport={"width": shot.width, "height": 1200},
        device_scale_factor=shot.sharpness,
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto("/tra-cuu/diem-thi/demo-thpt")
    await look_up(page, DEMO_NUMBER)
    await sees_card(page, DEMO_NUMBER)
    end = await page.evaluate("document.querySelector('.result').getBoundingClientRect().bottom")
    area = {"x": 0, "y": 0, "width": shot.width, "height": round(end) + _BELOW_THE_CARD}
    png = await page.screenshot(clip=area)
    await context.close()
    return png


async def _take_all(url: str) -> dict[str, bytes]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        return await take_readme_pictures(browser, url)


if __name__ == "__main__":
    taken = asyncio.run(_take_all(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
    FOLDER.mkdir(exist_ok=True)
    for name, content in taken.items():
        (FOLDER / name).write_bytes(content)
