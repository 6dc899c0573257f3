"""A letter in the form in which mail travels: headers that every program reads, text and HTML side by side."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from kit.mail.post import Letter


def compose(letter: Letter, *, sender: str, recipient: str, message_id: str, at: datetime) -> EmailMessage:
    """The whole message. The same letter has the same Message-ID and Date at every attempt.

    Raises ValueError for a line break in any header: nobody adds headers of their own.
    """
    message = EmailMessage(policy=SMTP)
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
