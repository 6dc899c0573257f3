"""A browser for looking at the gallery: the machine's Chromium, or the one Playwright installed."""

import pytest

from tests.install_browser import find_chromium


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    # Tests run as root in containers, where Chromium's own sandbox cannot.
    return browser_type_launch_args | {"executable_path": find_chromium(), "args": ["--no-sandbox"]}
