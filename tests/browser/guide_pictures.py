"""The pictures of the guide, taken from the demo as a phone shows it.

`python -m tests.browser.guide_pictures [URL]` takes them anew from a running demo, after a change of the pages' look.
"""

import asyncio
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from playwright.async_api import Browser, Page, async_playwright

from kit.locale import LOCALES, Locale, in_locale
from tests.install_browser import find_chromium

FOLDER = Path(__file__).parents[2] / "templates" / "static" / "guide"
DEMO_NUMBER = "99000001"
PHONE_WIDTH = 360
# Sharp enough on a phone of five years ago, small enough for its connection.
SHARPNESS = 1.5
_ENCODE = """async (address) => {
  const picture = new Image();
  picture.src = address;
  await picture.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas.toDataURL("image/webp", 0.75);
}"""


class Picture(msgspec.Struct, frozen=True):
    """What to open, what to type there, whether to send it off, and how much of the page to keep."""

    name: str
    path: str
    height: int
    number: str | None = None
    send: bool = False


PICTURES = (
    Picture("exams", "/tra-cuu/diem-thi", 560),
    Picture("countdown", "/tra-cuu/diem-thi/demo-sap-cong-bo", 560),
    Picture("form", "/tra-cuu/diem-thi/demo-thpt", 530, number=DEMO_NUMBER),
    Picture("result", "/tra-cuu/diem-thi/demo-thpt", 712, number=DEMO_NUMBER, send=True),
)


async def take_guide_pictures(browser: Browser, url: str) -> dict[str, bytes]:
    """Every picture in every language by its name, `vi/form.webp`; `url` is that of a service with demo data."""
    async with _phone(browser) as page:
        return {
            f"{locale}/{picture.name}.webp": await _take(page, url, locale, picture)
            for locale in LOCALES
            for picture in PICTURES
        }


@asynccontextmanager
async def _phone(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": PHONE_WIDTH, "height": 740}, device_scale_factor=SHARPNESS, reduced_motion="reduce"
    )
    yield await context.new_page()
    await context.close()


async def _take(page: Page, url: str, locale: Locale, picture: Picture) -> bytes:
    await page.set_viewport_size({"width": PHONE_WIDTH, "height": picture.height})
    await page.goto(url.rstrip("/") + in_locale(picture.path, locale))
    if picture.number:
        await page.fill("#candidate_number", picture.number)
    if picture.send:
        await page.click("form button")
        await page.wait_for_selector(".result")
    # A blinking cursor would make two pictures of one page.
    await page.evaluate("document.activeElement?.blur()")
    return await _as_webp(page, await page.screenshot())


async def _as_webp(page: Page, png: bytes) -> bytes:
    """Less than half the PNG's size, by the browser's own encoder."""
    encoded = await page.evaluate(_ENCODE, "data:image/png;base64," + b64encode(png).decode())
    return b64decode(encoded.partition(",")[2])


async def _take_all(url: str) -> dict[str, bytes]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        return await take_guide_pictures(browser, url)


if __name__ == "__main__":
    taken = asyncio.run(_take_all(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
    for name, content in taken.items():
        (FOLDER / name).write_bytes(content)
