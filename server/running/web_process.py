"""One of the processes that answer requests; it needs its settings and local files, nothing else, to come up."""

import argparse
import os
import signal
import socket
import threading
import time

import uvicorn

from server.app import create_app
from server.running.patience import PatientProtocol
from server.settings import load_settings

# What is being answered when the service stops may take this long.
_LAST_ANSWERS_SECONDS = 3
_LOOK_SECONDS = 1.0


def main() -> None:
    """Serve on the listening socket inherited as `--fd`, until SIGTERM or until the parent is gone."""
    arguments = argparse.ArgumentParser(prog="server.running.web_process")
    arguments.add_argument("--fd", type=int, required=True)
    arguments.add_argument("--worker", type=int, required=True)
    told = arguments.parse_args()
    listening = socket.socket(fileno=told.fd)
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    settings = load_settings(os.environ)
    config = uvicorn.Config(
        # Made inside the event loop that serves: the database pool belongs to the loop it is made in.
        lambda: create_app(settings, worker=told.worker),
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


def _follow_parent(parent: int) -> None:
    """Where the kernel does not end us with our parent, we look: an orphan would hold the port."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
