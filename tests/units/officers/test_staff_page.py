"""An administrator sees her units and those below, changes what she may, and is told what she may not."""

import re

import httpx
import pytest

from kit.keys import KeyRing
from tests.officers import given_officer, signed_in
from tests.units.officers.staff import given_office, running_sessions
from units.officers.officers import Held, find_officer

HOME = "/can-bo/nhan-su"


@pytest.fixture
async def office(connection, settings):
    return await given_office(connection, KeyRing(settings.keys_folder))


@pytest.fixture
async def hoa(office):
    """The ward's administrator."""
    return await given_officer(
        office.connection, "hoa", ("phuong", "administrator"), salutation="Ông", full_name="Trần Quốc Hòa"
    )


@pytest.fixture
async def lan(office):
    """The ward's editor."""
    return await given_officer(office.connection, "lan", ("phuong", "editor"), full_name="Vũ Thu Lan")


@pytest.fixture
async def strangers(office):
    """Officers whom the ward has nothing to do with, though one works in a school that stands in it."""
    return [
        await given_officer(office.connection, "so", ("so", "administrator"), full_name="Lê Thị Hạ"),
        await given_officer(office.connection, "xa", ("xa", "editor"), full_name="Hồ Văn Xa"),
        await given_officer(office.connection, "thpt", ("thpt", "editor"), full_name="Bùi Hữu Phúc"),
    ]


@pytest.fixture
async def desk(office, hoa, lan, strangers, service):
    return await signed_in(service, hoa)


def seen_names(page: httpx.Response) -> set[str]:
    return set(re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', page.text))


def then_went_on(answer: httpx.Response, path: str) -> None:
    assert (answer.status_code, answer.headers.get("location")) == (303, path), answer.text


async def test_she_sees_her_units_and_those_below_and_nobody_else(office, desk, service):
    await given_officer(office.connection, "chi", ("thcs", "reviewer"), full_name="Phạm Chi")
    page = await desk.get(HOME)
    assert seen_names(page) == {"Ông Trần Quốc Hòa", "Bà Vũ Thu Lan", "Bà Phạm Chi"}


async def test_whoever_is_not_hers_is_not_found(desk, strangers):
    for officer in strangers:
        for path in ("", "/the", "/ngung", "/xac-thuc-hai-lop", "/ban-giao", "/thu-hoi/phuong/editor"):
            assert (await desk.get(f"{HOME}/{officer.id}{path}")).status_code == 404, path
        for path in (
            "/the",
            "/ngung",
            "/xac-thuc-hai-lop",
            "/ban-giao",
            "/moi-lai",
            "/vai-tro",
            "/thu-hoi/phuong/editor",
        ):
            answer = await desk.submit(f"{HOME}/{officer.id}{path}", unit="phuong", role="editor", reason="x")
            assert answer.status_code == 404, path


async def test_a_page_about_somebody_names_her_and_not_who_reads_it(desk, lan):
    page = await desk.get(f"{HOME}/{lan.id}")
    assert "<h1>Bà Vũ Thu Lan</h1>" in page.text
    assert f'action="{HOME}/{lan.id}/vai-tro"' in page.text
    for path in ("/the", "/ngung", "/xac-thuc-hai-lop", "/ban-giao", "/thu-hoi/phuong/editor"):
        page = await desk.get(f"{HOME}/{lan.id}{path}")
        assert f'<a href="{HOME}/{lan.id}">Bà Vũ Thu Lan</a>' in page.text, path


@pytest.mark.parametrize("officer_id", ["x", "00000000-0000-0000-0000-000000000000", "%27%3B--", "moi "])
async def test_an_id_that_nobody_has_is_not_found(desk, officer_id):
    assert (await desk.get(f"{HOME}/{officer_id}")).status_code == 404


@pytest.mark.parametrize("role", ["editor", "approver", "reviewer", "operator"])
async def test_who_neither_administers_nor_audits_sees_no_staff(office, service, role):
    desk = await signed_in(service, await given_officer(office.connection, "nam", ("so", role)))
    for path in ("", "/moi"):
        assert (await desk.get(HOME + path)).status_code == 403


async def test_an_auditor_sees_and_changes_nothing(office, lan, service):
    desk = await signed_in(service, await given_officer(office.connection, "nam", ("phuong", "auditor")))
    assert "Bà Vũ Thu Lan" in seen_names(await desk.get(HOME))
    page = await desk.get(f"{HOME}/{lan.id}")
    assert page.status_code == 200
    assert "<button" not in page.text.partition("<main")[2]
    for path, fields in (
        ("/vai-tro", {"unit": "phuong", "role": "approver"}), ("/ngung", {"reason": "x"}), ("/moi-lai", {}),
        ("/xac-thuc-hai-lop", {"reason": "x"}), ("/thu-hoi/phuong/editor", {}), ("/ban-giao", {}),
        ("/the", {"full_name": "x"}),
    ):  # fmt: skip
        answer = await desk.submit(f"{HOME}/{lan.id}{path}", **fields)
        assert answer.status_code == 403, path
    assert (await office.seen(lan)).roles == lan.roles


async def test_a_name_is_found_without_its_marks_and_stands_in_no_address(office, desk):
    answer = await desk.submit(HOME, tim="vu  thu LAN")
    assert seen_names(answer) == {"Bà Vũ Thu Lan"}
    assert str(answer.url).endswith(HOME)
    assert seen_names(await desk.submit(HOME, tim="hoa@vangiang")) == {"Ông Trần Quốc Hòa"}
    assert "Không tìm thấy ai" in (await desk.submit(HOME, tim="không ai cả")).text


async def test_the_list_is_narrowed_by_role_state_and_unit(office, desk):
    await given_officer(office.connection, "chi", ("thcs", "editor"), full_name="Phạm Chi", state="asleep")
    assert seen_names(await desk.get(f"{HOME}?vai-tro=administrator")) == {"Ông Trần Quốc Hòa"}
    assert seen_names(await desk.get(f"{HOME}?trang-thai=asleep")) == {"Bà Phạm Chi"}
    assert seen_names(await desk.get(f"{HOME}?don-vi=thcs&vai-tro=editor")) == {"Bà Phạm Chi"}
    for strange in ("don-vi=so", "vai-tro=root", "trang-thai=x"):
        assert seen_names(await desk.get(f"{HOME}?{strange}")) == set()


async def test_a_unit_without_an_approver_is_named(office, desk):
    assert "Chưa có người phê duyệt" in (await desk.get(HOME)).text
    await given_officer(office.connection, "minh", ("phuong", "approver"))
    assert "Chưa có người phê duyệt" not in (await desk.get(HOME)).text


async def test_she_invites_by_a_form(office, desk):
    answer = await desk.submit(
        f"{HOME}/moi",
        unit="thcs",
        role="approver",
        email="Chi@ThcsBenMay.edu.vn",
        full_name="Phạm Chi",
        salutation="Cô",
    )
    assert answer.status_code == 303
    officer = await find_officer(office.connection, answer.headers["location"].rpartition("/")[2])
    assert (officer.name, officer.email, officer.roles) == (
        "Cô Phạm Chi", "chi@thcsbenmay.edu.vn", (Held("thcs", "approver"),),
    )  # fmt: skip
    page = await desk.get(answer.headers["location"])
    assert "Đã mời" in page.text
    assert "Gửi lại lời mời" in page.text
    then_went_on(await desk.submit(f"{HOME}/{officer.id}/moi-lai"), f"{HOME}/{officer.id}")
    assert len(await office.letters(officer.email)) == 2


async def test_whoever_broke_off_after_the_password_is_sent_a_link_again(office, desk):
    lan = await given_officer(office.connection, "chi", ("phuong", "editor"), state="invited", totp_secret=None)
    page = (await desk.get(f"{HOME}/{lan.id}")).text
    assert "Chờ thiết lập xác thực hai lớp" in page
    assert "Gửi lại liên kết thiết lập" in page
    then_went_on(await desk.submit(f"{HOME}/{lan.id}/moi-lai"), f"{HOME}/{lan.id}")
    assert len(await office.letters(lan.email)) == 1


async def test_all_mistakes_are_told_at_once_beside_what_was_typed(desk):
    answer = await desk.submit(
        f"{HOME}/moi", unit="thcs", role="", email="chi@gmail.com", full_name="", office_phone="0912 345 678"
    )
    assert answer.status_code == 422
    for sentence in ("Chọn vai trò.", "Địa chỉ cá nhân không nhận", "Nhập họ và tên.", "Đây là số di động."):
        assert answer.text.count(sentence) == 2
    assert 'value="chi@gmail.com"' in answer.text
    assert '<option value="thcs" selected>' in answer.text


async def test_an_empty_form_names_all_that_is_missing(desk):
    answer = await desk.submit(f"{HOME}/moi")
    assert answer.status_code == 422
    for sentence in ("Chọn đơn vị.", "Chọn vai trò.", "Nhập địa chỉ thư điện tử công vụ.", "Nhập họ và tên."):
        assert answer.text.count(sentence) == 2, sentence


@pytest.mark.parametrize("unit_code", ["so", "xa", "thpt"])
async def test_she_invites_nobody_beyond_her_units(office, desk, unit_code):
    fields = {"unit": unit_code, "role": "editor", "email": "a@x.edu.vn", "full_name": "A"}
    assert (await desk.submit(f"{HOME}/moi", **fields)).status_code == 403
    assert await office.letters("a@x.edu.vn") == []


async def test_fields_that_nobody_asked_for_change_nothing(office, desk, lan):
    fields = {
        "full_name": "Vũ Thu Lan", "salutation": "Bà", "position": "Chuyên viên", "state": "disabled",
        "role": "operator", "email": "x@y.vn", "officer_id": "x", "granted_by": "x",
    }  # fmt: skip
    then_went_on(await desk.submit(f"{HOME}/{lan.id}/the", **fields), f"{HOME}/{lan.id}")
    assert await office.seen(lan) == lan


async def test_she_changes_a_card(office, desk, lan):
    fields = {"salutation": "Cô", "full_name": "Vũ Thu Lan", "position": "Phó phòng", "office_phone": "1022"}
    then_went_on(await desk.submit(f"{HOME}/{lan.id}/the", **fields), f"{HOME}/{lan.id}")
    assert (await office.seen(lan)).position == "Phó phòng"
    answer = await desk.submit(f"{HOME}/{lan.id}/the", **fields | {"office_phone": "0912345678"})
    assert answer.status_code == 422
    assert "0912345678" in answer.text


async def test_a_role_here_makes_nobody_elses_card_ones_own(office, desk):
    hung = await given_officer(office.connection, "hung", ("so", "approver"), full_name="Trần Quốc Hùng")
    answer = await desk.submit(f"{HOME}/moi", email=hung.email, unit="phuong", role="reviewer", full_name="x")
    then_went_on(answer, f"{HOME}/{hung.id}")
    assert "/the" not in (await desk.get(f"{HOME}/{hung.id}")).text.partition("<main")[2]
    assert (await desk.get(f"{HOME}/{hung.id}/the")).status_code == 403
    answer = await desk.submit(f"{HOME}/{hung.id}/the", full_name="Ai Đó", office_phone="1022")
    assert answer.status_code == 403
    assert (await office.seen(hung)).full_name == "Trần Quốc Hùng"


async def test_she_gives_and_takes_a_role(office, desk, lan, service):
    path = f"{HOME}/{lan.id}"
    then_went_on(await desk.submit(f"{path}/vai-tro", unit="phuong", role="approver"), path)
    assert "vừa là biên tập viên vừa là người phê duyệt" in (await desk.get(path)).text
    assert (await desk.get(f"{path}/thu-hoi/phuong/approver")).status_code == 200
    then_went_on(await desk.submit(f"{path}/thu-hoi/phuong/approver"), path)
    assert (await office.seen(lan)).roles == (Held("phuong", "editor"),)


async def test_a_change_of_role_signs_her_out(office, desk, lan, service):
    hers = await signed_in(service, lan)
    assert (await hers.get("/can-bo/tai-khoan")).status_code == 200
    await desk.submit(f"{HOME}/{lan.id}/vai-tro", unit="phuong", role="approver")
    assert (await hers.get("/can-bo/tai-khoan")).status_code == 303


async def test_a_role_without_its_parts_is_asked_for(desk, lan):
    answer = await desk.submit(f"{HOME}/{lan.id}/vai-tro", unit="phuong", role="")
    assert answer.status_code == 422
    assert "Chọn vai trò." in answer.text


async def test_what_does_not_go_together_is_explained(desk, lan):
    answer = await desk.submit(f"{HOME}/{lan.id}/vai-tro", unit="phuong", role="auditor")
    assert answer.status_code == 409
    assert "Hai vai trò này không đi cùng nhau" in answer.text


async def test_nobody_gives_themselves_a_role_by_a_form_of_their_own(office, desk, hoa):
    answer = await desk.submit(f"{HOME}/{hoa.id}/vai-tro", unit="phuong", role="approver")
    assert answer.status_code == 403
    assert "Không ai tự làm việc này cho mình" in answer.text
    assert (await desk.submit(f"{HOME}/{hoa.id}/ngung", reason="x")).status_code == 403
    assert (await office.seen(hoa)).roles == hoa.roles


async def test_an_account_ends_with_a_reason(office, desk, lan, service):
    hers, path = await signed_in(service, lan), f"{HOME}/{lan.id}"
    answer = await desk.submit(f"{path}/ngung", reason=" ")
    assert answer.status_code == 422
    assert "Nêu lý do." in answer.text
    then_went_on(await desk.submit(f"{path}/ngung", reason="Nghỉ hưu"), path)
    assert (await hers.get("/can-bo/tai-khoan")).status_code == 303
    page = await desk.get(path)
    assert "Đã ngừng" in page.text
    assert "Nghỉ hưu" in page.text
    assert (await desk.submit(f"{path}/ngung", reason="x")).status_code == 409
    assert (await desk.submit(f"{path}/vai-tro", unit="phuong", role="editor")).status_code == 409


async def test_two_factors_are_set_up_anew(office, desk, lan):
    path = f"{HOME}/{lan.id}"
    assert (await desk.submit(f"{path}/xac-thuc-hai-lop", reason="")).status_code == 422
    then_went_on(await desk.submit(f"{path}/xac-thuc-hai-lop", reason="Mất điện thoại"), path)
    page = await desk.get(path)
    assert "Chờ thiết lập xác thực hai lớp" in page.text
    assert await running_sessions(office.connection, lan) == 0


async def test_who_works_for_others_too_is_not_ended_by_one_ward(office, desk, strangers):
    both = await given_officer(office.connection, "both", ("phuong", "editor"), ("xa", "editor"))
    page = await desk.get(f"{HOME}/{both.id}")
    assert "còn làm việc ở đơn vị khác" in page.text
    assert "Trường xa" not in page.text.partition("<main")[2]
    for path in ("ngung", "xac-thuc-hai-lop"):
        assert (await desk.get(f"{HOME}/{both.id}/{path}")).status_code == 403
        assert (await desk.submit(f"{HOME}/{both.id}/{path}", reason="x")).status_code == 403


async def test_the_last_administrator_is_not_taken(office, strangers, service):
    department = await signed_in(service, strangers[0])
    answer = await department.submit(f"{HOME}/{strangers[0].id}/thu-hoi/so/administrator")
    assert answer.status_code == 409
    assert "ít nhất một quản trị viên" in answer.text


async def given_waiting_work(connection, officer, unit_code="phuong"):
    """Something of hers that waits for a second person; its id."""
    return await connection.fetchval(
        "insert into units.approvals (kind, about, unit_code, decided_in, payload, preview, prepared_by, handed_in_by,"
        " looked_after_by, handed_in_at, state) values ('notice', 'a', $1, $1, '{}', $2, array[$3::text::uuid],"
        " $3::text::uuid, $3::text::uuid, now(), 'waiting') returning id::text",
        unit_code,
        '{"title": "Thông báo nghỉ học"}',
        officer.id,
    )


async def test_whoever_leaves_hands_over_in_the_same_step(office, desk, lan):
    work = await given_waiting_work(office.connection, lan)
    chi = await given_officer(office.connection, "chi", ("phuong", "editor"), full_name="Phạm Chi")
    for path, fields in (("ngung", {"reason": "Nghỉ hưu"}), ("thu-hoi/phuong/editor", {})):
        page = await desk.get(f"{HOME}/{lan.id}/{path}")
        assert "Thông báo nghỉ học" in page.text
        assert f'<option value="{chi.id}">Bà Phạm Chi, Chuyên viên</option>' in page.text
        answer = await desk.submit(f"{HOME}/{lan.id}/{path}", **fields)
        assert answer.status_code == 422
        assert "Chọn người nhận việc." in answer.text
    field = re.search(r'<select id="(nguoi-nhan-[^"]*)"', answer.text)
    assert field
    fields = {"reason": "Nghỉ hưu", field[1]: chi.id}
    then_went_on(await desk.submit(f"{HOME}/{lan.id}/ngung", **fields), f"{HOME}/{lan.id}")
    row = await office.connection.fetchrow("select * from units.approvals where id = $1::text::uuid", work)
    assert str(row["looked_after_by"]) == chi.id
    assert {str(each) for each in row["prepared_by"]} == {lan.id, chi.id}


async def test_work_is_handed_over_while_the_officer_stays(office, desk, lan):
    await given_waiting_work(office.connection, lan)
    chi = await given_officer(office.connection, "chi", ("phuong", "editor"))
    path = f"{HOME}/{lan.id}/ban-giao"
    field = re.search(r'<select id="(nguoi-nhan-[^"]*)"', (await desk.get(path)).text)
    assert field
    assert (await desk.submit(path, **{field[1]: lan.id})).status_code == 422
    then_went_on(await desk.submit(path, **{field[1]: chi.id}), f"{HOME}/{lan.id}")
    assert "không có việc nào đang làm dở" in (await desk.get(path)).text
    assert (await office.seen(lan)).state == "active"


async def test_the_domains_of_a_unit_below_are_hers_to_set(office, desk):
    path = f"{HOME}/ten-mien/thcs"
    assert "*.edu.vn" in (await desk.get(path)).text
    then_went_on(await desk.submit(path, domains="benmay.vn, *.benmay.vn"), f"{HOME}?don-vi=thcs")
    assert "benmay.vn" in (await desk.get(path)).text
    answer = await desk.submit(path, domains="gmail.com")
    assert answer.status_code == 422
    assert "Ai cũng mở được hộp thư" in answer.text
    for own_or_strange in ("phuong", "thpt"):
        assert (await desk.get(f"{HOME}/ten-mien/{own_or_strange}")).status_code == 403
        assert (await desk.submit(f"{HOME}/ten-mien/{own_or_strange}", domains="x.vn")).status_code == 403
    assert (await desk.get(f"{HOME}/ten-mien/khong-co")).status_code == 404


async def test_whoever_reads_about_staff_stands_on_the_record_once_for_each_page(office, desk, hoa, lan):
    await desk.get(HOME)
    await desk.submit(HOME, tim="thu lan")
    await desk.get(f"{HOME}/{lan.id}")
    await desk.get(f"{HOME}/{hoa.id}")
    told = await office.connection.fetch(
        "select action, object_id, unit_code, officer_id::text, details::text from units.record_entries"
        " where action like '%.viewed' order by id"
    )
    seen_list = ("staff.viewed", "phuong", "phuong", hoa.id)
    assert [tuple(row)[:4] for row in told] == [seen_list, seen_list, ("officer.viewed", lan.id, "phuong", hoa.id)]
    assert not any("thu lan" in row["details"] for row in told)


async def test_who_may_not_be_seen_leaves_no_entry(office, desk, strangers):
    for stranger in strangers:
        assert (await desk.get(f"{HOME}/{stranger.id}")).status_code == 404
    assert not await office.connection.fetchval(
        "select count(*) from units.record_entries where action = 'officer.viewed'"
    )
