"""A browser of few words at the officers' door: it keeps cookies as browsers do, and posts the forms it is given."""

import re
from html import unescape
from urllib.parse import urlsplit

import httpx
import msgspec

from kit.mail.post import Letter, unseal
from tests.officers import PASSWORD, code_at, keys_of
from units.officers.open_forms import COOKIE as FORM_COOKIE
from units.officers.sessions import COOKIE as SESSION_COOKIE

SIGN_IN, CODE = "/can-bo/dang-nhap", "/can-bo/xac-thuc"


class Browser:
    """httpx keeps `__Host-` cookies to itself on http, so cookies are kept here."""

    def __init__(self, service, address: str = "203.0.113.7", **cookies: str) -> None:
        self.client: httpx.AsyncClient = service.visitor(address)
        self.home = str(self.client.base_url).rstrip("/")
        self.cookies = dict(cookies)
        self.page = ""
        self.set_cookies: list[str] = []

    @property
    def session(self) -> str | None:
        return self.cookies.get(SESSION_COOKIE)

    async def open(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a page; its forms can be sent afterwards."""
        return self._take(await self.client.get(path, headers=self._headers() | headers))

    async def send(self, path: str, *, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Send the form of the page with these fields filled in."""
        hidden = {
            name: unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.page)
        }
        told = self._headers() | {"Origin": self.home} | (headers or {})
        return self._take(await self.client.post(path, data=hidden | fields, headers=told))

    async def give_password(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        """The first factor."""
        await self.open(SIGN_IN)
        return await self.send(SIGN_IN, email=email, password=password, **fields)

    async def give_code(self, code: str, **fields: str) -> httpx.Response:
        """The second factor."""
        await self.open(CODE)
        return await self.send(CODE, code=code, **fields)

    async def sign_in(self, officer, now, *, steps: int = 0) -> httpx.Response:
        """Both."""
        answer = await self.give_password(officer.email)
        assert answer.status_code == 303, answer.text
        answer = await self.give_code(code_at(now, steps=steps))
        assert answer.status_code == 303, answer.text
        return answer

    async def is_in(self) -> bool:
        """Whether the account page shows itself."""
        return (await self.open("/can-bo/tai-khoan")).status_code == 200

    def _headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def _take(self, answer: httpx.Response) -> httpx.Response:
        self.set_cookies = answer.headers.get_list("set-cookie")
        for line in self.set_cookies:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0].strip('"')
            if not self.cookies[name]:
                del self.cookies[name]
        self.page = answer.text
        return answer


async def letters(connection, settings, kind: str) -> list[tuple[str, str]]:
    """Address and text of the letters of one kind that were queued, the oldest first."""
    rows = await connection.fetch(
        "select key, recipient, sealed from kit.mails where key like $1 || ':%' order by queued_at, key", kind
    )
    keys = keys_of(settings)
    opened = [(row["recipient"], unseal(keys, row["key"], row["sealed"])) for row in rows]
    return [(address, msgspec.json.decode(text, type=Letter).text) for address, text in opened]


def path_in(text: str) -> str:
    """Where the link in a letter leads, without the host."""
    return urlsplit(re.findall(r"https?://\S+", text)[0]).path


__all__ = ["CODE", "FORM_COOKIE", "SESSION_COOKIE", "SIGN_IN", "Browser", "letters", "path_in"]
