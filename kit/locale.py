"""Vietnamese first, English one tap away: words, numbers and moments as each language writes them."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from kit.clock import VIETNAM

Locale = Literal["vi", "en"]
LOCALES: tuple[Locale, ...] = ("vi", "en")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_FEBRUARY = 2
_SHORT_WAIT = 90


def locale_of(path: str) -> Locale:
    """The language of an address: English under `/en`, Vietnamese everywhere else."""
    return "en" if path == "/en" or path.startswith("/en/") else "vi"


def without_locale(path: str) -> str:
    """The Vietnamese address of the same page: `/en/huong-dan` and `/huong-dan` are one page."""
    return (path.removeprefix("/en") or "/") if locale_of(path) == "en" else path


def in_locale(path: str, locale: Locale) -> str:
    """Where the page at the Vietnamese address `path` stands in `locale`."""
    return path if locale == "vi" else ("/en" + path).rstrip("/")


def read_words(path: Path) -> Callable[[str], str]:
    """A gettext function from a PO file; what the file does not translate stays as it is."""
    with path.open("rb") as file:
        words = {message.id: message.string for message in read_po(file) if message.id and message.string}
    return lambda text: str(words.get(text, text))


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """A score with its paper's decimals: `8,25` in Vietnamese, `8.25` in English."""
    text = f"{value:.{decimals}f}"
    return text.replace(".", ",") if locale == "vi" else text


def count(value: int, locale: Locale) -> str:
    """A count with grouped digits: `20.000` in Vietnamese, `20,000` in English."""
    text = f"{value:,}"
    return text.replace(",", ".") if locale == "vi" else text


def day(value: date, locale: Locale) -> str:
    """A date as official papers write it: `01/7/2026`, with a zero before days under 10 and months 1 and 2.

    Of a moment, the day on the clock of Vietnam.
    """
    if isinstance(value, datetime):
        value = value.astimezone(VIETNAM)
    if locale == "en":
        return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"
    month = f"{value.month:02d}" if value.month <= _FEBRUARY else f"{value.month}"
    return f"{value.day:02d}/{month}/{value.year}"


def moment(value: datetime, locale: Locale, *, weekday: bool = False) -> Markup:
    """A moment on the clock of Vietnam as a `<time>` element: `8 giờ 00, ngày 01/7/2026`; `08:00, 1 July 2026`.

    With `weekday`, for what somebody decides about: `8 giờ 00, thứ Tư ngày 01/7/2026`; `08:00, Wednesday 1 July 2026`.
    """
    local = value.astimezone(VIETNAM)
    return Markup('<time datetime="{}">{}</time>').format(
        local.isoformat(timespec="seconds"), moment_in_words(local, locale, weekday=weekday)
    )


def moment_in_words(value: datetime, locale: Locale = "vi", *, weekday: bool = False) -> str:
    """The same as plain text. A moment that somebody set to the second tells it; of what has happened nobody asks."""
    local = value.astimezone(VIETNAM)
    named = f"{_WEEKDAYS[locale][local.weekday()]} " if weekday else ""
    to_the_second = local.second and not local.microsecond
    if locale == "en":
        clock = f"{local:%H:%M:%S}" if to_the_second else f"{local:%H:%M}"
        return f"{clock}, {named}{day(local, locale)}"
    seconds = f" phút {local.second:02d} giây" if to_the_second else ""
    return f"{local.hour} giờ {local.minute:02d}{seconds}, {named}ngày {day(local, locale)}"


def wait(seconds: int, locale: Locale) -> str:
    """How long to wait, in words: seconds up to a minute and a half, then whole minutes, rounded up."""
    amount, words = (seconds, ("giây", "second")) if seconds <= _SHORT_WAIT else (-(-seconds // 60), ("phút", "minute"))
    if locale == "vi":
        return f"{amount} {words[0]}"
    return f"{amount} {words[1]}" if amount == 1 else f"{amount} {words[1]}s"


def with_code(text: str) -> Markup:
    """Plain text in which what stands between backticks is code, as in the sentences of an OpenAPI document."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def vietnamese(text: str, locale: Locale) -> Markup:
    """Text that exists in Vietnamese only; on an English page it says so to screen readers."""
    return escape(text) if locale == "vi" else Markup('<span lang="vi">{}</span>').format(text)


def monogram(name: str) -> str:
    """The letters of a unit's mark: first letters of the last two words (Sở ... tỉnh Vân Giang: `VG`)."""
    return "".join(word[0] for word in re.findall(r"\w+", name)[-2:]).upper()
