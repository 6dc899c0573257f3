"""Keys are made once, whoever asks first, and outlive rotation."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kit.errors import UsageError
from kit.keys import KeyRing

ROOT = Path(__file__).parents[2]


def test_a_key_is_made_once_and_stays(tmp_path):
    first = KeyRing(tmp_path / "keys").current("pin")
    assert KeyRing(tmp_path / "keys").current("pin") == first
    assert len(first.value) == 32
    assert first.id == 1


def test_each_name_has_a_key_of_its_own(tmp_path):
    ring = KeyRing(tmp_path)
    assert ring.current("pin").value != ring.current("cache").value
    assert ring.current("pin").value != ring.current("pin-2").value


def test_nobody_else_can_read_a_key(tmp_path):
    KeyRing(tmp_path / "state" / "keys").current("pin")
    folder = tmp_path / "state" / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_a_rotated_key_is_current_and_the_old_one_is_still_known(tmp_path):
    ring = KeyRing(tmp_path)
    old = ring.current("pin")
    new = ring.rotate("pin")
    assert new.value != old.value
    assert ring.current("pin") == new
    assert ring.all("pin") == [new, old]


def test_keys_are_ordered_by_number_not_by_spelling(tmp_path):
    ring = KeyRing(tmp_path)
    for _ in range(10):
        ring.rotate("pin")
    assert [key.id for key in ring.all("pin")] == list(range(11, 0, -1))


def test_workers_that_start_together_have_the_same_key(tmp_path):
    ask = "import sys, pathlib, kit.keys; print(kit.keys.KeyRing(pathlib.Path(sys.argv[1])).current('pin').value.hex())"

    def start_one(_):
        return subprocess.check_output([sys.executable, "-c", ask, tmp_path / "keys"], cwd=ROOT)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(start_one, range(8)))
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["pin.1"]


def test_threads_that_race_for_a_key_all_get_the_same(tmp_path):
    for attempt in range(50):
        ring = KeyRing(tmp_path / str(attempt))
        with ThreadPoolExecutor(8) as pool:
            assert len({key.value for key in pool.map(ring.current, ["pin"] * 8)}) == 1


def test_a_key_that_was_given_is_used(tmp_path):
    (tmp_path / "pin.7").write_text("ab" * 32 + "\n")
    key = KeyRing(tmp_path, may_create=False).current("pin")
    assert (key.id, key.value) == (7, bytes.fromhex("ab" * 32))


def test_a_missing_given_key_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"pin\.1 is missing"):
        KeyRing(tmp_path, may_create=False).current("pin")


@pytest.mark.parametrize("content", ["", "abcd", "ab" * 31, "no key at all", "ab" * 33])
def test_a_damaged_key_is_refused_rather_than_replaced(tmp_path, content):
    (tmp_path / "pin.1").write_text(content)
    with pytest.raises(UsageError, match=r"pin\.1 is damaged"):
        KeyRing(tmp_path).current("pin")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match=r"pin\.1 cannot be made"):
        KeyRing(tmp_path / "file" / "keys").current("pin")


def test_a_key_does_not_show_its_secret(tmp_path):
    key = KeyRing(tmp_path).current("pin")
    assert repr(key) == "Key(id=1)"


def test_a_given_folder_holds_what_is_in_it_and_a_folder_of_our_own_whatever_is_asked_for(tmp_path):
    KeyRing(tmp_path).current("pin")
    given = KeyRing(tmp_path, may_create=False)
    assert given.holds("pin")
    assert not given.holds("release")
    assert KeyRing(tmp_path).holds("release")
    assert not (tmp_path / "release.1").exists(), "asking makes none"
