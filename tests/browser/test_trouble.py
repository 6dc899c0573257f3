"""A crowd, a slow answer, no network: the page says so kindly, tries again, and loses nothing that was typed."""

import asyncio
import contextlib

import asyncpg
import msgspec
import pytest
from playwright.async_api import expect

import server.app
from server.setting_values import rate
from server.settings import Settings
from tests.browser.exams import PAGE, given_an_open_exam
from tests.browser.looking_up import look_up, sees_card, sees_heading, still_has_typed
from tests.people import AN, MINH


@pytest.fixture
def settings(settings: Settings, monkeypatch) -> Settings:
    """A service with little patience, for visitors and for its database."""
    monkeypatch.setattr(server.app, "_ANSWER_SECONDS", 3)
    return msgspec.structs.replace(settings, lookup_rate=rate("2/4second"), wrong_factor_rate=rate("2/15minute"))


@pytest.fixture
def busy_database(database):
    """`async with busy_database():` no result is found meanwhile, and none is refused."""

    @contextlib.asynccontextmanager
    async def hold():
        holder = await asyncpg.connect(database.owner_url)
        async with holder.transaction():
            await holder.execute("lock table lookup.results in access exclusive mode")
            yield
        await holder.close()

    return hold


async def test_whoever_comes_too_often_waits_and_is_served(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    for _ in range(2):
        await look_up(page, AN.number)
        await sees_card(page, AN.number)
        await page.get_by_role("link", name="Tra cứu số khác").click()
    await look_up(page, MINH.number)
    await expect(page.get_by_role("status")).to_contain_text("Đang có rất nhiều người tra cứu.")
    await still_has_typed(page, candidate_number=MINH.number)
    await sees_card(page, MINH.number)


async def test_whoever_must_wait_for_long_is_told_how_long(connection, service, page):
    await given_an_open_exam(connection, service, policy="birth-date")
    await page.goto(PAGE)
    for _ in range(2):
        await look_up(page, MINH.number, birth_date="02/01/2008")
        await sees_heading(page, "Chưa tìm thấy kết quả")
    await asyncio.sleep(2)
    await look_up(page, MINH.number, birth_date="03/01/2008")
    await sees_heading(page, "Số báo danh này đã được thử quá nhiều lần")
    await expect(page.get_by_text("thử lại sau 15 phút")).to_be_visible()
    await page.go_back()
    await still_has_typed(page, candidate_number=MINH.number, birth_date="03/01/2008")


@pytest.mark.parametrize("width", [360], ids=["phone"], indirect=True)
async def test_a_slow_service_is_waited_for_and_asked_again(connection, service, page, busy_database):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    async with busy_database():
        await look_up(page, MINH.number)
        await expect(page.get_by_role("status")).to_contain_text("Đang tra cứu, xin đợi trong giây lát…")
        await expect(page.get_by_role("status")).to_contain_text("Đang có rất nhiều người tra cứu.")
        await still_has_typed(page, candidate_number=MINH.number)
    await sees_card(page, MINH.number)


async def test_without_a_network_nothing_is_lost_and_the_button_works_again(connection, service, page, context):
    await given_an_open_exam(connection, service, policy="birth-date")
    await page.goto(PAGE)
    await context.set_offline(True)
    await look_up(page, MINH.number, birth_date="1/2/2008")
    await expect(page.get_by_role("status")).to_contain_text("Chưa kết nối được với hệ thống.")
    await still_has_typed(page, candidate_number=MINH.number, birth_date="1/2/2008")
    await context.set_offline(False)
    await page.get_by_role("button", name="Tra cứu điểm").click()
    await sees_card(page, MINH.number)
