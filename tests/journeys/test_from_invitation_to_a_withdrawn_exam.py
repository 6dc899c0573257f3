"""An exam goes from two people to the public and back again, and the record tells of every step.

Cô Hiền is invited by letter and prepares an exam; ông Hùng approves it on his phone; it opens at its second; Minh sees
his scores; ông Hùng takes them down; ông Nam reads of it in the record. Cô Thu works elsewhere and sees nothing.
"""

import asyncio
import io
from datetime import datetime, timedelta

import asyncpg
import httpx
import openpyxl
import pytest
from playwright.async_api import Browser, Page, expect

from kit.clock import VIETNAM, utc_now
from tests.browser.at_work import AtWork
from tests.browser.looking_up import look_up, sees_card
from tests.browser.watch import Watch
from tests.journeys.vigil import Vigil, last_answer
from tests.people import AN, HIEN, HUNG, MINH, NAM, THU, Person
from tests.server.running import Running, reachable_folder, running
from units.record.words import ACTIONS

EXAM, NAME, SCHOOL = "thi-thu-2027", "Kỳ thi thử tốt nghiệp THPT năm 2027", "thpt-song-xanh"
DESK, API, PAGE = f"/can-bo/ky-thi/{EXAM}", f"/api/v1/exams/{EXAM}", f"/tra-cuu/diem-thi/{EXAM}"
RESULT = f"{API}/results/{MINH.number}"
# Time for the second person to read, and much to spare on a busy machine.
AHEAD = timedelta(seconds=20)
# The first is some ten times what it takes; the second is promised.
OPENS_WITHIN, IS_DOWN_WITHIN = timedelta(seconds=0.5), timedelta(seconds=10)
HEADINGS = "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn"
MISTAKEN = f"{HEADINGS}\n{MINH.number},{MINH.name},01/02/2008,82.5,7.5\n{AN.number},{AN.name},30/11/2008,4,rớt\n"
RIGHT = f"{HEADINGS}\n{MINH.number},{MINH.name},01/02/2008,8.25,7.5\n{AN.number},{AN.name},30/11/2008,4,6.25\n"
# What the record has to tell, in this order: what was done, to what, by whom.
THE_EXAM, THE_RELEASE, COMMAND = f"kỳ thi {EXAM}", f"Công bố kết quả: {NAME}", "Dòng lệnh"
STEPS = [
    ("officer.invited", HUNG.name, COMMAND),
    ("two_factor.set_up", HUNG.name, HUNG.name),
    ("officer.invited", HIEN.name, HUNG.name),
    ("session.ended", HUNG.name, HUNG.name),
    ("two_factor.set_up", HIEN.name, HIEN.name),
    ("exam.added", THE_EXAM, HIEN.name),
    ("exam.file_received", THE_EXAM, HIEN.name),
    ("exam.workbook_read", THE_EXAM, HIEN.name),
    ("exam.problems_read", THE_EXAM, HIEN.name),
    ("exam.file_received", THE_EXAM, HIEN.name),
    ("exam.import_confirmed", THE_EXAM, HIEN.name),
    ("exam.uploaded", THE_EXAM, HIEN.name),
    ("approval.handed_in", THE_RELEASE, HIEN.name),
    ("session.began", HUNG.name, HUNG.name),
    ("exam.released", THE_EXAM, HUNG.name),
    ("approval.approved", THE_RELEASE, HUNG.name),
    ("exam.withdrawn", THE_EXAM, HUNG.name),
]


@pytest.fixture
def house():
    """A service as somebody starts it, with two web processes, a worker and its mail caught."""
    with reachable_folder() as folder, running(folder / "state", LOOKUP_RATE="6000/minute") as service:
        yield service


async def test_two_people_make_an_exam_public_and_one_takes_it_down(house: Running, browser: Browser):
    given_a_school(house)
    hung = await when_he_is_invited_by_hand(house, browser, HUNG, "so", "administrator", "approver")
    await when_he_invites_her(hung)
    hien = await when_she_follows_the_link_in_her_letter(house, browser)
    await when_she_sets_up_an_exam(hien)
    await then_a_file_with_mistakes_comes_back_with_all_of_them(hien)
    await when_the_corrected_file_is_imported(hien)
    thu = await when_he_is_invited_by_hand(house, browser, THU, SCHOOL, "editor", "approver")
    opens_at = in_a_while()
    async with Vigil(house.url, RESULT, opens_at) as vigil:
        approval = await when_she_hands_it_in(hien, opens_at)
        await when_he_signs_in_and_approves(hung, opens_at)
        minh = await then_the_public_waits(house, browser, opens_at)
        await then_she_who_works_elsewhere_sees_nothing(thu, approval)
        await vigil.sees_it_open(within=OPENS_WITHIN)
    await then_he_sees_his_scores(minh)
    await when_one_person_takes_it_down(house, hung, minh)
    nam = await when_he_is_invited_by_hand(house, browser, NAM, "so", "auditor")
    await then_the_record_tells_every_step(nam)
    await then_one_changed_byte_is_found(house)
    for officer in (hien, hung, thu, nam):
        await officer.goes_home()


# People


def given_a_school(house: Running) -> None:
    house.command("unit", "add", SCHOOL, "--kind", "upper-secondary", "--name", "Trường THPT Sông Xanh")


async def when_he_is_invited_by_hand(
    house: Running, browser: Browser, person: Person, unit: str, *roles: str
) -> AtWork:
    """By the operator, who passes the link on; whoever approves does so on a phone, in the dark."""
    who = ("officer", "add", person.email, "--unit", unit, "--name", person.full_name, "--show-link")
    links = [await asyncio.to_thread(house.command, *who, "--role", role) for role in roles]
    screen = {"width": 360, "scheme": "dark"} if person is HUNG else {}
    invited = await AtWork.sit_down(browser, house.url, person, **screen)
    await invited.takes_first_steps(links[-1].strip())
    return invited


async def when_he_invites_her(hung: AtWork) -> None:
    await hung.opens("/can-bo/nhan-su", "Cán bộ")
    await hung.follows("Mời cán bộ", "Mời cán bộ")
    await hung.page.get_by_label("Đơn vị").select_option("so")
    await hung.page.get_by_label("Vai trò").select_option("editor")
    await hung.fills(email=HIEN.email, full_name=HIEN.full_name)
    await hung.presses("Gửi lời mời")
    await hung.sees(HIEN.full_name)
    await hung.signs_out()


async def when_she_follows_the_link_in_her_letter(house: Running, browser: Browser) -> AtWork:
    """The worker has sent it to a mail server, which keeps it: on this machine it can be read."""
    hien = await AtWork.sit_down(browser, house.url, HIEN)
    letter = hien.page.locator(".item", has_text=HIEN.email).get_by_role("link", name="Lời mời")
    async with asyncio.timeout(20):
        while not await letter.count():
            await hien.opens("/can-bo/thu-da-gui", "Thư đã gửi")
    await letter.click()
    await hien.sees("Lời mời")
    link = await hien.page.get_by_role("link", name=f"{house.url}/can-bo/thiet-lap/").get_attribute("href")
    assert link
    await hien.takes_first_steps(link)
    return hien


# From a file to what waits


async def when_she_sets_up_an_exam(hien: AtWork) -> None:
    await hien.opens("/can-bo/ky-thi", "Kỳ thi")
    await hien.follows("Tạo kỳ thi", "Tạo kỳ thi")
    await hien.fills(code=EXAM, name=NAME, year="2027")
    await hien.page.get_by_label("Loại kỳ thi", exact=True).select_option("thpt")
    await hien.page.get_by_label("Chỉ cần số báo danh").check()
    await hien.presses("Lưu bản nháp")
    await hien.sees(NAME)


async def then_a_file_with_mistakes_comes_back_with_all_of_them(hien: AtWork) -> None:
    await sends_a_file(hien, MISTAKEN, "Có 2 lỗi trong tệp")
    async with hien.page.expect_download() as download:
        await hien.page.get_by_role("link", name="Tải tệp có đánh dấu").click()
    marked = openpyxl.load_workbook(io.BytesIO((await (await download.value).path()).read_bytes()))
    comments = {cell.coordinate for row in marked.worksheets[0].iter_rows() for cell in row if cell.comment}
    assert comments == {"D2", "E3"}
    await hien.follows("Xem tất cả", "Lỗi và cảnh báo")
    rows = await hien.page.locator("main tbody tr").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["2", "3"]
    assert "82.5" in rows[0]
    assert "rớt" in rows[1]


async def when_the_corrected_file_is_imported(hien: AtWork) -> None:
    await sends_a_file(hien, RIGHT, "Tệp đã sẵn sàng để nhập")
    await hien.presses("Nhập 2 kết quả")
    await hien.sees("Đã nhập diem.csv")


async def sends_a_file(hien: AtWork, content: str, then: str) -> None:
    await hien.opens(DESK, NAME)
    await hien.follows("Gửi tệp kết quả", "Gửi tệp kết quả")
    file = {"name": "diem.csv", "mimeType": "text/csv", "buffer": content.encode()}
    await hien.page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]  # one of its shapes
    await hien.presses("Gửi và kiểm tra")
    await hien.sees(then)


def in_a_while() -> datetime:
    """On a whole second, as forms take it."""
    return (utc_now() + AHEAD).replace(microsecond=0)


async def when_she_hands_it_in(hien: AtWork, opens_at: datetime) -> str:
    local = opens_at.astimezone(VIETNAM)
    await hien.follows("Trình công bố", "Trình công bố kết quả")
    await hien.page.get_by_label("Vào một thời điểm").check()
    await hien.fills(opens_day=f"{local:%Y-%m-%d}", opens_hour=f"{local:%H:%M:%S}")
    await hien.presses("Trình phê duyệt")
    await hien.sees(f"Công bố kết quả: {NAME}")
    await hien.opens(DESK, NAME)
    waits = hien.page.locator(".notice.wait").get_by_role("link")
    return str(await waits.get_attribute("href"))


# The second person, and everybody else


async def when_he_signs_in_and_approves(hung: AtWork, opens_at: datetime) -> None:
    await hung.signs_in()
    await hung.follows(f"Công bố kết quả: {NAME}", f"Công bố kết quả: {NAME}")
    changes = hung.page.locator("main")
    local = opens_at.astimezone(VIETNAM)
    for shown in ("Kết quả mới", HIEN.name, f"{local.hour} giờ {local:%M}"):
        await expect(changes).to_contain_text(shown)
    await hung.follows("Phê duyệt…", "Phê duyệt nội dung này?")
    await hung.presses("Phê duyệt")
    await expect(hung.page.get_by_role("main").get_by_role("status").first).to_contain_text("Đã phê duyệt")
    assert utc_now() < opens_at, "This machine is too busy: the moment came before the approval."


async def then_the_public_waits(house: Running, browser: Browser, opens_at: datetime) -> Page:
    """Minh opens the page too early, in a browser that brings nothing and keeps nothing."""
    context = await browser.new_context(base_url=house.url, viewport={"width": 360, "height": 740}, locale="vi-VN")
    watch, minh = Watch(context, house.url), await context.new_page()
    await minh.goto(PAGE)
    await expect(minh.get_by_role("timer")).to_be_visible()
    assert not await minh.locator("form").count()
    assert not await watch.troubles()
    assert await state_of_the_exam(house) == ("sealed", opens_at)
    return minh


async def state_of_the_exam(house: Running) -> tuple[str, datetime | None]:
    """As programs read it: whether it is open, and when it opens."""
    async with httpx.AsyncClient(base_url=house.url) as anybody:
        exam = (await anybody.get(API)).json()
    return exam["state"], datetime.fromisoformat(exam["opens_at"]) if exam["opens_at"] else None


async def then_she_who_works_elsewhere_sees_nothing(thu: AtWork, approval: str) -> None:
    for path in (DESK, f"{DESK}/tep", f"{DESK}/go-bo", f"{DESK}/trinh-cong-bo", approval, f"{approval}/phe-duyet"):
        assert await thu.answers(path) == 404, path
    for path in ("/can-bo", "/can-bo/ky-thi", "/can-bo/phe-duyet", "/can-bo/don-vi"):
        assert await thu.answers(path) == 200, path
        assert NAME not in await thu.page.content(), path
    assert await thu.answers("/can-bo/nhat-ky") == 403


# Public, and down again


async def then_he_sees_his_scores(minh: Page) -> None:
    await expect(minh.get_by_label("Số báo danh")).to_be_visible()
    await look_up(minh, MINH.number)
    await sees_card(minh, MINH.number, "Toán", "8,25", "Ngữ văn", "7,50")
    assert MINH.name not in await minh.content()
    assert not await minh.context.cookies()


async def when_one_person_takes_it_down(house: Running, hung: AtWork, minh: Page) -> None:
    await hung.opens(DESK, NAME)
    await hung.follows("Gỡ bỏ kết quả", "Gỡ bỏ kết quả")
    await hung.fills(reason="Sai dữ liệu của một hội đồng")
    pressed_at = utc_now()
    await hung.presses("Gỡ bỏ ngay")
    assert await last_answer(house.url, RESULT) < pressed_at + IS_DOWN_WITHIN
    await hung.sees("Kết quả đã được gỡ bỏ")
    await expect(hung.page.get_by_role("main")).to_contain_text("2 trên 2")
    await minh.goto(PAGE)
    await expect(minh.get_by_text("Thông tin đã được gỡ bỏ")).to_be_visible()
    assert await state_of_the_exam(house) == ("withdrawn", None)
    await minh.context.close()


# The record


async def then_the_record_tells_every_step(nam: AtWork) -> None:
    await nam.opens("/can-bo/nhat-ky", "Nhật ký hệ thống")
    found: list[tuple[str, str, str]] = []
    while True:
        found += await nam.page.evaluate(_ENTRIES)
        if not await nam.page.locator("a[rel=next]").count():
            break
        await nam.follows("Xem các mục cũ hơn", "Nhật ký hệ thống")
    entries = iter([tuple(entry) for entry in reversed(found)])
    for action, about, who in STEPS:
        assert (ACTIONS[action], about, who) in entries, (action, about, who, found)


_ENTRIES = """() => [...document.querySelectorAll("article.entry")].map(entry => [
  entry.querySelector(".entry-what").firstChild.textContent.replace(/:\\s*$/, ""),
  entry.querySelector(".entry-about")?.textContent ?? "",
  entry.querySelector(".note b").textContent,
])"""


async def then_one_changed_byte_is_found(house: Running) -> None:
    assert "The record is well" in await asyncio.to_thread(house.command, "audit", "verify")
    superuser = await asyncpg.connect(house.service.database_owner_url, user="postgres")
    try:
        number = await superuser.fetchval(_CHANGED)
        said = await asyncio.to_thread(house.command, "audit", "verify", code=1)
        assert f"Number {number} (" in said
        assert "the entry is not as it was written" in said
        await superuser.fetchval(_CHANGED)
    finally:
        await superuser.close()
    assert "The record is well" in await asyncio.to_thread(house.command, "audit", "verify")


# One hexadecimal digit of one entry becomes another, and back again.
_CHANGED = """
with changed as (
  update units.record_entries
  set request_id = translate(left(request_id, 1), '0123456789abcdef', '1032547698badcfe') || substr(request_id, 2)
  where action = 'approval.approved' returning xid, id, at
)
select number from units.record_chain natural join changed
"""
