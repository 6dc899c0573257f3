"""The pages of approvals: what waits, what it changes, and a decision that is meant."""

import re
from datetime import timedelta

import pytest

from server.approval_kinds import KINDS
from tests.officers import given_officer, signed_in
from tests.units.approvals.notices import appoint, given_approver, given_editor, given_stage
from units.approvals.approvals import approve, find_approval, send_back
from units.approvals.steps import list_steps

HERE = "/can-bo/phe-duyet"
ACTS = ("phe-duyet", "tra-lai", "rut-lai")
HOUR = timedelta(hours=1)


@pytest.fixture
async def stage(connection, settings, monkeypatch):
    stage = await given_stage(connection, settings)
    monkeypatch.setitem(KINDS, "notice", stage.notices)
    return stage


@pytest.fixture
async def lan(connection, stage):
    return await given_editor(connection)


@pytest.fixture
async def hung(connection, stage):
    return await given_approver(connection)


@pytest.fixture
def desk_of(service, stage):
    async def come_in(officer):
        await service.hears_all_changes()
        return await signed_in(service, officer)

    return come_in


def main_of(page: str) -> str:
    return page.partition("<main")[2]


async def test_approving_takes_a_second_look_and_says_what_happens_next(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan, takes_effect_at=stage.now + HOUR)
    desk = await desk_of(hung)
    assert "Thông báo a" in main_of((await desk.get("/can-bo")).text)
    assert "Thông báo a" in (await desk.get(HERE)).text
    one = (await desk.get(f"{HERE}/{waiting.id}")).text
    assert f'href="{HERE}/{waiting.id}/phe-duyet"' in one
    assert "<form" not in main_of(one), "one step does not approve"
    assert "9 giờ 00, thứ Tư ngày 01/7/2026" in one
    assert f'action="{HERE}/{waiting.id}/phe-duyet"' in (await desk.get(f"{HERE}/{waiting.id}/phe-duyet")).text
    answer = await desk.submit(f"{HERE}/{waiting.id}/phe-duyet")
    assert answer.status_code == 303
    after = (await desk.get(answer.headers["location"])).text
    assert "Đã phê duyệt" in after
    assert "Trước thời điểm đó vẫn rút lại được" in after
    assert "a" in stage.notices.public
    answer = await desk.submit(f"{HERE}/{waiting.id}/rut-lai", reason="Hoãn")
    assert "Đã rút lại" in (await desk.get(answer.headers["location"])).text
    assert not stage.notices.public


async def test_the_first_page_says_who_handed_in_and_since_when(connection, stage, lan, hung, desk_of):
    await stage.hand_in(connection, lan)
    home = " ".join(re.sub(r"<[^>]+>", "", main_of((await (await desk_of(hung)).get("/can-bo")).text)).split())
    assert "Trình lúc 8 giờ 00, thứ Tư ngày 01/7/2026, Bà lan" in home


async def test_the_page_shows_what_changes_and_who_prepared_it(connection, stage, lan, hung, desk_of):
    stage.notices.public["a"] = ("Đi học", stage.now)
    waiting = await stage.hand_in(connection, lan, note="Xem <b>giúp</b>")
    page = main_of((await (await desk_of(hung)).get(f"{HERE}/{waiting.id}")).text)
    for text in (
        "Đi học",
        "Nghỉ học ngày mai",
        "Số chữ",
        "Bà lan",
        "Xem &lt;b&gt;giúp&lt;/b&gt;",
        "Trường thpt-hoa-sua",
    ):
        assert text in page


async def test_the_number_beside_the_name_counts_what_waits_for_me(connection, stage, lan, hung, desk_of):
    desk = await desk_of(hung)
    assert "count-badge" not in (await desk.get("/can-bo")).text
    await stage.hand_in(connection, lan, "a")
    await stage.hand_in(connection, lan, "b")
    assert '<span class="count-badge">2<' in (await desk.get("/can-bo")).text
    assert "count-badge" not in (await (await desk_of(lan)).get("/can-bo")).text, "her own work waits for others"


async def test_a_moment_that_has_passed_is_told_before_and_after(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan, takes_effect_at=stage.now - HOUR)
    desk = await desk_of(hung)
    for path in (f"{HERE}/{waiting.id}", f"{HERE}/{waiting.id}/phe-duyet"):
        assert "Thời điểm này đã qua: phê duyệt là có hiệu lực ngay." in (await desk.get(path)).text
    assert "Phê duyệt và công khai ngay" in (await desk.get(f"{HERE}/{waiting.id}/phe-duyet")).text
    answer = await desk.submit(f"{HERE}/{waiting.id}/phe-duyet")
    after = (await desk.get(answer.headers["location"])).text
    assert "nên nội dung có hiệu lực ngay khi được phê duyệt" in after


async def test_what_changed_meanwhile_is_said_and_not_approved(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    stage.notices.public["a"] = ("Nội dung khác", stage.now)
    desk = await desk_of(hung)
    page = (await desk.get(f"{HERE}/{waiting.id}")).text
    assert "Dữ liệu đã thay đổi sau khi trình" in page
    assert f'href="{HERE}/{waiting.id}/phe-duyet"' not in page
    assert "<form" not in main_of((await desk.get(f"{HERE}/{waiting.id}/phe-duyet")).text)
    refused = await desk.submit(f"{HERE}/{waiting.id}/phe-duyet")
    assert refused.status_code == 409
    assert "Nội dung đã khác với lúc trình" in refused.text


async def test_what_cannot_become_public_any_more_says_why(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    stage.notices.refused.add("a")
    page = (await (await desk_of(hung)).get(f"{HERE}/{waiting.id}")).text
    assert "Hiện không công khai được" in page
    assert f'href="{HERE}/{waiting.id}/phe-duyet"' not in page


async def test_ones_own_work_names_who_can_approve_it(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(lan)
    page = (await desk.get(f"{HERE}/{waiting.id}")).text
    assert "Có thể phê duyệt: Bà hung." in page
    for path in ("phe-duyet", "tra-lai"):
        assert f'href="{HERE}/{waiting.id}/{path}"' not in page
        assert (await desk.get(f"{HERE}/{waiting.id}/{path}")).status_code == 403
        refused = await desk.submit(f"{HERE}/{waiting.id}/{path}", reason="x")
        assert refused.status_code == 403
        assert "Không ai tự phê duyệt việc của mình" in refused.text


async def test_a_page_says_plainly_that_nobody_can_approve(connection, stage, lan, desk_of):
    waiting = await stage.hand_in(connection, lan)
    page = (await (await desk_of(lan)).get(f"{HERE}/{waiting.id}")).text
    assert "Chưa có ai phê duyệt được" in page
    assert "quản trị viên giao vai trò người phê duyệt" in page


async def test_a_reason_is_asked_for_beside_its_field_and_kept(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(hung)
    refused = await desk.submit(f"{HERE}/{waiting.id}/tra-lai", reason=" ")
    assert refused.status_code == 422
    assert 'href="#reason"' in refused.text
    long = await desk.submit(f"{HERE}/{waiting.id}/tra-lai", reason="chữ" * 1000)
    assert long.status_code == 422
    assert "chữ" * 1000 in long.text, "what was typed stays"
    answer = await desk.submit(f"{HERE}/{waiting.id}/tra-lai", reason="Thiếu chữ ký")
    assert "Thiếu chữ ký" in (await desk.get(answer.headers["location"])).text
    assert "Được trả lại để chỉnh sửa" in (await (await desk_of(lan)).get("/can-bo")).text


async def test_whoever_comes_second_is_told(connection, stage, lan, hung, desk_of):
    mai = await given_approver(connection, "mai")
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(mai)
    await approve(connection, stage.kinds, waiting.id, **stage.deciding(hung))
    for act in ("phe-duyet", "tra-lai"):
        refused = await desk.submit(f"{HERE}/{waiting.id}/{act}", reason="x")
        assert refused.status_code == 409
        assert "Một người khác vừa phê duyệt" in refused.text
        assert f'href="{HERE}/{waiting.id}"' in refused.text
        assert (await desk.get(f"{HERE}/{waiting.id}/{act}")).status_code == 409
    late = await desk.submit(f"{HERE}/{waiting.id}/rut-lai", reason="x")
    assert late.status_code == 409
    assert "dùng chức năng gỡ bỏ" in late.text


@pytest.mark.parametrize(
    ("unit", "role"), [("thpt-song-xanh", "approver"), ("xa-an-binh", "approver"), ("thpt-hoa-sua", "reviewer")]
)
async def test_what_is_another_units_does_not_exist(connection, stage, lan, hung, desk_of, unit, role):
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(await given_officer(connection, "somebody", (unit, role)))
    unknown = "00000000-0000-0000-0000-000000000000"
    assert "Thông báo a" not in (await desk.get(f"{HERE}?muc=da-xong")).text
    for path in ("", *(f"/{act}" for act in ACTS)):
        found = await desk.get(f"{HERE}/{waiting.id}{path}")
        assert found.status_code == 404
        assert found.text.replace(waiting.id, unknown) == (await desk.get(f"{HERE}/{unknown}{path}")).text
    for act in ACTS:
        assert (await desk.submit(f"{HERE}/{waiting.id}/{act}", reason="x")).status_code == 404
    assert (await find_approval(connection, waiting.id)).state == "waiting"


async def test_who_sees_but_may_not_decide_is_refused(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(await given_officer(connection, "kiem", ("so", "auditor")))
    assert (await desk.get(f"{HERE}/{waiting.id}")).status_code == 200
    for act in ACTS:
        assert (await desk.get(f"{HERE}/{waiting.id}/{act}")).status_code == 403
        assert (await desk.submit(f"{HERE}/{waiting.id}/{act}", reason="x")).status_code == 403


@pytest.mark.parametrize("path", [f"{HERE}/x/xoa", f"{HERE}/00000000-0000-0000-0000-000000000000/PHE-DUYET"])
async def test_there_is_no_other_decision(stage, hung, desk_of, path):
    desk = await desk_of(hung)
    assert (await desk.get(path)).status_code == 404
    assert (await desk.submit(path)).status_code == 404


async def test_a_form_from_elsewhere_decides_nothing(connection, stage, lan, hung, desk_of):
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(hung)
    path, home = f"{HERE}/{waiting.id}/phe-duyet", str(desk.base_url).rstrip("/")
    assert (await desk.post(path, data={"csrf": "x"}, headers={"Origin": home})).status_code == 403
    foreign = await desk.post(path, data={"csrf": desk.csrf}, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert (await find_approval(connection, waiting.id)).state == "waiting"


async def test_more_fields_than_asked_for_change_nothing(connection, stage, lan, hung, desk_of):
    at = stage.now + HOUR
    waiting = await stage.hand_in(connection, lan, takes_effect_at=at)
    desk = await desk_of(hung)
    await desk.submit(
        f"{HERE}/{waiting.id}/phe-duyet", decided_by=lan.id, decided_for=lan.id, takes_effect_at="", state="withdrawn",
        prepared_by="", payload='{"text": "khác"}', unit_code="so", officer_id=lan.id,
    )  # fmt: skip
    approved = await find_approval(connection, waiting.id)
    assert (approved.state, approved.decided_by, approved.decided_for) == ("approved", hung.id, None)
    assert (approved.takes_effect_at, approved.unit_code) == (at, "thpt-hoa-sua")
    assert stage.notices.public["a"] == ("Nghỉ học ngày mai", at)


async def test_lists_are_narrowed_by_kind_and_unit(connection, stage, lan, hung, desk_of):
    minh = await given_approver(connection, "minh", "so")
    song = await given_editor(connection, "song", "thpt-song-xanh")
    await stage.hand_in(connection, lan, "của-hoa-sữa")
    await stage.hand_in(connection, song, "của-sông-xanh", unit_code="thpt-song-xanh")
    desk = await desk_of(minh)
    waiting = (await desk.get(HERE)).text
    assert "của-sông-xanh" in waiting
    assert "của-hoa-sữa" not in waiting, "it waits for the school's own approver"
    below = (await desk.get(f"{HERE}?muc=truc-thuoc")).text
    assert "của-hoa-sữa" in below
    assert "của-sông-xanh" not in below
    assert "của-sông-xanh" in (await desk.get(f"{HERE}?loai=notice&don-vi=thpt-song-xanh")).text
    none = (await desk.get(f"{HERE}?don-vi=thpt-hoa-sua")).text
    assert "Không có nội dung nào khớp" in none
    decided = await send_back(
        connection, stage.kinds, (await stage.hand_in(connection, lan, "c")).id, "Sửa", **stage.deciding(hung)
    )
    assert decided.id in (await desk.get(f"{HERE}?muc=da-xong")).text
    assert decided.id in (await (await desk_of(lan)).get(f"{HERE}?muc=toi-trinh")).text


@pytest.mark.parametrize("part", ["cho-toi", "toi-trinh", "truc-thuoc", "da-xong", "la"])
async def test_an_empty_list_says_so(stage, hung, desk_of, part):
    assert 'class="empty"' in (await (await desk_of(hung)).get(f"{HERE}?muc={part}")).text


async def test_looking_at_the_list_brings_what_is_lost_to_somebody(connection, stage, lan, hung, desk_of):
    minh = await given_approver(connection, "minh", "so")
    waiting = await stage.hand_in(connection, lan)
    await connection.execute("delete from units.officer_roles where officer_id = $1::text::uuid", hung.id)
    assert waiting.id in (await (await desk_of(minh)).get(HERE)).text
    assert [each.step for each in await list_steps(connection, waiting)] == ["handed_in", "moved"]
    assert "Chuyển đến Sở Giáo dục và Đào tạo" in (await (await desk_of(minh)).get(f"{HERE}/{waiting.id}")).text


async def test_a_calm_first_page_knows_my_units_and_my_last_sign_in(stage, hung, desk_of):
    desk = await desk_of(hung)
    page = (await desk.get("/can-bo")).text
    assert "Không có việc nào đang chờ." in page
    assert "Trường thpt-hoa-sua" in page
    assert "Người phê duyệt" in page
    assert "Đây là lần đăng nhập đầu tiên." in page
    await desk_of(hung)
    assert "8 giờ 00, thứ Tư ngày 01/7/2026" in (await desk.get("/can-bo")).text


async def test_navigation_shows_what_ones_roles_open(connection, stage, desk_of):
    def areas(page: str) -> str:
        return page.partition('class="areas')[2].partition("</nav>")[0]

    may = await given_officer(connection, "may", ("so", "operator"))
    shown = areas((await (await desk_of(may)).get("/can-bo")).text)
    for name, there in {"Việc của tôi": True, "Phê duyệt": False, "Kỳ thi": False, "Nhật ký": False}.items():
        assert (name in shown) == there
    kiem = await given_officer(connection, "kiem", ("so", "auditor"))
    assert "Nhật ký" in areas((await (await desk_of(kiem)).get("/can-bo")).text)


async def test_a_delegation_is_made_shown_and_ended_on_its_page(connection, stage, lan, hung, desk_of):
    page = f"{HERE}/uy-quyen"
    desk = await desk_of(hung)
    refused = await desk.submit(page, deputy="", first_day="31/2/2026", last_day="", reason="")
    assert refused.status_code == 422
    for name in ("deputy", "first_day", "last_day", "reason"):
        assert f'href="#{name}"' in refused.text
    typed = {"deputy": lan.id, "first_day": "2026-07-01", "last_day": "03/7/2026", "reason": "Đi công tác"}
    assert (await desk.submit(page, **typed, absent_id=lan.id, unit="so")).status_code == 422, "another unit"
    assert (await desk.submit(page, **typed, absent_id=lan.id)).status_code == 303
    shown = (await desk.get(page)).text
    assert "Bà lan quyết định thay thầy/cô" in shown
    assert "từ 01/7/2026 đến hết 03/7/2026" in shown
    deputy = await desk_of(lan)
    assert "Thầy/cô quyết định thay Bà hung" in (await deputy.get("/can-bo")).text
    delegation = await connection.fetchval("select id::text from units.approval_deputies")
    assert (await desk.submit(f"{page}/{delegation}/ket-thuc")).status_code == 303
    assert "Đã kết thúc" in (await desk.get(page)).text
    assert (await desk.submit(f"{page}/{delegation}/ket-thuc")).status_code == 409
    assert (await desk.submit(f"{page}/x/ket-thuc")).status_code == 404
    assert (await deputy.submit(page, **typed)).status_code == 403, "who is no approver delegates nothing"


async def test_a_decision_for_somebody_says_so(connection, stage, lan, hung, desk_of):
    binh = await given_editor(connection, "binh")
    await appoint(connection, stage, hung, binh)
    waiting = await stage.hand_in(connection, lan)
    desk = await desk_of(binh)
    assert "Quyết định thay Bà hung" in (await desk.get(f"{HERE}/{waiting.id}")).text
    answer = await desk.submit(f"{HERE}/{waiting.id}/phe-duyet")
    assert "Bà binh, thay Bà hung" in (await desk.get(answer.headers["location"])).text
