"""A phone that is challenged solves it by itself; without a script there is a page to wait on."""

from datetime import timedelta

import pytest
from playwright.async_api import Page, expect

from lookup.releases import release
from tests.browser.looking_up import look_up, sees_card, sees_heading
from tests.exams import Paper, given_exam, given_results
from tests.people import MINH, MORNING

PAGE, RESULTS = "/tra-cuu/diem-thi/thpt-2026", "/api/v1/exams/thpt-2026/results"
CLASS = range(200, 280)
# A five-year-old phone against this machine.
SLOW_PHONE = 6


async def given_a_collector_at_this_address(connection, service) -> str:
    """Somebody takes one number after the other; the next one is what this phone will ask for."""
    exam = await given_exam(connection)
    await given_results(connection, exam, [Paper(f"99000{place}", MINH.scores) for place in CLASS])
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()
    collector = service.visitor("127.0.0.1")
    for place in CLASS:
        if (await collector.get(f"{RESULTS}/99000{place}")).status_code != 200:
            return f"99000{place}"
    raise AssertionError("nobody was challenged")


@pytest.mark.parametrize("width", [360], ids=["phone"], indirect=True)
async def test_a_challenged_phone_gets_its_result_by_itself(connection, service, page: Page, context):
    number = await given_a_collector_at_this_address(connection, service)
    phone = await context.new_cdp_session(page)
    await page.goto(PAGE)
    await phone.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_PHONE})
    await look_up(page, number)
    await expect(page.get_by_role("status")).to_contain_text("Đang kiểm tra, xin đợi vài giây…")
    await sees_card(page, number, "8,25")
    assert page.url == service.url + PAGE


@pytest.mark.parametrize("java_script_enabled", [False])
async def test_without_a_script_there_is_a_page_to_wait(connection, service, clock, page: Page):
    number = await given_a_collector_at_this_address(connection, service)
    await page.goto(PAGE)
    await look_up(page, number)
    await sees_heading(page, "Xin đợi vài giây")
    await expect(page.get_by_text("Xin đợi 10 giây rồi bấm nút dưới đây.")).to_be_visible()
    clock.now += timedelta(seconds=3)
    await page.get_by_role("button", name="Xem kết quả").click()
    await expect(page.get_by_text("Xin đợi 7 giây rồi bấm nút dưới đây.")).to_be_visible()
    clock.now += timedelta(seconds=8)
    await page.get_by_role("button", name="Xem kết quả").click()
    await sees_card(page, number, "8,25")
    assert page.url == service.url + PAGE, "nothing of it stands in an address"


@pytest.fixture
def java_script_enabled() -> bool:
    return True


@pytest.fixture
def browser_context_args(browser_context_args: dict, java_script_enabled: bool) -> dict:
    return browser_context_args | {"java_script_enabled": java_script_enabled}
