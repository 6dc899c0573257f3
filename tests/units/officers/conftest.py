"""An office for the tests of officers."""

import pytest

from kit.keys import KeyRing
from tests.units.officers.staff import given_office
from units.officers import hashing


@pytest.fixture
async def office(connection, settings):
    return await given_office(connection, KeyRing(settings.keys_folder))


@pytest.fixture(autouse=True)
def quick_hashing(request, monkeypatch):
    """Passwords are slow to check on purpose; not here, unless a test is about that (`slow_hashing`)."""
    if "slow_hashing" not in request.fixturenames:
        monkeypatch.setattr(hashing, "_PASSES", 1)
        monkeypatch.setattr(hashing, "_MEMORY_KIB", 8)


@pytest.fixture
def slow_hashing():
    """As in earnest."""
