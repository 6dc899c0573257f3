"""Officers set exams up, bring results in, hand them on; nobody sees more than is theirs, nobody is enough alone."""

import pytest

from lookup.exams import find_exam
from tests.lookup.desk import (
    NEW_EXAM,
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
from tests.people import MINH

QUESTION = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


async def approve(desk, approval_id):
    return await desk.submit(f"/can-bo/phe-duyet/{approval_id}/phe-duyet")


# The whole way


async def test_results_go_from_a_file_over_two_people_to_the_public(office, connection, service, visitor):
    hien, hung = await office.hien(), await office.hung()
    code = await given_draft(hien)
    await given_batch(office, hien)
    assert (await visitor.get(f"/api/v1/exams/{code}")).status_code == 404
    assert (await hand_in(hien, await batches_of(connection))).status_code == 303
    assert (await approve(hung, await waiting(connection))).status_code == 303
    await service.hears_all_changes()
    answer = await visitor.post(f"/api/v1/exams/{code}/results", json=QUESTION)
    assert answer.json()["components"][0]["score"] == 8.25
    told = await actions_on_record(connection)
    steps = ["exam.added", "exam.file_received", "exam.import_confirmed", "exam.uploaded", "approval.handed_in"]
    assert [action for action in told if action in steps] == steps
    assert {"exam.released", "exam.listed", "approval.approved"} <= set(told)


async def test_a_draft_is_known_to_nobody_outside(office, service, visitor):
    code = await given_draft(await office.hien())
    await service.hears_all_changes()
    for path in (f"/tra-cuu/diem-thi/{code}", f"/api/v1/exams/{code}"):
        draft, unknown = await visitor.get(path), await visitor.get(path.replace(code, "khong-co"))
        assert (draft.status_code, draft.text.replace(code, "khong-co")) == (404, unknown.text)
    assert code not in (await visitor.get("/tra-cuu/diem-thi")).text
    assert (await visitor.get("/api/v1/exams")).json() == []


async def test_a_draft_becomes_known_without_results_when_somebody_else_approves(office, connection, service, visitor):
    hien, hung = await office.hien(), await office.hung()
    code = await given_draft(hien, announced_day="2026-07-02", announced_hour="08:00")
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin")).status_code == 303
    assert (await visitor.get(f"/api/v1/exams/{code}")).status_code == 404
    assert (await approve(hung, await waiting(connection, "exam-announcement"))).status_code == 303
    await service.hears_all_changes()
    listed = (await visitor.get(f"/api/v1/exams/{code}")).json()
    assert (listed["state"], listed["opens_at"]) == ("sealed", "2026-07-02T01:00:00Z")


async def test_what_a_known_exam_says_changes_by_approval_alone(office, connection, service, visitor):
    hien, hung = await office.hien(), await office.hung()
    code = await given_draft(hien)
    await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin")
    await approve(hung, await waiting(connection, "exam-announcement"))
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/sua", **NEW_EXAM)).status_code == 409
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/xoa")).status_code == 409
    same = {"name": NEW_EXAM["name"]}
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin", **same)).status_code == 409
    proposed = await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin", name="Kỳ thi thử, lần hai", policy="public")
    assert proposed.status_code == 303
    page = text_of(await hung.get(f"/can-bo/phe-duyet/{await waiting(connection, 'exam-announcement')}"))
    assert "Kỳ thi thử, lần hai" in page
    await approve(hung, await waiting(connection, "exam-announcement"))
    await service.hears_all_changes()
    told = (await visitor.get(f"/api/v1/exams/{code}")).json()
    # The form was asked for no policy: what else came with it is nothing.
    assert (told["name"], told["policy"]) == ("Kỳ thi thử, lần hai", "birth-date")


# Who may


async def test_an_exam_of_another_unit_is_not_there(office):
    await office.school()
    code = await given_draft(await office.hien())
    stranger = await office.desk("la", ("thpt-hoa-sua", "editor"), ("thpt-hoa-sua", "approver"))
    for path in ("", "/sua", "/xoa", "/tep", "/trinh-cong-bo", "/trinh-thong-tin", "/go-bo", "/dot/1/hoan-tac"):
        for answer in (await stranger.get(f"/can-bo/ky-thi/{code}{path}"),
                       await stranger.submit(f"/can-bo/ky-thi/{code}{path}")):  # fmt: skip
            assert answer.status_code in (404, 405), path
    assert (await send_file(stranger, code, "SBD\n")).status_code == 404
    assert code not in (await stranger.get("/can-bo/ky-thi")).text


async def test_an_exam_that_is_not_there_leaves_officers_where_they_were(office):
    hien = await office.hien()
    answer = await hien.get("/can-bo/ky-thi/khong-co")
    assert answer.status_code == 404
    assert 'aria-label="Khu vực cán bộ"' in answer.text
    assert 'href="/can-bo/ky-thi">Danh sách kỳ thi' in answer.text
    unknown = await hien.get("/can-bo/khong-co")
    assert (unknown.status_code, 'href="/can-bo">Về việc của tôi' in unknown.text) == (404, True)


async def test_the_managing_unit_sees_a_schools_exam_and_changes_nothing(office, connection):
    await office.school()
    teacher = await office.desk("giao", ("thpt-hoa-sua", "editor"))
    code = await given_draft(teacher, unit="thpt-hoa-sua")
    above = await office.desk("tren", ("so", "administrator"), ("so", "editor"))
    assert (await above.get(f"/can-bo/ky-thi/{code}")).status_code == 200
    assert (await above.submit(f"/can-bo/ky-thi/{code}/sua", **NEW_EXAM)).status_code == 403
    assert (await send_file(above, code, "SBD,Toán\n99000001,8\n")).status_code == 403
    assert await connection.fetchval("select count(*) from lookup.uploads") == 0


@pytest.mark.parametrize("role", ["approver", "administrator", "auditor"])
async def test_only_editors_prepare(office, role):
    hien = await office.hien()
    code = await given_draft(hien)
    await given_batch(office, hien)
    other = await office.desk("khac", ("so", role))
    file = (await send_file(hien, code, "SBD,Toán\n99000001,82\n")).headers["location"]
    for path in ("sua", "xoa", "trinh-cong-bo", "trinh-thong-tin"):
        assert (await other.submit(f"/can-bo/ky-thi/{code}/{path}", **NEW_EXAM)).status_code == 403, path
        assert (await other.get(f"/can-bo/ky-thi/{code}/{path}")).status_code == 403, path
    assert (await send_file(other, code, "SBD,Toán\n99000001,8\n")).status_code == 403
    for path in ("", "/loi", "/tep-goc", "/bang-loi"):
        assert (await other.get(f"{file}{path}")).status_code == 403
    assert (await other.submit("/can-bo/ky-thi/tao", **NEW_EXAM | {"code": "khac"})).status_code == 403
    assert (await other.get(f"/can-bo/ky-thi/{code}")).status_code == 200


async def test_nobody_approves_results_that_she_brought_in(office, connection):
    both = await office.desk("ca-hai", ("so", "editor"), ("so", "approver"))
    hien = await office.hien()
    await given_draft(hien)
    await given_batch(office, both)
    # Somebody else handed it in: it is still her file.
    assert (await hand_in(hien, await batches_of(connection))).status_code == 303
    assert (await approve(both, await waiting(connection))).status_code == 403
    assert await connection.fetchval("select count(*) from lookup.releases") == 0


async def test_operators_see_no_exams(office):
    code = await given_draft(await office.hien())
    operator = await office.desk("van-hanh", ("so", "operator"))
    assert (await operator.get(f"/can-bo/ky-thi/{code}")).status_code == 404
    assert code not in (await operator.get("/can-bo/ky-thi")).text


# Forms


async def test_a_form_names_every_mistake_at_once_and_keeps_what_was_typed(office, connection):
    hien = await office.hien()
    answer = await hien.submit(
        "/can-bo/ky-thi/tao", unit="khong-co", code="Lớp 10!", name="", year="26", kind="lop-11", policy="",
        number_format="[0-9]+", announced_day="31/2/2026", announced_hour="", regrade_from="10/7/2026",
        regrade_to="02/7/2026", regrade_fee="x" * 600,
    )  # fmt: skip
    assert answer.status_code == 422
    for sentence in (
        "Chọn một trong các mục", "chữ cái thường không dấu", "Nhập tên kỳ thi", "Nhập giờ dự kiến", "từ 1990 đến 2100",
        "Dạng số báo danh chỉ", "không có trong lịch", "không thể trước ngày đầu", "quá 500 ký tự",
    ):  # fmt: skip
        assert sentence in answer.text, sentence
    assert "Lớp 10!" in answer.text
    assert await connection.fetchval("select count(*) from lookup.exams") == 0


async def test_more_mistakes_of_the_form(office):
    hien = await office.hien()
    await given_draft(hien)
    taken = await hien.submit("/can-bo/ky-thi/tao", **NEW_EXAM)
    assert (taken.status_code, "dùng mã này" in taken.text) == (422, True)
    named = await hien.submit("/can-bo/ky-thi/tao", **NEW_EXAM | {"policy": "public", "show_name": "1"})
    assert (named.status_code, "không được hiện họ tên" in named.text) == (422, True)
    hour = await hien.submit("/can-bo/ky-thi/tao", **NEW_EXAM | {"announced_day": "1/7/2026", "announced_hour": "sáng"})
    assert (hour.status_code, "Nhập giờ và phút" in hour.text) == (422, True)


async def test_a_form_brings_nothing_that_it_does_not_ask_for(office, connection):
    code = await given_draft(
        await office.hien(), listed_at="2026-01-01", withdrawn_generation="9", total_rule="{}", created_at="1990-01-01",
        releases="[]", unit_code="thpt-hoa-sua",
    )  # fmt: skip
    exam = await find_exam(connection, code)
    assert (exam.listed_at, exam.withdrawn_generation, exam.unit.code) == (None, 0, "so")


async def test_a_draft_is_put_right_until_results_fix_its_shape(office, connection):
    hien = await office.hien()
    code = await given_draft(hien)
    changed = NEW_EXAM | {"kind": "lop-10", "policy": "pin", "name": "Thi thử vào lớp 10", "regrade_fee": "Không thu"}
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/sua", **changed)).status_code == 303
    exam = await find_exam(connection, code)
    assert (exam.kind, exam.policy, exam.number_format, exam.regrade.fee) == ("lop-10", "pin", "999999", "Không thu")
    assert exam.total_rule is not None
    await given_batch(office, hien, "SBD,Toán\n990101,8\n")
    await hien.submit(f"/can-bo/ky-thi/{code}/sua", **changed | {"kind": "thpt", "policy": "public", "name": "Tên mới"})
    exam = await find_exam(connection, code)
    assert (exam.name, exam.kind, exam.policy) == ("Tên mới", "lop-10", "pin")


async def test_a_draft_is_removed_with_everything_in_it(office, connection):
    hien = await office.hien()
    code = await given_draft(hien)
    await given_batch(office, hien)
    await send_file(hien, code, "SBD,Toán\n99000001,82\n")
    assert (await hien.get(f"/can-bo/ky-thi/{code}/xoa")).status_code == 200
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/xoa")).status_code == 303
    for table in ("exams", "batches", "results", "uploads", "upload_pieces"):
        assert await connection.fetchval(f"select count(*) from lookup.{table}") == 0  # noqa: S608
    assert (await hien.get(f"/can-bo/ky-thi/{code}")).status_code == 404


async def test_what_waits_for_approval_is_not_changed_under_their_eyes(office):
    hien = await office.hien()
    code = await given_draft(hien)
    await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin")
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/sua", **NEW_EXAM)).status_code == 409
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/xoa")).status_code == 409
    assert (await hien.submit(f"/can-bo/ky-thi/{code}/trinh-thong-tin")).status_code == 409


async def test_forms_of_another_site_or_session_do_nothing(office, connection):
    hien = await office.hien()
    forged = await hien.post("/can-bo/ky-thi/tao", data=NEW_EXAM | {"csrf": hien.csrf}, headers={"Origin": "https://x"})
    assert forged.status_code == 403
    hien.csrf = "khong-dung"
    assert (await hien.submit("/can-bo/ky-thi/tao", **NEW_EXAM)).status_code == 403
    assert await connection.fetchval("select count(*) from lookup.exams") == 0
