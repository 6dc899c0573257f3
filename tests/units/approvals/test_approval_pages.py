"""The pages of approvals: what waits, what it changes, and a decision that is meant."""

import pytest

from server.approval_kinds import KINDS
from tests.officers import signed_in
from tests.units.approvals.notices import given_approver, given_editor, given_stage

HERE = "/can-bo/phe-duyet"


@pytest.fixture
async def stage(connection, settings, monkeypatch):
    stage = await given_stage(connection, settings)
    monkeypatch.setitem(KINDS, "notice", stage.notices)
    return stage


@pytest.fixture
async def desks(connection, stage, service):
    """Lan prepares, Hùng approves."""
    await service.hears_all_changes()
    lan, hung = await given_editor(connection), await given_approver(connection)
    return await signed_in(service, lan), await signed_in(service, hung)


async def test_approving_takes_a_second_look_and_says_what_happens_next(connection, stage, desks):
    lan, hung = desks
    waiting = await stage.hand_in(connection, lan.officer)
    assert "Thông báo a" in (await hung.get("/can-bo")).text
    assert "Thông báo a" in (await hung.get(HERE)).text
    one = await hung.get(f"{HERE}/{waiting.id}")
    assert f'href="{HERE}/{waiting.id}/phe-duyet"' in one.text
    assert "<form" not in one.text.partition("<main")[2], "one step does not approve"
    assert f'action="{HERE}/{waiting.id}/phe-duyet"' in (await hung.get(f"{HERE}/{waiting.id}/phe-duyet")).text
    answer = await hung.submit(f"{HERE}/{waiting.id}/phe-duyet")
    assert answer.status_code == 303
    assert "Đã phê duyệt" in (await hung.get(answer.headers["location"])).text
    assert stage.notices.public["a"][0] == "Nghỉ học ngày mai"
