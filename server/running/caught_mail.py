"""Where mail goes in a service that somebody only tries: to a catcher of its own, shown on a page of this machine."""

import socket

from server.running.python_process import PythonProcess
from server.settings import Settings


class MailCatcher:
    """Holds the port for as long as the service runs: a catcher that is started again is found at the same place."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.state_dir / "mail"
        self._listening = socket.create_server(("127.0.0.1", 0))

    @staticmethod
    def is_wanted(settings: Settings) -> bool:
        """Only where nothing says that others use the service: whoever reads letters can reset passwords."""
        return not (settings.database_url or settings.smtp_url or settings.public_url or settings.trusted_proxies)

    @property
    def url(self) -> str:
        """What `SMTP_URL` would say."""
        return f"smtp://127.0.0.1:{self._listening.getsockname()[1]}"

    def process(self, environ: dict[str, str]) -> PythonProcess:
        """The process that serves, to be spawned."""
        fd = self._listening.fileno()
        module = "server.embedded.mail_catcher"
        arguments = ("--fd", str(fd), "--folder", str(self.folder))
        return PythonProcess("Mail catcher", module, environ, *arguments, pass_fds=[fd])
