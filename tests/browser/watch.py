"""What no page of ours ever does: ask another host, break its own rules, leave something behind, scroll sideways."""

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response

from units.officers.sessions import COOKIE

_KEPT_IN_THE_TAB = "sessionStorage.length"
_TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
# Chromium says this of every answer from 400 on; answers are looked at themselves.
_ABOUT_AN_ANSWER = "Failed to load resource"
# Answers that a person is shown: a refusal is one of them.
_SHOWN = ("document", "fetch")
_FIRST_REFUSAL = 400


class Watch:
    """Follows every page of `context`, whose own service is at `home`."""

    def __init__(self, context: BrowserContext, home: str) -> None:
        self._context, self._home = context, f"{home}/"
        self._seen: list[str] = []
        self._visits_officers = False
        context.on("request", self._look_at_request)
        context.on("response", self._look_at_response)
        context.on("console", self._listen)
        context.on("weberror", lambda error: self._seen.append(f"script: {error.error}"))

    async def troubles(self) -> list[str]:
        """Everything noticed so far, and what lies about at the end."""
        left: dict = dict(await self._context.storage_state(indexed_db=True))
        # An officer who is signed in, and the browser she signed in with; the public's pages leave no cookie at all.
        if self._visits_officers:
            left["cookies"] = [cookie for cookie in left["cookies"] if not _is_an_officers(cookie)]
        kept = [f"keeps {name}: {things}" for name, things in left.items() if things]
        return self._seen + kept + [trouble for page in self._context.pages for trouble in await look_at(page)]

    def _look_at_request(self, request: Request) -> None:
        self._visits_officers |= request.url.startswith(f"{self._home}can-bo")
        if not request.url.startswith((self._home, "data:")):
            self._seen.append(f"asks another host: {request.url}")

    def _look_at_response(self, response: Response) -> None:
        if response.status >= _FIRST_REFUSAL and response.request.resource_type not in _SHOWN:
            self._seen.append(f"misses a part: {response.status} {response.url}")

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_ABOUT_AN_ANSWER):
            self._seen.append(f"console: {message.text}")


def _is_an_officers(cookie: dict) -> bool:
    return cookie["name"].startswith(COOKIE) and cookie["httpOnly"] and cookie["secure"]


async def look_at(page: Page) -> list[str]:
    """What is wrong with a page as it stands."""
    if page.url == "about:blank":
        return []
    troubles = ["keeps something in the tab's storage"] if await page.evaluate(_KEPT_IN_THE_TAB) else []
    return troubles + (["scrolls sideways"] if await page.evaluate(_TOO_WIDE) else [])
