"""The gallery is looked at in the same browser as the whole service."""

import pytest

from kit.pages import Pages
from tests.browser.conftest import base_url, browser_type_launch_args
from tests.templates.gallery import TEMPLATES

__all__ = ["base_url", "browser_type_launch_args"]


@pytest.fixture(scope="session")
def pages() -> Pages:
    return Pages(TEMPLATES)
