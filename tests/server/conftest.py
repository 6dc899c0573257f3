"""Room for services and servers that tests start themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.running import reachable_folder


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder of the test's own that the embedded servers' user can reach."""
    with reachable_folder() as folder:
        yield folder
