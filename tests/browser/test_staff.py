"""Staff in a real browser: invited, given a role, let go; by keyboard, on a phone, without a script, clean for axe."""

import pytest
from playwright.async_api import expect

from kit.keys import KeyRing
from tests.browser.officers import come_in
from tests.browser.test_accessibility import then_axe_finds_nothing
from tests.officers import given_officer
from tests.units.officers.staff import given_office

HERE = "/can-bo/nhan-su"


@pytest.fixture
async def office(connection, settings, service):
    office = await given_office(connection, KeyRing(settings.keys_folder))
    await service.hears_all_changes()
    return office


@pytest.fixture
async def hoa(office):
    """The ward's administrator."""
    return await given_officer(
        office.connection, "hoa", ("phuong", "administrator"), salutation="Ông", full_name="Trần Quốc Hòa",
        position="Trưởng phòng Văn hóa - Xã hội",
    )  # fmt: skip


@pytest.fixture
async def lan(office):
    """The ward's editor and approver, with work that waits."""
    lan = await given_officer(
        office.connection, "lan", ("phuong", "editor"), ("phuong", "approver"), salutation="Cô", full_name="Vũ Thu Lan"
    )
    await office.connection.execute(
        "insert into units.approvals (kind, about, unit_code, decided_in, payload, preview, prepared_by, handed_in_by,"
        " looked_after_by, handed_in_at, state) values ('notice', 'a', 'phuong', 'phuong', '{}', $2,"
        " array[$1::text::uuid], $1::text::uuid, $1::text::uuid, $3, 'waiting')",
        lan.id,
        '{"title": "Thông báo tuyển sinh lớp 6"}',
        office.now,
    )
    await given_officer(office.connection, "chi", ("thcs", "reviewer"), full_name="Phạm Chi", state="asleep")
    await office.invite(None, "moi@phuong.gov.vn", "phuong", "editor", full_name="Đỗ Thanh Mai", salutation="Cô")
    return lan


async def test_somebody_is_invited_and_let_go(office, service, page, hoa, lan):
    chi = await given_officer(office.connection, "nga", ("phuong", "editor"), full_name="Ngô Thị Nga")
    await come_in(page.context, service, hoa)
    await page.goto(HERE)
    await page.get_by_role("link", name="Mời cán bộ").click()
    await page.get_by_role("button", name="Gửi lời mời").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Đơn vị").select_option("thcs")
    await page.get_by_label("Vai trò").select_option("approver")
    await page.get_by_label("Thư điện tử công vụ").fill("thien@thcsbenmay.edu.vn")
    await page.get_by_label("Họ và tên").fill("Phạm Đức Thiện")
    await page.get_by_role("button", name="Gửi lời mời").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Phạm Đức Thiện")
    await page.get_by_role("link", name="Cán bộ", exact=True).last.click()
    await page.get_by_label("Họ tên, chức vụ, thư điện tử").fill("vu thu lan")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Cô Vũ Thu Lan").click()
    await page.get_by_role("link", name="Ngừng tài khoản").click()
    await page.get_by_label("Lý do").fill("Nghỉ hưu")
    await page.get_by_label("Người nhận việc").select_option(chi.id)
    await page.get_by_role("button", name="Ngừng tài khoản").click()
    await expect(page.locator(".page-head .tag")).to_have_text("Đã ngừng")
    assert (await office.seen(lan)).state == "disabled"


@pytest.mark.parametrize("java_script_enabled", [False])
async def test_without_a_script_it_works_too(office, service, browser, java_script_enabled, hoa, lan, width):
    context = await browser.new_context(
        base_url=service.url, java_script_enabled=java_script_enabled, viewport={"width": width, "height": 740}
    )
    await come_in(context, service, hoa)
    page = await context.new_page()
    await page.goto(f"{HERE}/{lan.id}")
    await page.get_by_role("link", name="Thu hồi vai trò Người phê duyệt").click()
    await page.get_by_role("button", name="Thu hồi vai trò").click()
    await expect(page.get_by_role("link", name="Thu hồi vai trò Người phê duyệt")).to_have_count(0)
    await context.close()
    assert [held.role for held in (await office.seen(lan)).roles] == ["editor"]


async def test_every_page_is_clean_and_fits(office, service, page, hoa, lan, width):
    await come_in(page.context, service, hoa)
    paths = (
        "", "?don-vi=thcs", "?vai-tro=operator", "/moi", "/ten-mien/thcs", f"/{lan.id}", f"/{lan.id}/the",
        f"/{lan.id}/ngung", f"/{lan.id}/xac-thuc-hai-lop", f"/{lan.id}/ban-giao", f"/{lan.id}/thu-hoi/phuong/editor",
        f"/{hoa.id}",
    )  # fmt: skip
    for path in paths:
        await page.goto(HERE + path)
        await then_axe_finds_nothing(page)
        await page.set_viewport_size({"width": width, "height": 740})
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
    await page.goto(f"{HERE}/moi")
    await page.get_by_role("button", name="Gửi lời mời").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await then_axe_finds_nothing(page)
