"""What a visitor does on the form, and sees there."""

from playwright.async_api import Page, expect


async def look_up(page: Page, number: str, *, birth_date: str | None = None, pin: str | None = None) -> None:
    """Type what the form asks for, over what stands there, and press the button."""
    await page.locator("#candidate_number").fill(number)
    if birth_date is not None:
        await page.locator("#birth_date").fill(birth_date)
    if pin is not None:
        await page.locator("#pin").fill(pin)
    await page.locator("form button").click()


async def sees_card(page: Page, *shown: str) -> None:
    """The card of a result, and on it all of `shown`."""
    card = page.locator(".result")
    await expect(card).to_be_visible()
    for words in shown:
        await expect(card).to_contain_text(words)


async def sees_heading(page: Page, words: str) -> None:
    """A page with this heading."""
    await expect(page.get_by_role("heading", level=1, name=words)).to_be_visible()


async def still_has_typed(page: Page, **typed: str) -> None:
    """The fields hold what was typed into them."""
    for field, value in typed.items():
        await expect(page.locator(f"#{field}")).to_have_value(value)
