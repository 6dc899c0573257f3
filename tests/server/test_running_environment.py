"""What a bare Python needs to make the environment, and what it says when it cannot."""

import ast
import os
import re
import subprocess
import sys

import pytest

from tests.install_browser import find_chromium
from tests.server.running import PATIENCE, ROOT, small_disk

SCRIPT = ROOT / "server" / "environment.py"
# Runs the script in a Python that lacks something, which is what the first line arranges.
SHIM = """
import importlib.util, os, runpy, shutil, sys
{lack}
sys.argv = ["environment.py", {folder!r}, {lock!r}]
runpy.run_path({script!r}, run_name="__main__")
"""


def refusal(folder, lack="", **environ) -> str:
    """The one sentence with which it gives up."""
    code = SHIM.format(lack=lack, folder=str(folder), lock=str(ROOT / "requirements.lock"), script=str(SCRIPT))
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **environ},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (sentence,) = ended.stderr.splitlines()
    return sentence


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_python_without_venv_is_told_which_package_to_install(tmp_path, module):
    lack = f"find = importlib.util.find_spec; importlib.util.find_spec = lambda n: None if n == {module!r} else find(n)"
    sentence = refusal(tmp_path / "venv", lack)
    assert f"no `{module}` module" in sentence
    assert re.search(r"apt install python3\.\d+-venv", sentence)
    assert not (tmp_path / "venv").exists()


def test_an_old_python_is_told_which_one_is_needed(tmp_path):
    sentence = refusal(tmp_path / "venv", "sys.version_info = (3, 9, 2); shutil.which = lambda _: None")
    assert sentence.startswith("Python 3.11 or later is needed, and this is 3.9")


def test_an_old_python_can_read_the_script():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_without_a_network_one_sentence_says_so(tmp_path):
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    assert refusal(tmp_path / "venv", **nowhere).startswith("The packages could not be fetched")


def test_a_full_disk_is_one_sentence(place):
    with small_disk(place / "full") as full:
        assert refusal(full / "venv").startswith("No space is left")


def test_make_lists_every_target():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (targets,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(re.findall(r"^make (\S+)", listed, re.MULTILINE)) == sorted(targets.split())


def test_there_is_a_browser_for_the_browser_tests():
    assert find_chromium()
