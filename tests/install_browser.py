"""See to it that the browser tests have a Chromium, and letters for Vietnamese; or say plainly what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium() -> Path | None:
    """A Chromium that starts: the machine's, or else the one Playwright installed."""
    for name in _NAMES:
        found = shutil.which(name)
        if found and _starts(found):
            return Path(found)
    found = _playwrights_own()
    return found if found and _starts(found) else None


def _starts(program: str | Path) -> bool:
    """Ubuntu's chromium-browser, for one, is there and starts nothing without snap."""
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0


def _playwrights_own() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        program = Path(playwright.chromium.executable_path)
    return program if program.exists() else None


def main() -> None:
    """Install what is missing; exit code 1 with a sentence when that fails."""
    if _is_debian_and_ours() and (find_chromium() is None or not _has_vietnamese_letters()):
        _run(["apt-get", "update"])
        _run(["apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core"])
    if find_chromium() is None:
        _run([sys.executable, "-m", "playwright", "install", "chromium"])
    if find_chromium() is None:
        sys.exit(
            "The browser tests need Chromium, and it could not be installed: install the package `chromium`, or run "
            "`.venv/bin/playwright install --with-deps chromium`, then try again."
        )


def _is_debian_and_ours() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _has_vietnamese_letters() -> bool:
    fonts = shutil.which("fc-list")
    return bool(fonts and subprocess.run([fonts, ":lang=vi"], capture_output=True, check=False).stdout)


def _run(command: list[str]) -> None:
    """Show what an installer says only when it fails; whether it helped is looked at afterwards."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    ended = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.stderr.write("\n".join((ended.stdout + ended.stderr).splitlines()[-5:]) + "\n")


if __name__ == "__main__":
    main()
