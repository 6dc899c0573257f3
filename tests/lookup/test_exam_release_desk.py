"""What an approver is shown before results become public, that it is just that, and how it is taken down."""

import asyncio
import time
from datetime import timedelta

import pytest

from lookup.exam_approvals import EXAM_ANNOUNCEMENT, EXAM_RELEASE, NoMomentForThis, announcement_payload
from lookup.exam_drafts import Announced
from lookup.exams import find_exam
from tests.lookup.desk import (
    RESULTS,
    Office,
    batches_of,
    given_batch,
    given_draft,
    hand_in,
    text_of,
    waiting,
)
from tests.people import MINH, MORNING
from units.approvals.approval import AlreadyInEffect
from units.record.entries import SERVICE

PAGE = "/can-bo/ky-thi/thi-thu"
CROWD = "".join(f"991{number:05},Thí sinh,01/02/2008,{number % 40 / 4},{number % 36 / 4}\n" for number in range(150))
QUESTION = {"candidate_number": MINH.number, "birth_date": "1/2/2008"}


@pytest.fixture
def office(service, connection, pool, tmp_path, pin_key):
    return Office(service, connection, pool, tmp_path, pin_key)


@pytest.fixture
async def hien(office):
    desk = await office.hien()
    await given_draft(desk)
    return desk


@pytest.fixture
async def hung(office):
    return await office.hung()


async def released(office, connection, hien, hung, content=RESULTS, **fields):
    """Brought in, handed in, approved."""
    await given_batch(office, hien, content, **({"reason": "Phúc khảo"} if await batches_of(connection) else {}))
    waits = [row["id"] for row in await connection.fetch("select id from lookup.batches where generation is null")]
    answer = await hand_in(hien, sorted(waits), **fields)
    assert answer.status_code == 303, answer.text
    answer = await hung.submit(f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet")
    assert answer.status_code == 303, answer.text


async def score(visitor):
    answer = await visitor.post("/api/v1/exams/thi-thu/results", json=QUESTION)
    return answer.json()["components"][0]["score"] if answer.status_code == 200 else answer.status_code


async def test_the_page_shows_what_would_become_public_before_it_is_handed_in(office, hien):
    await given_batch(office, hien, RESULTS + CROWD)
    answer = await hien.get(f"{PAGE}/trinh-cong-bo")
    page = text_of(answer)
    assert answer.status_code == 200
    assert "Chưa có ai phê duyệt được" in page
    assert "Kết quả mới 152" in page
    assert "Toán 152" in page
    assert "<svg" in answer.text


async def test_what_opened_from_its_sealed_file_is_public_to_officers_and_can_be_taken_down(
    office, connection, hien, hung
):
    await released(office, connection, hien, hung)
    await connection.execute("update lookup.releases set sealed_at = opens_at")
    page = text_of(await hung.get(PAGE))
    assert "Đang công bố" in page
    assert "Gỡ bỏ kết quả" in page
    assert "Đang công bố" in text_of(await hung.get("/can-bo/ky-thi"))


async def test_the_approver_reads_corrections_by_subject_and_whose_they_are(office, connection, service, hien, hung):
    await released(office, connection, hien, hung)
    await given_batch(office, hien, RESULTS.replace("8.25", "8.75").replace(",4,", ",3,"), reason="Phúc khảo")
    await hand_in(hien, (await batches_of(connection))[-1:])
    page = text_of(await hung.get(f"/can-bo/phe-duyet/{await waiting(connection)}"))
    assert "Toán 1 1 0 0 0 1" in page
    assert "Kết quả được sửa 2" in page
    assert "Bà hien" in page
    assert "đang công bố" in page


async def test_who_has_handed_in_sees_what_waits_where(office, connection, hien, hung):
    await given_batch(office, hien)
    answer = await hand_in(hien, await batches_of(connection))
    assert answer.headers["location"] == f"/can-bo/phe-duyet/{await waiting(connection)}?vua=trinh"
    assert "Đã trình phê duyệt" in text_of(await hien.get(answer.headers["location"]))


async def test_the_second_look_names_the_unit_once(office, connection, hien, hung):
    await given_batch(office, hien)
    await hand_in(hien, await batches_of(connection))
    answer = await hung.get(f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet")
    assert answer.text.count("<dt>Đơn vị</dt>") == 1


async def test_exactly_what_was_approved_becomes_public(office, connection, service, visitor, hien, hung):
    await given_batch(office, hien)
    await hand_in(hien, await batches_of(connection))
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Sau đó")
    assert (await hung.submit(f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet")).status_code == 303
    await service.hears_all_changes()
    assert await score(visitor) == 8.25
    assert "Chưa công bố" in text_of(await hien.get(PAGE))


async def test_no_batch_is_left_behind_or_made_up(office, connection, hien):
    await given_batch(office, hien)
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Sau đó")
    first, second = await batches_of(connection)
    for ids in ([second], [first, 999_999], [999_999]):
        assert (await hand_in(hien, ids)).status_code == 409, ids
    assert (await hand_in(hien, [])).status_code == 409
    odd = {"batches": "1; drop table", "when": "now"}
    assert (await hien.submit(f"{PAGE}/trinh-cong-bo", **odd)).status_code == 409
    assert await waiting(connection) is None


async def test_a_moment_is_kept_to_the_second(office, connection, service, visitor, clock, hien, hung):
    await released(office, connection, hien, hung, when="moment", opens_day="2026-07-01", opens_hour="9:30")
    await service.hears_all_changes()
    opens_at = MORNING + timedelta(minutes=90)
    clock.now = opens_at - timedelta(seconds=1)
    assert await score(visitor) == 404
    clock.now = opens_at
    assert await score(visitor) == 8.25


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"when": ""}, "Chọn thời điểm công bố"),
        ({"when": "bao-gio"}, "một trong các mục"),
        ({"when": "moment"}, "Nhập ngày công bố"),
        ({"when": "moment", "opens_day": "2/7/2026"}, "Nhập giờ công bố"),
        ({"when": "moment", "opens_day": "01/07/2026", "opens_hour": "7:00"}, "đã qua"),
        ({"when": "now", "note": "x" * 3000}, "quá 2000 ký tự"),
    ],
)
async def test_the_form_says_what_is_wrong(office, connection, hien, fields, sentence):
    await given_batch(office, hien)
    answer = await hand_in(hien, await batches_of(connection), **fields)
    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert await waiting(connection) is None


async def test_odd_hours_and_open_scores_are_pointed_out(office, connection, hien, hung):
    await given_draft(hien, code="mo", policy="public")
    await given_batch(office, hien, RESULTS, "mo")
    ids = await batches_of(connection, "mo")
    await hand_in(hien, ids, "mo", when="moment", opens_day="2026-07-05", opens_hour="03:00")
    page = text_of(await hung.get(f"/can-bo/phe-duyet/{await waiting(connection)}"))
    assert "ngoài giờ thường lệ" in page
    assert "công khai điểm của mọi số báo danh" in page


async def test_an_approved_release_is_taken_back_before_its_moment(
    office, connection, service, clock, visitor, hien, hung
):
    await released(office, connection, hien, hung, when="moment", opens_day="2026-07-02", opens_hour="08:00")
    (batch,) = await batches_of(connection)
    assert (await hien.submit(f"{PAGE}/dot/{batch}/hoan-tac")).status_code == 409
    approval = await connection.fetchval("select id::text from units.approvals")
    assert (await hien.submit(f"/can-bo/phe-duyet/{approval}/rut-lai", reason="Nhầm ngày")).status_code == 303
    assert await connection.fetchval("select count(*) from lookup.releases") == 0
    clock.now = MORNING + timedelta(minutes=10)
    await service.hears_all_changes()
    assert (await hand_in(hien, [batch])).status_code == 303


async def test_results_are_taken_down_by_one_within_ten_seconds(office, connection, service, visitor, hien, hung):
    await released(office, connection, hien, hung)
    await service.hears_all_changes()
    assert await score(visitor) == 8.25
    assert (await hien.submit(f"{PAGE}/go-bo", reason="Sai")).status_code == 403
    assert (await hung.get(f"{PAGE}/go-bo")).status_code == 200
    unsaid = await hung.submit(f"{PAGE}/go-bo", reason=" ")
    assert (unsaid.status_code, "Nêu lý do" in unsaid.text) == (422, True)
    began = time.monotonic()
    answer = await hung.submit(f"{PAGE}/go-bo", reason="Sai dữ liệu")
    assert answer.status_code == 303
    while await score(visitor) == 8.25:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    while "Kết quả đã được gỡ bỏ" not in text_of(await hung.get(answer.headers["location"])):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 10
    assert "Đã gỡ bỏ" in text_of(await hung.get(PAGE))


async def test_a_node_that_has_not_confirmed_is_named(office, connection, service, hien, hung):
    await released(office, connection, hien, hung)
    await connection.execute(
        "insert into units.nodes (name, applied_change, seen_at)"
        " values ('tinh-2/1', 0, clock_timestamp() - interval '60 s')"
    )
    answer = await hung.submit(f"{PAGE}/go-bo", reason="Sai dữ liệu")
    page = await hung.get(answer.headers["location"])
    assert "tinh-2/1" in text_of(page)
    assert "Im lặng" in text_of(page)
    assert '<meta http-equiv="refresh"' in page.text


async def test_opening_again_wants_two_people(office, connection, service, visitor, hien, hung):
    await released(office, connection, hien, hung)
    await hung.submit(f"{PAGE}/go-bo", reason="Xem lại")
    assert (await hand_in(hien, [])).status_code == 303
    page = text_of(await hung.get(f"/can-bo/phe-duyet/{await waiting(connection)}"))
    assert "đã bị gỡ bỏ" in page
    await service.hears_all_changes()
    assert await score(visitor) == 404
    await hung.submit(f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet")
    await service.hears_all_changes()
    assert await score(visitor) == 8.25


async def test_taking_down_ends_what_waits(office, connection, service, hien, hung):
    await released(office, connection, hien, hung)
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Sau đó")
    await hand_in(hien, (await batches_of(connection))[-1:])
    await hung.submit(f"{PAGE}/go-bo", reason="Xem lại")
    assert await waiting(connection) is None
    states = await connection.fetch("select state from units.approvals order by handed_in_at, state")
    assert [row["state"] for row in states] == ["approved", "withdrawn"]


async def test_what_changed_since_it_was_handed_in_is_not_approved(office, connection, service, hien, hung):
    await released(office, connection, hien, hung)
    await given_batch(office, hien, RESULTS.replace("8.25", "9"), reason="Sau đó")
    await hand_in(hien, (await batches_of(connection))[-1:])
    # By the command line, which ends no approvals.
    await connection.execute("update lookup.exams set withdrawn_generation = 1")
    answer = await hung.submit(f"/can-bo/phe-duyet/{await waiting(connection)}/phe-duyet")
    assert answer.status_code == 409
    assert await connection.fetchval("select count(*) from lookup.releases") == 1


async def test_an_announcement_has_no_moment_and_is_not_taken_back(office, connection, hien):
    payload = announcement_payload(Announced.of(await find_exam(connection, "thi-thu")))
    with pytest.raises(NoMomentForThis):
        await EXAM_ANNOUNCEMENT.take_effect(
            connection, "thi-thu", payload, MORNING + timedelta(days=1), SERVICE, MORNING
        )
    with pytest.raises(AlreadyInEffect):
        await EXAM_ANNOUNCEMENT.take_back(connection, "thi-thu", payload, SERVICE, MORNING)
    assert EXAM_RELEASE.address("thi-thu") == EXAM_ANNOUNCEMENT.address("thi-thu") == PAGE
