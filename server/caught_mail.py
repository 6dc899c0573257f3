"""The letters of a service that somebody only tries: shown on this machine, since no mail server sends them on."""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from markupsafe import Markup, escape

from kit.pages import Pages
from lookup.catalogue import Catalogue

_NAME = re.compile(r"\d{20}-[0-9a-f]{8}")
_LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:)]")
_PORT = re.compile(r":\d*$")
# Whoever carries one of these came through somebody else.
_FORWARDED = ("forwarded", "x-forwarded", "x-real-ip", "via", "cf-connecting-ip", "true-client-ip")


class CaughtMail(msgspec.Struct, frozen=True):
    """One letter as a person reads it; `name` is its file."""

    name: str
    subject: str
    to: str
    sent_at: datetime
    text: str


@get("/can-bo/thu-da-gui", include_in_schema=False)
async def list_caught_mails(
    request: Request,
    state: State,
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """All letters that were caught, the newest first."""
    folder = _folder(request, state)
    mails = [_read(path) for path in sorted(folder.glob("*.eml"), reverse=True)]
    return pages.render(
        request, "server/caught_mails.html", unit=catalogue.root_unit, now=now, session=None, mails=mails
    )


@get("/can-bo/thu-da-gui/{name:str}", include_in_schema=False)
async def show_caught_mail(
    request: Request,
    state: State,
    name: FromPath[str],
    pages: NamedDependency[Pages],
    catalogue: NamedDependency[Catalogue],
    now: NamedDependency[datetime],
) -> Response[bytes]:
    """One letter: its words, with links into this service alone. Its HTML is never a page of ours."""
    path = _folder(request, state) / f"{name}.eml"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFoundException
    mail = _read(path)
    text = linked(mail.text, home=state.settings.home)
    return pages.render(
        request, "server/caught_mail.html", unit=catalogue.root_unit, now=now, session=None, mail=mail, text=text
    )


caught_mail_routes = [list_caught_mails, show_caught_mail]


def linked(text: str, *, home: str) -> Markup:
    """The text with its links into `home` made so that one can follow them; all else is text."""
    whole, end = Markup(), 0
    for found in _LINK.finditer(text):
        address = found.group()
        whole += escape(text[end : found.start()])
        is_ours = address == home or address.startswith(f"{home}/")
        whole += Markup('<a href="{0}">{0}</a>').format(address) if is_ours else escape(address)
        end = found.end()
    return whole + escape(text[end:])


def _folder(request: Request, state: State) -> Path:
    """Where the letters are; 404 unless this service only tries things out, and the browser sits on this machine."""
    folder: Path | None = state.caught_mail
    if folder is None or not _comes_from_this_machine(request):
        raise NotFoundException
    return folder


def _comes_from_this_machine(request: Request) -> bool:
    if any(name.lower().startswith(_FORWARDED) for name in request.headers):
        return False
    # A page elsewhere can have its own name lead to 127.0.0.1, and would read what stands here.
    host = _PORT.sub("", request.headers.get("host", "")).strip("[]")
    return _is_loopback(request.client.host if request.client else "") and (host == "localhost" or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> CaughtMail:
    message = message_from_bytes(path.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(preferencelist=("plain",))
    return CaughtMail(
        name=path.stem,
        subject=str(message["Subject"]),
        to=str(message["To"]),
        sent_at=datetime.fromtimestamp(int(path.stem[:20]) / 1e9, UTC),
        text=body.get_content() if body else "",
    )
