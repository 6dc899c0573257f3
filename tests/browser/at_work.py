"""Officers at browsers of their own: they come in by letter, sign in with what their authenticator shows, and look."""

import asyncio
import json
import os
import re
import time
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect
from pyotp.totp import TOTP

from tests.browser.test_accessibility import WCAG_2_2_AA
from tests.browser.watch import Watch, look_at
from tests.people import Person

# Where somebody looks at what they saw: PICTURES=/some/folder.
PICTURES = os.environ.get("PICTURES", "")
_PASSWORD = "gió mùa thổi qua cánh đồng 26"
_STEP_SECONDS = 30
_AXE = f"axe.run({json.dumps({'runOnly': WCAG_2_2_AA, 'resultTypes': ['violations']})}).then(found => found.violations)"


class AtWork:
    """Somebody before a screen. Each page that they look at has to be clean for axe, and to keep our rules."""

    def __init__(self, person: Person, context: BrowserContext, page: Page, home: str) -> None:
        self.person, self.context, self.page = person, context, page
        self._watch = Watch(context, home)
        self._authenticator: TOTP | None = None
        self._last_step = 0
        self._seen: set[str] = set()

    @classmethod
    async def sit_down(
        cls, browser: Browser, home: str, person: Person, *, width: int = 1280, scheme: str = "light"
    ) -> "AtWork":
        """A browser that has never been here."""
        context = await browser.new_context(
            base_url=home,
            viewport={"width": width, "height": 800},
            color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
            reduced_motion="reduce",
            locale="vi-VN",
        )
        return cls(person, context, await context.new_page(), home)

    async def takes_first_steps(self, link: str) -> None:
        """From the link in the letter to the first page: card, password, authenticator, recovery codes."""
        await self.page.goto(link)
        await self.sees("Thiết lập tài khoản")
        await self.presses("Bắt đầu")
        await self.sees("Thông tin và mật khẩu")
        await self.page.locator("#salutation").select_option(self.person.salutation)
        await self.fills(full_name=self.person.full_name, position=self.person.position)
        await self.fills(password=_PASSWORD, repeated=_PASSWORD)
        await self.presses("Tiếp tục")
        await self.sees("Thiết lập xác thực hai lớp")
        await self.page.locator("summary", has_text="Không quét được").click()
        shown = await self.page.locator(".manual-key code").inner_text()
        self._authenticator = TOTP(re.sub(r"\s", "", shown))
        await self.fills(code=await self._code())
        await self.presses("Xác nhận")
        await self.sees("Mã dự phòng")
        await expect(self.page.locator(".recovery-codes li")).to_have_count(10)
        await self.page.get_by_role("link", name="Đã cất giữ").click()
        await self.sees("Việc của tôi")

    async def signs_in(self) -> None:
        """Password, then code."""
        await self.page.goto("/can-bo")
        await self.sees("Đăng nhập")
        await self.fills(email=self.person.email, password=_PASSWORD)
        await self.presses("Tiếp tục")
        await self.sees("Xác thực hai lớp")
        await self.fills(code=await self._code())
        await self.presses("Đăng nhập")
        await self.sees("Việc của tôi")

    async def signs_out(self) -> None:
        """By the menu behind the name."""
        await self.page.locator(".signed-in summary").click()
        await self.presses("Đăng xuất")
        await self.sees("Đăng nhập")

    async def opens(self, path: str, heading: str) -> None:
        """Go there, and find this page."""
        await self.page.goto(path)
        await self.sees(heading)

    async def follows(self, name: str, heading: str, *, within: Locator | None = None) -> None:
        """Press a link, and find this page."""
        await (within or self.page.get_by_role("main")).get_by_role("link", name=name).first.click()
        await self.sees(heading)

    async def presses(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name, exact=True).click()

    async def fills(self, **typed: str) -> None:
        """Type into fields by their names."""
        for field, text in typed.items():
            await self.page.locator(f"#{field}").fill(text)

    async def sees(self, heading: str) -> None:
        """A page with this heading, which everyone can use."""
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)
        if heading not in self._seen:
            self._seen.add(heading)
            await self._look(heading)

    async def answers(self, path: str) -> int:
        """The status of a page."""
        answer = await self.page.goto(path)
        assert answer
        return answer.status

    async def goes_home(self) -> None:
        """Leave. Nothing was wrong with any page."""
        troubles = await self._watch.troubles()
        assert not troubles, troubles
        await self.context.close()

    async def _look(self, heading: str) -> None:
        if PICTURES:
            name = re.sub(r"\W+", "-", f"{self.person.full_name} {heading}")
            await self.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(AXE_SCRIPT)
        found = [f"{each['id']}: {each['nodes'][0]['html']}" for each in await self.page.evaluate(_AXE)]
        troubles = found + await look_at(self.page)
        assert not troubles, f"{heading}: {troubles}"

    async def _code(self) -> str:
        """What the authenticator shows; each code works once, and a phone may be half a minute ahead."""
        assert self._authenticator
        step = max(self._last_step + 1, _now())
        await asyncio.sleep(max(0, (step - 1) * _STEP_SECONDS - time.time()))
        self._last_step = step
        return self._authenticator.at(step * _STEP_SECONDS)


def _now() -> int:
    return int(time.time()) // _STEP_SECONDS
