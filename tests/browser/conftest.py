"""A phone and a wide screen before the whole service; whatever a page should not do is noticed, whatever the test."""

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.watch import Watch
from tests.install_browser import find_chromium

CHROMIUM_ARGUMENTS = [
    # Tests run as root in containers, where Chromium's own sandbox cannot.
    "--no-sandbox",
    "--disable-gpu",
    # Nothing but our pages may make it speak.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A busy machine may be slow; what never comes fails all the same.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("There is no Chromium: `python tests/install_browser.py` installs one.")
    return browser_type_launch_args | {"executable_path": chromium, "args": CHROMIUM_ARGUMENTS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """The plugin's own fixture of this name is a method, of which pytest 9 warns; each test has another address."""


@pytest.fixture(params=[360, 1280], ids=["phone", "wide"])
def width(request) -> int:
    return request.param


@pytest.fixture
def browser_context_args(browser_context_args: dict, service, width) -> dict:
    # Nobody waits for an animation, and axe does not measure half-faded letters.
    screen = {"viewport": {"width": width, "height": 740}, "reduced_motion": "reduce"}
    return browser_context_args | screen | {"base_url": service.url}


@pytest.fixture
async def context(context: BrowserContext, service):
    watch = Watch(context, service.url)
    yield context
    assert not await watch.troubles()
