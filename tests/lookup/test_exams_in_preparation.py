"""An editor's first page names the exams she has begun, each with its next step, and nothing that is handed in."""

import pytest

from tests.lookup.desk import SCHOOL, Office, batches_of, given_batch, given_draft, hand_in, send_file, text_of
from tests.lookup.desk import waiting as what_waits
from tests.lookup.test_exam_desk import approve

TITLE = "Kỳ thi đang chuẩn bị"
WRONG = "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn\n99000001,Nguyễn Hoàng Minh,01/02/2008,18.25,7.5\n"
RESULTS = WRONG.replace("18.25", "8.25")


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


@pytest.fixture
async def hien(office):
    """The department's editor, with a draft."""
    desk = await office.hien()
    await given_draft(desk)
    return desk


async def home(desk):
    return text_of(await desk.get("/can-bo"))


async def test_a_draft_stands_there_until_it_is_handed_in(hien):
    assert f"{TITLE} Kỳ thi thử lớp 12" in await home(hien)
    assert "Bản nháp" in await home(hien)
    await hien.submit("/can-bo/ky-thi/thi-thu/trinh-thong-tin")
    assert TITLE not in await home(hien)


async def test_a_file_stands_there_with_what_the_check_found(office, hien):
    sent = await send_file(hien, "thi-thu", WRONG, "lan-1.csv")
    assert "Đang xử lý tệp" in await home(hien)
    await office.work()
    assert "Tệp có 1 lỗi" in await home(hien)
    assert f'href="{sent.headers["location"]}"' in (await hien.get("/can-bo")).text


async def test_only_the_last_file_of_an_exam_counts(office, hien):
    for name, content in (("lan-1.csv", WRONG), ("lan-2.csv", RESULTS)):
        await send_file(hien, "thi-thu", content, name)
        await office.work()
    page = await home(hien)
    assert ("lan-1.csv" in page, "lan-2.csv" in page, "Chờ xác nhận nhập" in page) == (False, True, True)


async def test_a_file_that_is_no_table_is_named(office, hien):
    await send_file(hien, "thi-thu", b"PK\x03\x04 no table", "anh.xlsx")
    await office.work()
    assert "Không đọc được tệp" in await home(hien)


async def test_imported_results_stand_there_until_they_are_handed_in(office, hien, connection):
    await given_batch(office, hien)
    page = await home(hien)
    assert "2 kết quả chưa công bố" in page
    assert "Chưa trình công bố" in page
    assert "Bản nháp" not in page
    await hand_in(hien, await batches_of(connection))
    assert TITLE not in await home(hien)


async def test_a_file_that_holds_nothing_new_is_not_called_waiting(office, hien):
    await given_batch(office, hien, RESULTS)
    await send_file(hien, "thi-thu", RESULTS, "lai.csv")
    await office.work()
    assert "Tệp không có gì mới" in await home(hien)


async def test_what_is_public_is_no_longer_in_preparation(office, hien, connection):
    await given_batch(office, hien)
    await hand_in(hien, await batches_of(connection))
    await approve(await office.hung(), await what_waits(connection))
    assert TITLE not in await home(hien)


async def test_who_does_not_prepare_exams_there_is_told_of_none(office, hien):
    await office.school()
    for name, role in (("hung", ("so", "approver")), ("thu", (SCHOOL, "editor"))):
        assert TITLE not in await home(await office.desk(name, role))
    assert TITLE in await home(hien)


async def test_five_are_shown_and_the_way_to_all(hien):
    for number in range(5):
        await given_draft(hien, code=f"thi-thu-{number}")
    page = await home(hien)
    assert page.count("Bản nháp") == 5
    assert "Tất cả kỳ thi của đơn vị" in page
