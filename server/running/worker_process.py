"""The process beside those that answer: what is scheduled and what goes out by mail happens here."""

import os

from kit import children
from server.running.worker import run
from server.settings import load_settings


def main() -> None:
    """Work until SIGTERM or until the parent is gone; settings and local files are enough to begin."""
    children.follow_parent()
    run(load_settings(os.environ))


if __name__ == "__main__":
    main()
