"""A mail server that sends nothing on: for somebody who tries the service and has none, letters end in a folder.

`python -m server.embedded.mail_catcher --fd N --folder FOLDER` serves on the inherited socket until it is ended.
"""

import argparse
import asyncio
import logging
import os
import secrets
import socket
import time
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP

from kit import children

NEWEST = 200
_LARGEST = 1024 * 1024


class _Catcher:
    """Keeps each mail as a file of its own; the names sort by time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: ARG002, N802 - aiosmtpd's words
        keep(self.folder, envelope.content)
        return "250 2.0.0 kept"


def keep(folder: Path, mail: bytes) -> Path:
    """Write one mail down where only we can read it; all but the newest go."""
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
    draft = folder / f".{name}"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(mail)
    kept = draft.rename(folder / f"{name}.eml")
    for old in sorted(folder.glob("*.eml"))[:-NEWEST]:
        old.unlink(missing_ok=True)
    return kept


def main() -> None:
    """Serve on the socket inherited as `--fd`, until SIGTERM or until the parent is gone."""
    arguments = argparse.ArgumentParser(prog="server.embedded.mail_catcher")
    arguments.add_argument("--fd", type=int, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    told = arguments.parse_args()
    children.follow_parent()
    # It would write down who wrote to whom.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL + 1)
    told.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(_serve(socket.socket(fileno=told.fd), told.folder))


async def _serve(listening: socket.socket, folder: Path) -> None:
    loop, catcher = asyncio.get_running_loop(), _Catcher(folder)
    server = await loop.create_unix_server(
        lambda: SMTP(catcher, data_size_limit=_LARGEST, hostname="localhost", ident="Bao Danh catches", loop=loop),
        sock=listening,
    )
    await server.serve_forever()


if __name__ == "__main__":
    main()
