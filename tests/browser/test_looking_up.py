"""Looking up in the browser: mistakes are told where they are, nothing typed is lost, Back goes back."""

from playwright.async_api import expect

from lookup.pins import derive_pin
from lookup.releases import withdraw
from tests.browser.exams import EXAM, PAGE, given_a_corrected_score, given_an_open_exam
from tests.browser.looking_up import look_up, sees_card, sees_heading, still_has_typed
from tests.people import AN, MINH

NAME = "Kỳ thi tốt nghiệp THPT năm 2026"
UNKNOWN = "99999999"


async def test_a_mistake_is_told_at_the_top_and_beside_its_field(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, "9900")
    await expect(page.get_by_role("alert")).to_be_focused()
    await expect(page.get_by_role("alert")).to_contain_text("Số báo danh chưa đúng mẫu của kỳ thi này")
    await expect(page).to_have_title(f"Cần sửa: {NAME} - Sở Giáo dục và Đào tạo")
    field = page.get_by_label("Số báo danh")
    await still_has_typed(page, candidate_number="9900")
    await page.get_by_role("alert").get_by_role("link").click()
    await expect(field).to_be_focused()
    for part in (page.locator("label"), page.locator(".mistake"), field):
        await expect(part).to_be_in_viewport(ratio=1)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)


async def test_a_mistake_made_after_a_search_can_be_put_right_too(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, UNKNOWN)
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await look_up(page, "9900")
    await page.get_by_role("alert").get_by_role("link").click()
    await expect(page.get_by_label("Số báo danh")).to_be_focused()
    await still_has_typed(page, candidate_number="9900")
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await page.go_back()
    await still_has_typed(page, candidate_number=MINH.number)
    await page.go_back()
    await still_has_typed(page, candidate_number=MINH.number)
    await page.go_back()
    await still_has_typed(page, candidate_number=UNKNOWN)


async def test_an_unknown_number_is_answered_kindly_and_stays_in_its_field(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, UNKNOWN)
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await expect(page.get_by_text("Xin kiểm tra lại")).to_be_visible()
    await still_has_typed(page, candidate_number=UNKNOWN)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)


async def test_back_and_forward_show_what_was_there(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto("/tra-cuu/diem-thi")
    await page.get_by_role("link", name=NAME).click()
    await look_up(page, UNKNOWN)
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await page.go_back()
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await page.go_back()
    await still_has_typed(page, candidate_number=UNKNOWN)
    await sees_heading(page, NAME)
    await page.go_forward()
    await page.go_forward()
    await sees_card(page, MINH.number)
    for _ in range(3):
        await page.go_back()
    await sees_heading(page, "Tra cứu điểm thi")


async def test_the_next_in_the_family_finds_an_empty_form(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await page.get_by_role("link", name="Tra cứu số khác").click()
    await expect(page.get_by_label("Số báo danh")).to_be_focused()
    await still_has_typed(page, candidate_number="")
    await look_up(page, AN.number)
    await sees_card(page, AN.number, "4,00")
    await expect(page.locator("main")).not_to_contain_text(MINH.number)


async def test_after_reloading_a_card_there_is_an_empty_form(connection, service, page):
    """Whoever takes the phone next does not see it again."""
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number)
    await page.reload()
    await still_has_typed(page, candidate_number="")
    assert MINH.number not in await page.content()


async def test_a_birth_date_is_asked_for_and_kept_when_it_was_wrong(connection, service, page):
    await given_an_open_exam(connection, service, policy="birth-date")
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await expect(page.get_by_role("alert")).to_contain_text("Nhập ngày sinh của thí sinh.")
    await look_up(page, MINH.number, birth_date="30/2/2008")
    await expect(page.get_by_role("alert")).to_contain_text("Ngày này không có trong lịch.")
    await look_up(page, MINH.number, birth_date="02/01/2008")
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await expect(page.get_by_text("Ngày sinh có đúng như trên Giấy báo dự thi")).to_be_visible()
    await still_has_typed(page, candidate_number=MINH.number, birth_date="02/01/2008")
    await look_up(page, MINH.number, birth_date="1/2/2008")
    await sees_card(page, MINH.number, "8,25")


async def test_a_lookup_code_is_read_as_people_type_it(connection, service, page, pin_key):
    await given_an_open_exam(connection, service, policy="pin", show_name=True)
    pin = derive_pin(pin_key, EXAM, MINH.number)
    await page.goto(PAGE)
    await look_up(page, MINH.number, pin=derive_pin(pin_key, EXAM, AN.number))
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await look_up(page, MINH.number, pin=f"{pin[:5].lower()}-{pin[5:]} ")
    await sees_card(page, MINH.number, MINH.name, "8,25")


async def test_a_corrected_score_says_so(connection, service, page):
    exam = await given_an_open_exam(connection, service)
    await given_a_corrected_score(connection, service, exam)
    await page.goto(PAGE)
    await look_up(page, MINH.number)
    await sees_card(page, "8,75", "Điểm đã được cập nhật lúc", "Lý do: “Phúc khảo”.")


async def test_everything_is_one_tap_away_in_english(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await page.get_by_role("link", name="English").click()
    await sees_heading(page, "Upper-secondary graduation exam 2026")
    await look_up(page, "9900")
    await expect(page.get_by_role("alert")).to_be_focused()
    await look_up(page, UNKNOWN)
    await sees_heading(page, "No result found")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await look_up(page, MINH.number)
    await sees_card(page, MINH.number, "Mathematics", "8.25", "Physics", "9.00")
    await page.get_by_role("link", name="Tiếng Việt").click()
    await sees_heading(page, NAME)


async def test_a_withdrawn_exam_says_so_and_asks_for_nothing(connection, service, page):
    await given_an_open_exam(connection, service)
    await page.goto(PAGE)
    await withdraw(connection, EXAM, reason="Sai dữ liệu")
    await service.hears_all_changes()
    await look_up(page, MINH.number)
    await sees_heading(page, "Chưa tìm thấy kết quả")
    await page.goto(PAGE)
    await expect(page.get_by_text("Thông tin đã được gỡ bỏ")).to_be_visible()
    await expect(page.locator("form")).to_have_count(0)
    await page.get_by_role("link", name="Xem các kỳ thi khác").click()
    await sees_heading(page, "Tra cứu điểm thi")
