"""Where mail goes in a service that somebody only tries: to a catcher of its own, shown on a page of this machine."""

import os
import socket
from urllib.parse import quote

from kit.account import Account
from server.embedded.folders import socket_folder_for
from server.running.python_process import PythonProcess
from server.settings import Settings

_SOCKET = "mail.sock"


class MailCatcher:
    """Holds the socket for as long as the service runs: a catcher that is started again is found at the same place."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state_dir / "mail"
        ourselves = Account(name=str(os.geteuid()), uid=os.geteuid(), gid=os.getegid())
        self._path = socket_folder_for(settings.state_dir / "run", ourselves, _SOCKET) / _SOCKET
        self._path.unlink(missing_ok=True)
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._path))
        self._listening.listen()

    @staticmethod
    def is_wanted(settings: Settings) -> bool:
        """Only where nothing says that others use the service: whoever reads letters can reset passwords."""
        return not (settings.database_url or settings.smtp_url or settings.public_url or settings.trusted_proxies)

    @property
    def url(self) -> str:
        """What `SMTP_URL` would say."""
        return f"smtp+unix://{quote(str(self._path))}"

    def process(self, environ: dict[str, str]) -> PythonProcess:
        """The process that serves, to be spawned."""
        fd = self._listening.fileno()
        module = "server.embedded.mail_catcher"
        arguments = ("--fd", str(fd), "--folder", str(self.folder))
        return PythonProcess("Mail catcher", module, environ, *arguments, pass_fds=[fd])
