"""Letters about approvals: each to whom it concerns, once for each step."""

from datetime import timedelta

import msgspec
import pytest

from kit.keys import KeyRing
from kit.mail.post import Letter, unseal
from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_approver, given_editor, given_stage
from units.approvals.approvals import approve, send_back, withdraw
from units.approvals.letters import tell_deciders

HOUR = timedelta(hours=1)


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


@pytest.fixture
def letters(connection, settings):
    async def read():
        """Letters since the last look: the first part of the address, and what it says."""
        keys = KeyRing(settings.keys_folder)
        rows = await connection.fetch("delete from kit.mails returning key, recipient, sealed")
        written = {}
        for row in rows:
            letter = msgspec.json.decode(unseal(keys, row["key"], row["sealed"]), type=Letter)
            written[row["recipient"].partition("@")[0]] = letter
        return written

    return read


async def test_whoever_can_decide_is_told_and_nobody_else(connection, stage, letters):
    lan, hung = await given_editor(connection), await given_approver(connection)
    binh = await given_editor(connection, "binh")
    for name, held in {"chu": ("so", "approver"), "quan": ("thpt-hoa-sua", "administrator")}.items():
        await given_officer(connection, name, held)
    await given_officer(connection, "roi", ("thpt-hoa-sua", "approver"), state="disabled")
    await appoint(connection, stage, hung, binh)
    assert set(await letters()) == {"binh"}
    approval = await stage.hand_in(connection, lan, takes_effect_at=stage.now + HOUR, note="Xem giúp")
    written = await letters()
    assert set(written) == {"hung", "binh"}
    assert written["hung"].subject == "Chờ phê duyệt: Thông báo a"
    for text in ("Bà lan", "9 giờ 00, ngày 01/7/2026", "Xem giúp", f"https://x.example/can-bo/phe-duyet/{approval.id}"):
        assert text in written["hung"].text


async def test_the_same_is_not_told_twice(connection, stage, letters):
    lan, _ = await given_editor(connection), await given_approver(connection)
    approval = await stage.hand_in(connection, lan)
    await tell_deciders(connection, approval, stage.kinds, stage.tree, stage.now, stage.post)
    assert await connection.fetchval("select count(*) from kit.mails") == 1
    assert set(await letters()) == {"hung"}


async def test_all_whose_work_it_is_hear_what_became_of_it(connection, stage, letters):
    lan, hung = await given_editor(connection), await given_approver(connection)
    binh = await given_editor(connection, "binh")
    stage.notices.writers["a"] = [binh.id]
    first = await stage.hand_in(connection, lan, takes_effect_at=stage.now + HOUR)
    await letters()
    await approve(connection, stage.kinds, first.id, **stage.deciding(hung))
    written = await letters()
    assert set(written) == {"lan", "binh"}
    assert "Đã phê duyệt" in written["lan"].subject
    assert "9 giờ 00, ngày 01/7/2026" in written["lan"].text
    await withdraw(connection, stage.kinds, first.id, "Hoãn thi", **stage.deciding(lan))
    written = await letters()
    assert set(written) == {"hung", "binh"}, "who had approved it is told as well; who did it knows"
    assert "Hoãn thi" in written["hung"].text
    second = await stage.hand_in(connection, lan)
    await letters()
    await send_back(connection, stage.kinds, second.id, "Thiếu chữ ký", **stage.deciding(hung))
    written = await letters()
    assert set(written) == {"lan", "binh"}
    assert "Thiếu chữ ký" in written["binh"].text


async def test_a_letter_names_both_when_a_deputy_decided(connection, stage, letters):
    lan, hung = await given_editor(connection), await given_approver(connection)
    binh = await given_editor(connection, "binh")
    await appoint(connection, stage, hung, binh)
    approval = await stage.hand_in(connection, lan)
    await letters()
    await approve(connection, stage.kinds, approval.id, **stage.deciding(binh))
    assert "Bà binh (thay Bà hung)" in (await letters())["lan"].text


async def test_what_is_taken_back_by_the_command_line_is_told_too(connection, stage, letters):
    lan, _ = await given_editor(connection), await given_approver(connection)
    approval = await stage.hand_in(connection, lan)
    await letters()
    await withdraw(connection, stage.kinds, approval.id, "Theo công văn", **stage.deciding(None))
    assert "tổ kỹ thuật" in (await letters())["lan"].text


async def test_whoever_was_asked_to_decide_hears_that_nothing_waits_any_more(connection, stage, letters):
    lan, hung = await given_editor(connection), await given_approver(connection)
    binh = await given_editor(connection, "binh")
    await appoint(connection, stage, hung, binh)
    approval = await stage.hand_in(connection, lan)
    await letters()
    await withdraw(connection, stage.kinds, approval.id, "", **stage.deciding(lan))
    written = await letters()
    assert set(written) == {"hung", "binh"}
    assert written["hung"].subject == "Đã rút lại: Thông báo a"
    assert "Bà lan" in written["hung"].text
    second = await stage.hand_in(connection, lan)
    await letters()
    await withdraw(connection, stage.kinds, second.id, "Nhầm", **stage.deciding(hung))
    assert set(await letters()) == {"lan", "binh"}
