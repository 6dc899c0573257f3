"""Approval in a real browser: what waits, the second look, the decision; by keyboard, on a phone, without a script."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from server.approval_kinds import KINDS
from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_stage
from units.approvals.approvals import find_approval, send_back

HERE = "/can-bo/phe-duyet"


@pytest.fixture
async def stage(connection, settings, monkeypatch, service):
    stage = await given_stage(connection, settings)
    monkeypatch.setitem(KINDS, "notice", stage.notices)
    await service.hears_all_changes()
    return stage


@pytest.fixture
async def lan(connection, stage):
    return await given_officer(
        connection, "lan", ("thpt-hoa-sua", "editor"), salutation="Cô", full_name="Nguyễn Thị Phương Lan"
    )


@pytest.fixture
async def hung(connection, stage):
    return await given_officer(
        connection, "hung", ("thpt-hoa-sua", "approver"), ("so", "approver"), ("so", "administrator"),
        salutation="Thầy", full_name="Trần Quốc Hùng",
    )  # fmt: skip


async def test_something_is_approved_from_the_first_page_to_the_last_word(connection, stage, service, page, lan, hung):
    waiting = await stage.hand_in(connection, lan, takes_effect_at=stage.now + timedelta(hours=1))
    await come_in(page.context, service, hung)
    await page.goto("/can-bo")
    await expect(page.locator(".areas .count-badge")).to_have_text("1 chờ phê duyệt")
    await page.get_by_role("link", name="Thông báo a").click()
    await expect(page.locator("[data-part=minutes]")).not_to_have_text("–")
    await page.get_by_role("link", name="Phê duyệt…").click()
    await page.get_by_role("button", name="Phê duyệt").click()
    await expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("Đã phê duyệt")
    await expect(page.locator(".areas .count-badge")).to_have_count(0)
    assert (await find_approval(connection, waiting.id)).state == "approved"


async def test_the_keyboard_alone_sends_something_back(connection, stage, service, page, lan, hung):
    waiting = await stage.hand_in(connection, lan)
    await come_in(page.context, service, hung)
    await page.goto(f"{HERE}/{waiting.id}")
    await press_to(page, "Trả lại…")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/{waiting.id}/tra-lai")
    await press_to(page, "Trả lại để chỉnh sửa")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_role("alert").get_by_role("link").press("Enter")
    await expect(page.get_by_label("Lý do trả lại")).to_be_focused()
    await page.keyboard.type("Thiếu chữ ký")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("Đã trả lại")
    assert (await find_approval(connection, waiting.id)).reason == "Thiếu chữ ký"


async def test_without_a_script_everything_can_be_decided(connection, stage, service, browser, lan, hung):
    waiting = await stage.hand_in(connection, lan, takes_effect_at=stage.now - timedelta(hours=1))
    context = await browser.new_context(base_url=service.url, java_script_enabled=False)
    await come_in(context, service, hung)
    page = await context.new_page()
    await page.goto(HERE)
    await page.get_by_role("link", name="Thông báo a").click()
    await page.get_by_role("link", name="Phê duyệt…").click()
    await page.get_by_role("button", name="Phê duyệt và công khai ngay").click()
    await expect(page.get_by_role("heading", name="Thông báo a")).to_be_visible()
    await expect(page.get_by_role("main").get_by_role("status").first).to_contain_text("Đã phê duyệt")
    assert (await find_approval(connection, waiting.id)).state == "approved"
    await context.close()


@pytest.mark.parametrize("width", [360], ids=["both"], indirect=True)
async def test_every_page_is_clean_in_both_widths_light_and_dark(connection, stage, service, page, lan, hung):
    title = "về lịch thi và thời điểm công bố điểm thi vào lớp 10 chuyên"
    waiting = await stage.hand_in(
        connection, lan, title, takes_effect_at=stage.now + timedelta(days=2), note="Xem giúp"
    )
    late = await stage.hand_in(connection, lan, "muộn", takes_effect_at=stage.now - timedelta(days=2))
    minh = await given_officer(connection, "minh", ("so", "approver"), full_name="Đỗ Văn Minh")
    own = await stage.hand_in(connection, hung, "của Hùng")
    returned = await stage.hand_in(connection, hung, "bị trả")
    await send_back(connection, stage.kinds, returned.id, "Thiếu chữ ký", **stage.deciding(minh))
    await appoint(connection, stage, hung, lan)
    await come_in(page.context, service, hung)
    for path in (
        "/can-bo", HERE, f"{HERE}?muc=da-xong", f"{HERE}?don-vi=so", f"{HERE}/{waiting.id}", f"{HERE}/{late.id}",
        f"{HERE}/{own.id}", f"{HERE}/{returned.id}", f"{HERE}/{waiting.id}/phe-duyet", f"{HERE}/{late.id}/rut-lai",
        f"{HERE}/uy-quyen", f"{HERE}/x",
    ):  # fmt: skip
        await page.goto(path)
        await page.locator("details summary").first.click()
        await then_axe_finds_nothing(page)
        await then_nothing_scrolls_sideways(page)
    await page.goto(f"{HERE}/{waiting.id}/tra-lai")
    await page.get_by_role("button", name="Trả lại").click()
    await then_axe_finds_nothing(page)
    await page.goto(f"{HERE}/uy-quyen")
    await page.get_by_role("button", name="Ủy quyền", exact=True).click()
    await then_axe_finds_nothing(page)


@pytest.mark.parametrize("width", [320], ids=["smallest-phone"], indirect=True)
async def test_the_smallest_phone_and_the_largest_letters_still_fit(connection, stage, service, page, lan, hung):
    waiting = await stage.hand_in(connection, lan, takes_effect_at=stage.now + timedelta(days=2))
    await come_in(page.context, service, hung)
    for letters in (16, 32):
        browser = await page.context.new_cdp_session(page)
        await browser.send("Page.setFontSizes", {"fontSizes": {"standard": letters, "fixed": letters}})
        for path in ("/can-bo", HERE, f"{HERE}/{waiting.id}", f"{HERE}/{waiting.id}/phe-duyet", f"{HERE}/uy-quyen"):
            await page.goto(path)
            await then_nothing_scrolls_sideways(page)


async def press_to(page: Page, name: str) -> None:
    """Tab until what carries the name is reached, as somebody without a mouse."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if name == await page.evaluate("document.activeElement.textContent.trim()"):
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


async def then_nothing_scrolls_sideways(page: Page) -> None:
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0, page.url
