"""An office for the tests of officers."""

import pytest

from kit.keys import KeyRing
from tests.units.officers.staff import given_office


@pytest.fixture
async def office(connection, settings):
    return await given_office(connection, KeyRing(settings.keys_folder))
