"""One of the processes that answer requests; it needs its settings and local files, nothing else, to come up."""

import argparse
import os
import socket
from pathlib import Path

import uvicorn

from kit import children
from server.app import create_app
from server.running.patience import PatientProtocol
from server.settings import load_settings

# What is being answered when the service stops may take this long.
_LAST_ANSWERS_SECONDS = 3


def main() -> None:
    """Serve on the listening socket inherited as `--fd`, until SIGTERM or until the parent is gone."""
    arguments = argparse.ArgumentParser(prog="server.running.web_process")
    arguments.add_argument("--fd", type=int, required=True)
    arguments.add_argument("--worker", type=int, required=True)
    arguments.add_argument("--caught-mail", type=Path)
    arguments.add_argument("--without-mail", action="store_true")
    told = arguments.parse_args()
    listening = socket.socket(fileno=told.fd)
    children.follow_parent()
    settings = load_settings(os.environ)
    config = uvicorn.Config(
        # Made inside the event loop that serves: the database pool belongs to the loop it is made in.
        lambda: create_app(settings, worker=told.worker, caught_mail=told.caught_mail, has_mail=not told.without_mail),
        factory=True,
        loop="uvloop",
        http=PatientProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        # The visitor's address is the business of TRUSTED_PROXIES alone.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
