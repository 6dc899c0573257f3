"""Stories that need one are seen in the same browser as the whole service."""

from tests.browser.conftest import base_url, browser_type_launch_args

__all__ = ["base_url", "browser_type_launch_args"]
