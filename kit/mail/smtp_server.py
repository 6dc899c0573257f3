"""The server that takes our mail, as an operator writes it down: one address with everything in it."""

from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

_UNIX = "smtp+unix"
_FORM = "write smtp://USER:PASSWORD@HOST:PORT or smtps://..., and in the password %23 for #, %2F for / and %40 for @."
_PORTS = {"smtp": 587, "smtps": 465}


class SmtpServer(msgspec.Struct, frozen=True):
    """Where mail is handed over. `encryption`: `tls` from the first byte on, `starttls` (or nothing is sent), `off`."""

    host: str
    port: int
    encryption: str
    user: str | None = None
    password: str | None = None
    # The path of a socket on this machine, instead of host and port.
    socket: str | None = None

    def __repr__(self) -> str:
        """Without the password: it would end up in tracebacks."""
        return f"SmtpServer(host={self.host!r}, port={self.port})"


def read_smtp_url(text: str) -> SmtpServer:
    """`smtp://` (STARTTLS, unless the host is this machine or `?tls=off` says otherwise), `smtps://`, `smtp+unix://PATH`.

    Raises ValueError with the rest of a sentence that begins with the setting's name; it never repeats the text.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"cannot be understood; {_FORM}") from None
    if parts.scheme == _UNIX and parts.path and not parts.netloc:
        return SmtpServer(host="localhost", port=0, encryption="off", socket=unquote(parts.path))
    if parts.scheme not in _PORTS:
        raise ValueError(f"does not begin with smtp:// or smtps://; {_FORM}")
    if not parts.hostname or port == 0 or parts.path.strip("/") or parts.fragment:
        raise ValueError(f"is not one host with its port; {_FORM}")
    if (parts.username is None) != (parts.password is None):
        raise ValueError(f"names a user or a password alone; {_FORM}")
    encryption = _encryption(parts.scheme, parts.hostname, parts.query)
    if encryption == "off" and parts.password and not _is_this_machine(parts.hostname):
        raise ValueError("holds a password, which is not sent without TLS; leave ?tls=off out.")
    return SmtpServer(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        encryption=encryption,
        user=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
    )


def _encryption(scheme: str, host: str, query: str) -> str:
    if query and (scheme == "smtps" or parse_qsl(query) != [("tls", "off")]):
        raise ValueError("ends with something that is not understood; only smtp://...?tls=off is.")
    if scheme == "smtps":
        return "tls"
    return "off" if query or _is_this_machine(host) else "starttls"


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
