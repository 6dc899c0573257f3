"""Files that officers send: checked first, imported once, every mistake shown, nothing kept for ever."""

import asyncio
import io
import zipfile
from datetime import timedelta

import asyncpg
import pytest
from python_calamine import CalamineWorkbook

from lookup import upload_work
from lookup.score_uploads import KEPT_FOR, PIECE, erase_old, safe_name
from lookup.upload_work import work_on_uploads
from server.running.chores import CHORES, JOBS
from tests.lookup.desk import (
    RESULTS,
    Office,
    actions_on_record,
    batches_of,
    given_batch,
    given_draft,
    hand_in,
    send_file,
    text_of,
    waiting,
)
from tests.people import MINH, MORNING
from units.record.entries import SERVICE


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


@pytest.fixture
async def hien(office):
    """The department's editor, with a draft."""
    desk = await office.hien()
    await given_draft(desk)
    return desk


async def checked(office, desk, content, name="diem.csv"):
    """The address of a file's page once the worker has looked at it."""
    sent = await send_file(desk, "thi-thu", content, name)
    assert sent.status_code == 303, sent.text
    await office.work()
    return sent.headers["location"]


async def state_of(connection):
    return await connection.fetchval("select state from lookup.uploads order by uploaded_at desc limit 1")


# Checked first


async def test_a_file_is_checked_shown_and_only_then_imported(office, hien, connection):
    file = await checked(office, hien, RESULTS)
    page = text_of(await hien.get(file))
    assert "sẵn sàng để nhập" in page
    assert await connection.fetchval("select count(*) from lookup.batches") == 0
    assert (await hien.submit(f"{file}/nhap")).status_code == 303
    assert "Đang nhập" in text_of(await hien.get(file))
    await office.work()
    assert "Đã nhập" in text_of(await hien.get(file))
    batch = await connection.fetchrow("select uploaded_by::text, result_count from lookup.batches")
    assert tuple(batch) == (hien.officer.id, 2)


async def test_every_mistake_is_listed_by_row_and_column_and_can_be_taken_home(office, hien, connection):
    rows = "".join(f"9900{number:04},82\n" for number in range(250))
    file = await checked(office, hien, f"SBD,Toán\n{rows}9900025,8\n")
    assert "252 lỗi" in text_of(await hien.get(file))
    pages = [text_of(await hien.get(f"{file}/loi?trang={page}&loai=score_out_of_range")) for page in (1, 2, 3)]
    assert sum(page.count("“82” không nằm trong khoảng") for page in pages) == 250
    assert "Trang 3 trên 3" in pages[2]
    other = text_of(await hien.get(f"{file}/loi?loai=number_lost_zeros"))
    assert "9900025" in other
    book = await hien.get(f"{file}/bang-loi")
    assert book.headers["content-disposition"].startswith("attachment")
    assert book.headers["x-content-type-options"] == "nosniff"
    assert CalamineWorkbook.from_filelike(io.BytesIO(book.content)).sheet_names[-1] == "Lỗi"
    original = await hien.get(f"{file}/tep-goc")
    assert original.text.startswith("SBD,Toán\n")
    assert {"exam.problems_read", "exam.workbook_read", "exam.file_read"} <= set(await actions_on_record(connection))
    assert (await hien.submit(f"{file}/nhap")).status_code == 409


async def test_odd_pages_and_kinds_of_mistakes_are_the_first_page(office, hien):
    file = await checked(office, hien, "SBD,Toán\n99000001,82\n")
    for query in ("trang=99", "trang=-1", "trang=x", f"trang={'9' * 400}", "loai=khong-co"):
        assert "không nằm trong khoảng" in text_of(await hien.get(f"{file}/loi?{query}")), query


async def test_what_a_file_changes_is_shown_by_subject_and_wants_a_reason(office, hien, connection):
    await given_batch(office, hien)
    file = await checked(office, hien, RESULTS.replace("8.25", "8.75").replace(",4,", ",3.5,"))
    page = text_of(await hien.get(file))
    assert "Toán 1 1 0 0 0 0,5" in page
    refused = await hien.submit(f"{file}/nhap", reason=" ")
    assert (refused.status_code, "Nêu lý do" in refused.text) == (422, True)
    assert (await hien.submit(f"{file}/nhap", reason="Phúc khảo")).status_code == 303
    await office.work()
    assert await connection.fetchval("select reason from lookup.batches order by id desc") == "Phúc khảo"


async def test_lost_zeros_and_old_letters_are_put_right_when_somebody_has_looked(office, hien, connection):
    content = "SBD,Họ và tên,Toán,Ngày sinh\n6000001,NguyÔn V¨n Hoµ,8,1/2/2008\n6000002,TrÇn ThÞ H»ng,7,1/2/2008\n"
    file = await checked(office, hien, content)
    page = await hien.get(file)
    assert "06000001" in page.text
    assert "Nguyễn Văn Hoà" in page.text
    odd = await hien.submit(f"{file}/cach-doc", pad_number="5", convert="klingon")
    assert odd.status_code == 422
    assert (await hien.submit(f"{file}/cach-doc", pad_number="8", convert="tcvn3")).status_code == 303
    await office.work()
    assert "sẵn sàng để nhập" in text_of(await hien.get(file))
    await hien.submit(f"{file}/nhap")
    await office.work()
    stored = await connection.fetch("select candidate_number, name from lookup.results order by 1")
    assert [tuple(row) for row in stored] == [("06000001", "Nguyễn Văn Hoà"), ("06000002", "Trần Thị Hằng")]


# What comes instead of a file


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(600):
                sheet.write(b" " * 2**20)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "make", "sentence"),
    [
        ("diem.csv", lambda: b"%PDF-1.7 hello", "không phải là bảng tính"),
        ("diem.xlsx", lambda: b"MZ\x00\x01\x02\xff\xfe\x00" * 40, "không phải bảng tính Excel"),
        ("diem.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, "Excel đời cũ"),
        ("diem.csv", lambda: b"<html><script>alert(1)</script>", "trang web"),
        ("diem.xlsx", zip_bomb, "khi mở ra lớn hơn"),
        ("diem.xlsx", lambda: b"PK\x03\x04" + b"\x00" * 99, "bị hỏng"),
        ("diem.csv", lambda: b"a,b\n1,2\n", "dòng tiêu đề"),
    ],
    ids=["pdf", "program", "old", "html", "bomb", "damaged", "no-heading"],
)
async def test_what_is_no_table_is_refused_kindly(office, hien, connection, name, make, sentence):
    # The service turns in the same loop.
    page = await hien.get(await checked(office, hien, await asyncio.to_thread(make), name))
    assert sentence in text_of(page)
    assert await state_of(connection) == "refused"


async def test_names_of_files_lead_nowhere(office, hien, connection):
    file = await checked(office, hien, RESULTS, "../../../etc/<b>điểm</b>.csv")
    assert await connection.fetchval("select file_name from lookup.uploads") == "b_.csv"
    assert (await hien.get(file)).status_code == 200
    assert safe_name("a" * 400 + ".xlsx").endswith(".xlsx")
    assert len(safe_name("ệ" * 400)) <= 120
    assert safe_name("...") == "ket-qua"


async def test_formulas_come_back_as_text(office, hien):
    file = await checked(office, hien, 'SBD,Họ và tên,Toán\n99000001,"=1+1",82\n')
    book = await hien.get(f"{file}/bang-loi")
    with zipfile.ZipFile(io.BytesIO(book.content)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(b"<f>" in sheet for sheet in sheets)


async def test_no_file_an_empty_file_and_another_form_are_asked_for_again(hien, connection):
    for files in ([("csrf", (None, hien.csrf))], [("csrf", (None, hien.csrf)), ("file", ("", b"", "x/y"))]):
        answer = await hien.post("/can-bo/ky-thi/thi-thu/tep", files=files)
        assert (answer.status_code, "Chưa có tệp nào" in answer.text) == (422, True)
    assert (await hien.submit("/can-bo/ky-thi/thi-thu/tep")).status_code == 415
    broken = {"Content-Type": "multipart/form-data"}
    assert (await hien.post("/can-bo/ky-thi/thi-thu/tep", content=b"x", headers=broken)).status_code == 400
    twice = [("csrf", (None, hien.csrf)), ("file", ("a.csv", b"a", "x/y")), ("file", ("b.csv", b"b", "x/y"))]
    assert (await hien.post("/can-bo/ky-thi/thi-thu/tep", files=twice)).status_code == 400
    assert await connection.fetchval("select count(*) from lookup.uploads") == 0


async def test_nothing_of_a_file_is_kept_that_comes_without_its_token(hien, connection):
    for token in ("khong-dung", "", "x" * 5000):
        assert (await send_file(hien, "thi-thu", RESULTS, csrf=token)).status_code == 403
    late = [("file", ("diem.csv", RESULTS.encode(), "text/csv")), ("csrf", (None, hien.csrf))]
    assert (await hien.post("/can-bo/ky-thi/thi-thu/tep", files=late)).status_code == 403
    assert (await send_file(hien, "thi-thu", RESULTS, origin="https://khac.example")).status_code == 403
    assert await connection.fetchval("select count(*) from lookup.upload_pieces") == 0


async def test_too_much_is_refused_before_it_is_read(service, hien, connection):
    host = service.url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(
        f"POST /can-bo/ky-thi/thi-thu/tep HTTP/1.1\r\nHost: {host}\r\nCookie: {hien.headers['cookie']}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {300 * 2**20}\r\n\r\n--x\r\n".encode()
    )
    assert b" 413 " in await reader.readline()
    assert "Tệp quá lớn".encode() in await reader.readuntil("Tệp quá lớn".encode())
    writer.close()
    assert await connection.fetchval("select count(*) from lookup.uploads") == 0


async def test_a_large_file_arrives_byte_for_byte(office, hien, connection):
    rows = "".join(f"99{number:06},Nguyễn Văn Thử {'x' * 100},01/02/2008,8.25\n" for number in range(20_000))
    content = f"SBD,Họ và tên,Ngày sinh,Toán\n{rows}".encode()
    file = await checked(office, hien, content)
    pieces = await connection.fetchval("select count(*) from lookup.upload_pieces where what = 'file'")
    assert pieces == -(-len(content) // PIECE)
    assert (await hien.get(f"{file}/tep-goc")).content == content
    assert "20.000" in text_of(await hien.get(file))


async def test_a_sender_who_hangs_up_leaves_nothing(service, hien, connection):
    head = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n%b\r\n--x\r\n' % hien.csrf.encode()
    head += b'Content-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + b"1,2\n" * (PIECE // 2)
    host = service.url.removeprefix("http://")
    _, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(
        f"POST /can-bo/ky-thi/thi-thu/tep HTTP/1.1\r\nHost: {host}\r\nCookie: {hien.headers['cookie']}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {10 * PIECE}\r\n\r\n".encode()
        + head
    )
    await writer.drain()
    async with asyncio.timeout(10):
        while not await connection.fetchval("select count(*) from lookup.upload_pieces"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    writer.close()
    async with asyncio.timeout(10):
        while await connection.fetchval("select count(*) from lookup.uploads"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


# The worker


async def test_the_worker_knows_the_job(office, hien, connection):
    await send_file(hien, "thi-thu", RESULTS)
    left = await connection.fetchrow("select entrypoint, payload from kit.pgqueuer where entrypoint = 'score-upload'")
    assert (left["entrypoint"] in JOBS, left["payload"]) == (True, b"thi-thu")
    assert {"erase-result-files", "sweep-result-files"} <= {chore.name for chore in CHORES}


async def test_a_worker_killed_over_an_import_doubles_nothing(office, hien, connection, monkeypatch):
    file = await checked(office, hien, RESULTS)
    await hien.submit(f"{file}/nhap")
    killed = asyncio.CancelledError()
    say = upload_work._say_imported

    async def die(*arguments):
        await say(*arguments)
        raise killed

    monkeypatch.setattr(upload_work, "_say_imported", die)
    with pytest.raises(asyncio.CancelledError):
        await office.work()
    assert (await batches_of(connection), await state_of(connection)) == ([], "importing")
    monkeypatch.setattr(upload_work, "_say_imported", say)
    await asyncio.gather(office.work(), office.work(), office.work())
    assert (len(await batches_of(connection)), await state_of(connection)) == (1, "imported")
    assert await connection.fetchval("select count(*) from lookup.results") == 2


async def test_a_file_over_which_workers_die_is_given_up(office, hien, connection, monkeypatch):
    file = await checked(office, hien, RESULTS)
    await connection.execute("update lookup.uploads set state = 'checking', attempts = 4")
    await office.work()
    assert "không nằm ở tệp" in text_of(await hien.get(file))
    assert (await hien.submit(f"{file}/bo")).status_code == 303


async def comes_after(connection, file):
    """The service's clock stands still: a second later, for this file alone."""
    await connection.execute(
        "update lookup.uploads set queued_at = queued_at + interval '1 s' where id::text = $1", file.rpartition("/")[2]
    )


async def test_files_of_one_exam_are_taken_in_their_order_one_at_a_time(office, hien, connection):
    first = (await send_file(hien, "thi-thu", RESULTS)).headers["location"]
    second = (await send_file(hien, "thi-thu", RESULTS.replace("8.25", "9"))).headers["location"]
    await comes_after(connection, second)
    assert "Đang chờ 1 tệp khác" in text_of(await hien.get(second))
    await connection.execute("select pg_advisory_lock(hashtextextended('score uploads thi-thu', 0))")
    await office.work()
    assert await connection.fetchval("select count(*) from lookup.uploads where state = 'waiting'") == 2
    await connection.execute("select pg_advisory_unlock_all()")
    await office.work()
    for file in (first, second):
        assert "sẵn sàng" in text_of(await hien.get(file))
        await hien.submit(f"{file}/nhap", reason="x")
    await comes_after(connection, second)
    await office.work()
    # What the second would change is not what was shown: it is looked at again.
    assert "Dữ liệu" not in text_of(await hien.get(first))
    page = text_of(await hien.get(second))
    assert "Nêu" not in page
    assert "Thay đổi 1" in page
    assert len(await batches_of(connection)) == 1


async def test_progress_is_told_while_a_file_is_read(office, hien, connection, monkeypatch):
    monkeypatch.setattr(upload_work, "_TELL_SECONDS", 0.001)
    rows = "".join(f"99{number:06},01/02/2008,8.25\n" for number in range(60_000))
    file = (await send_file(hien, "thi-thu", f"SBD,Ngày sinh,Toán\n{rows}")).headers["location"]
    working = asyncio.create_task(office.work())
    seen = set()
    while not working.done():
        seen.add(await connection.fetchval("select rows_read from lookup.uploads"))
        page = await hien.get(file)
        if "live-part" in page.text:
            assert '<meta http-equiv="refresh"' in page.text
    await working
    assert len(seen) > 2


# Not for ever


async def test_what_files_held_is_erased_after_some_days(office, hien, connection):
    file = await checked(office, hien, "SBD,Toán\n99000001,82\n")
    async with connection.transaction():
        assert await erase_old(connection, actor=SERVICE, now=MORNING + KEPT_FOR) == 0
        assert await erase_old(connection, actor=SERVICE, now=MORNING + KEPT_FOR + timedelta(seconds=1)) == 1
    for table in ("upload_pieces", "upload_problems"):
        assert await connection.fetchval(f"select count(*) from lookup.{table}") == 0  # noqa: S608
    for path in ("/tep-goc", "/bang-loi", "/loi"):
        assert (await hien.get(f"{file}{path}")).status_code in (404, 410)
    assert "exam.file_erased" in await actions_on_record(connection)


async def test_a_file_that_nobody_wants_is_erased_at_once(office, hien, connection):
    file = await checked(office, hien, RESULTS)
    assert (await hien.submit(f"{file}/bo")).status_code == 303
    assert await connection.fetchval("select count(*) from lookup.upload_pieces") == 0
    assert (await hien.get(file)).status_code == 404
    assert (await hien.submit(f"{file}/nhap")).status_code == 404


async def test_twenty_files_wait_to_be_imported_and_one_is_erased_for_the_next(office, hien, connection):
    file = await checked(office, hien, RESULTS)
    await connection.execute(
        "insert into lookup.uploads (exam_code, uploaded_by, uploaded_at, file_name, state)"
        " select exam_code, uploaded_by, uploaded_at, file_name, 'refused' from lookup.uploads, generate_series(1, 19)"
    )
    refused = await send_file(hien, "thi-thu", RESULTS)
    assert (refused.status_code, "nhiều nhất 20 tệp" in refused.text) == (409, True)
    assert "Xóa tệp" in text_of(await hien.get(file))
    assert (await hien.submit(f"{file}/bo")).status_code == 303
    assert (await send_file(hien, "thi-thu", RESULTS)).status_code == 303
    assert "exam.file_discarded" in await actions_on_record(connection)


async def test_imported_files_make_room_for_the_next_and_others_do_not(office, hien, connection):
    await given_batch(office, hien)
    await connection.execute("update lookup.uploads set file_size = 1024 * 1024 * 1024")
    assert (await send_file(hien, "thi-thu", RESULTS)).status_code == 303
    assert await connection.fetchval("select count(*) from lookup.uploads where erased_at is not null") == 1
    assert "exam.file_erased" in await actions_on_record(connection)
    await connection.execute("update lookup.uploads set file_size = 1024 * 1024 * 1024")
    assert (await send_file(hien, "thi-thu", RESULTS)).status_code == 409


async def test_a_file_of_another_exam_is_not_there(office, hien):
    file = await checked(office, hien, RESULTS)
    await given_draft(hien, code="khac")
    for path in (file.replace("thi-thu", "khac"), "/can-bo/ky-thi/khac/tep/1", f"{file[:-1]}"):
        assert (await hien.get(path)).status_code == 404


# Taking a batch back


async def test_a_batch_is_taken_back_and_what_was_before_counts_again(office, hien, connection):
    await given_batch(office, hien)
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Nhầm")
    older, newer = await batches_of(connection)
    undo = "/can-bo/ky-thi/thi-thu/dot/{}/hoan-tac"
    assert (await hien.submit(undo.format(older))).status_code == 409
    assert (await hien.get(undo.format(newer))).status_code == 200
    assert (await hien.submit(undo.format(newer))).status_code == 303
    assert (await hien.submit(undo.format(newer))).status_code == 404
    of_minh = "select version, scores[1] from lookup.results where candidate_number = $1"
    rows = await connection.fetch(of_minh, MINH.number)
    assert [(row[0], float(row[1])) for row in rows] == [(1, 8.25)]
    assert "exam.batch_taken_back" in await actions_on_record(connection)
    await given_batch(office, hien, RESULTS.replace("8.25", "8.5"), reason="Đúng")
    assert await connection.fetchval("select max(version) from lookup.results") == 2


async def test_what_waits_for_approval_is_withdrawn_with_its_batch(office, hien, connection):
    await office.hung()
    await given_batch(office, hien)
    (batch,) = await batches_of(connection)
    await hand_in(hien, [batch])
    assert await connection.fetchval("delete from kit.mails returning recipient like 'hung@%'")
    undo = f"/can-bo/ky-thi/thi-thu/dot/{batch}/hoan-tac"
    assert "đang chờ phê duyệt" in text_of(await hien.get(undo))
    answer = await hien.submit(undo)
    assert "đã được rút lại cùng lúc" in text_of(await hien.get(answer.headers["location"]))
    assert await waiting(connection) is None
    assert await connection.fetchval("select state from units.approvals") == "withdrawn"
    rows = await connection.fetch("select recipient, key from kit.mails")
    assert [(row["recipient"].partition("@")[0], row["key"].split(":")[2]) for row in rows] == [("hung", "withdrawn")]


async def test_files_that_are_not_imported_stand_together_with_the_day_of_the_week(office, hien):
    await send_file(hien, "thi-thu", "x,y\n1,2\n")
    await office.work()
    page = text_of(await hien.get("/can-bo/ky-thi/thi-thu"))
    assert "Tệp chưa nhập" in page
    assert "Không đọc được" in page
    assert "8 giờ 00, thứ Tư ngày 01/7/2026" in page


async def test_a_batch_that_is_not_handed_in_withdraws_nothing(office, hien, connection):
    await given_batch(office, hien)
    await hand_in(hien, await batches_of(connection))
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Sau đó")
    undo = f"/can-bo/ky-thi/thi-thu/dot/{(await batches_of(connection))[-1]}/hoan-tac"
    assert "chờ phê duyệt" not in text_of(await hien.get(undo))
    answer = await hien.submit(undo)
    page = text_of(await hien.get(answer.headers["location"]))
    assert "Đã hoàn tác đợt nhập" in page
    assert "rút lại" not in page
    assert await waiting(connection)


async def test_who_hands_in_while_a_batch_is_taken_back_comes_too_late_or_is_withdrawn(office, hien, connection):
    await given_batch(office, hien)
    (batch,) = await batches_of(connection)
    undo = f"/can-bo/ky-thi/thi-thu/dot/{batch}/hoan-tac"
    undone, handed = await asyncio.gather(hien.submit(undo), hand_in(hien, [batch]))
    assert undone.status_code == 303
    assert handed.status_code in (303, 409)
    assert await waiting(connection) is None


async def test_two_workers_do_not_meet(pool, office, hien, connection):
    await send_file(hien, "thi-thu", RESULTS)
    await asyncio.gather(*(work_on_uploads(office.tools, "thi-thu") for _ in range(3)))
    assert await state_of(connection) == "checked"
    assert await connection.fetchval("select attempts from lookup.uploads") == 0


async def test_a_batch_keeps_its_rows_when_postgresql_refuses(connection):
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("insert into lookup.uploads (exam_code, uploaded_by, uploaded_at, file_name, state)"
                                 " values ('x', gen_random_uuid(), now(), 'x', 'nowhere')")  # fmt: skip
