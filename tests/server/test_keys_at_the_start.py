"""All secret keys are there from the start on, so that their folder can be copied to the next node."""

import pytest

from kit.errors import UsageError
from server.app import create_app
from server.settings import load_settings


def test_a_copied_folder_of_keys_is_complete_and_one_that_lacks_a_key_is_refused_by_name(tmp_path):
    first_node = {"STATE_DIR": str(tmp_path), "REDIS_URL": "unix:///nobody.sock"}
    create_app(load_settings(first_node))
    keys = tmp_path / "keys"
    other_node = first_node | {"KEYS_DIR": str(keys)}
    create_app(load_settings(other_node))
    (keys / "mail.1").unlink()
    with pytest.raises(UsageError, match=r"mail\.1 is missing"):
        create_app(load_settings(other_node))
