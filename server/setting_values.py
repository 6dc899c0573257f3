"""Settings as people write them, made into values; what is wrong is said with what to write instead.

Each function takes the text after the default was filled in, and raises ValueError with a sentence that goes on after
the name of the setting. Sentences never repeat a text that may hold a password.
"""

import os
import re
import socket
from collections.abc import Callable
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import limits

from kit.errors import UsageError

_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_DATABASE_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@]+)(:[1-9][0-9]{0,4})?")
_NODE_NAME = re.compile(r"[\w][\w.-]{0,62}", re.ASCII)
_MAIL_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_DATABASE_FORM = (
    "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, "
    "and in the password %23 for #, %2F for /, %40 for @ and %25 for %."
)


def folder(text: str) -> Path:
    """A folder that may not exist yet, as an absolute path."""
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is not a folder; name another.")
    return path


def existing_folder(text: str) -> Path | None:
    """A folder that must be there, or None for an empty text."""
    if not text:
        return None
    path = folder(text)
    if not path.is_dir():
        raise ValueError(f"the folder {path} does not exist; mount it or name another.")
    return path


def host(text: str) -> str:
    """An address or a host name, without port and brackets."""
    if not _HOST_NAME.fullmatch(text) and not _is_address(text):
        raise ValueError(f"{text!r} is no address; write one such as 127.0.0.1 or ::1, without the port.")
    return text


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A reader of whole numbers within the bounds, both included."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text) <= highest:
            raise ValueError(f"{text!r} is not possible; write a whole number from {lowest} to {highest}.")
        return int(text)

    return read


def node_name(text: str) -> str:
    """A short name that can stand in a log line and a row."""
    if not _NODE_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name; write up to 63 letters, digits, dots and hyphens.")
    return text


def machine_name() -> str:
    """The name of the machine, in letters that a node's name may have."""
    return re.sub(r"[^\w.-]", "-", socket.gethostname(), flags=re.ASCII)[:63].lstrip(".-") or "node"


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def database_url(text: str) -> str:
    """A PostgreSQL URL; empty stays empty."""
    if not text:
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"cannot be understood; {_DATABASE_FORM}") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"does not begin with postgresql://; {_DATABASE_FORM}")
    # Several hosts may stand there, and none at all means the machine's usual socket.
    hosts = parts.netloc.rpartition("@")[2]
    if hosts and not all(_DATABASE_HOST.fullmatch(one) for one in hosts.split(",")):
        raise ValueError(f"names no host and port that can be; {_DATABASE_FORM}")
    if not parts.path.strip("/") or parts.fragment:
        raise ValueError(f"names no database; {_DATABASE_FORM}")
    return text


def redis_url(text: str) -> str:
    """An address of Redis in one of the forms of `kit.redis_address`; empty stays empty."""
    if not text:
        return text
    # Imported when there is something to read: every command reads the settings, few need Redis.
    from kit.redis_address import open_client

    try:
        open_client(text)
    except UsageError as problem:
        raise ValueError(str(problem).removeprefix("REDIS_URL ")) from None
    return text


def public_url(text: str) -> str:
    """An origin, in lower case and without a slash at its end; empty stays empty."""
    if not text:
        return text
    form = "write scheme and host alone, such as https://diemthi.example.vn."
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"{text!r} is no address; {form}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or parts.username is not None:
        raise ValueError(f"{text!r} is no address of a site; {form}")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{text!r} goes beyond the host; {form}")
    return f"{parts.scheme}://{parts.netloc}".lower()


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Addresses and networks, separated by commas or blanks."""
    return tuple(_network(part) for part in re.split(r"[,\s]+", text) if part)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no address or network; write such as 10.0.0.7 or 10.0.0.0/8.") from None
    raise ValueError(f"{text!r} is an address within a network; write {meant} or the address alone.")


def rate(text: str) -> limits.RateLimitItem:
    """So many in so long, such as `600/minute` or `10/15minute`."""
    form = "write such as 600/minute or 10/15minute."
    try:
        items = limits.parse_many(text)
    except ValueError:
        raise ValueError(f"{text!r} is no rate; {form}") from None
    if len(items) != 1 or items[0].amount < 1 or items[0].get_expiry() < 1:
        raise ValueError(f"{text!r} is not one rate of at least one; {form}")
    return items[0]


def log_level(text: str) -> str:
    """The name of a level, in capitals."""
    if text.upper() not in _LOG_LEVELS:
        raise ValueError(f"{text!r} is no level; write one of {', '.join(_LOG_LEVELS)}.")
    return text.upper()


def mail_address(text: str) -> str:
    """An address as a letter names its sender: `Name <address>` or the address alone."""
    address = parseaddr(text)[1]
    if not _MAIL_ADDRESS.fullmatch(address):
        raise ValueError(f"{text!r} is no address; write one such as Báo Danh <khong-tra-loi@so.example.vn>.")
    return text


def smtp_url(text: str) -> str:
    """An address of a mail server in one of the forms of `kit.mail.smtp_server`; empty stays empty."""
    if text:
        from kit.mail.smtp_server import read_smtp_url

        read_smtp_url(text)
    return text
