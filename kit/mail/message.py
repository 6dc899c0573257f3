"""A letter in the form in which mail travels: headers that every program reads, text and HTML side by side."""

from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from kit.mail.post import Letter


class _Wire(EmailPolicy):
    """How headers are written. Python's own way loses the space where a line with Vietnamese words is folded."""

    def fold(self, name: str, value: Any) -> str:
        text = str(value)
        if text.isascii():
            return super().fold(name, value)
        if name.lower() == "from":
            (sender,) = value.addresses
            header = Header(sender.display_name, "utf-8", header_name=name)
            header.append(f"<{sender.addr_spec}>", "us-ascii")
        else:
            header = Header(text, "utf-8", header_name=name)
        return f"{name}: {header.encode(linesep=self.linesep)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")


_WIRE = _Wire(linesep=SMTP.linesep)


def compose(letter: Letter, *, sender: str, recipient: str, message_id: str, at: datetime) -> EmailMessage:
    """The whole message. The same letter has the same Message-ID and Date at every attempt.

    Raises ValueError for a line break in any header: nobody adds headers of their own.
    """
    message = EmailMessage(policy=_WIRE)
    name, address = parseaddr(sender)
    message["From"] = Address(display_name=name, addr_spec=address)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = message_id
    # No absence note and no mailing list answers it.
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "vi"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message
