"""Whoever leaves hands over what they had handed in; delegations end with them."""

import pytest

from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_approver, given_editor, given_stage
from units.approvals.approval import OwnWork
from units.approvals.approvals import approve, find_approval, send_back, withdraw
from units.approvals.open_work import Delegations, WorkHandedIn
from units.approvals.steps import list_steps
from units.officers.officers import Held
from units.officers.staffing import disable, revoke

UNITS = ["thpt-hoa-sua"]


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


async def test_what_waits_and_what_came_back_is_open(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    waiting = await stage.hand_in(connection, lan, "a")
    returned = await stage.hand_in(connection, lan, "b")
    await send_back(connection, stage.kinds, returned.id, "Sửa", **stage.deciding(hung))
    again = await stage.hand_in(connection, lan, "c")
    await send_back(connection, stage.kinds, again.id, "Sửa", **stage.deciding(hung))
    done = await stage.hand_in(connection, lan, "c")
    await approve(connection, stage.kinds, done.id, **stage.deciding(hung))
    found = await WorkHandedIn(stage.kinds).list_open(connection, lan.id, UNITS, stage.now)
    assert {each.id for each in found} == {waiting.id, returned.id}
    assert not await WorkHandedIn(stage.kinds).list_open(connection, lan.id, ["so"], stage.now)


async def test_a_successor_looks_after_it_and_so_cannot_approve_it(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    mai = await given_approver(connection, "mai")
    approval = await stage.hand_in(connection, lan)
    work = WorkHandedIn(stage.kinds)
    (item,) = await work.list_open(connection, lan.id, UNITS, stage.now)
    actor = stage.deciding(hung)["actor"]
    await work.hand_over(connection, item, lan.id, None, actor, stage.now)
    assert (await find_approval(connection, approval.id)).looked_after_by == lan.id
    await work.hand_over(connection, item, lan.id, mai.id, actor, stage.now)
    taken_over = await find_approval(connection, approval.id)
    assert (taken_over.looked_after_by, set(taken_over.prepared_by)) == (mai.id, {lan.id, mai.id})
    assert (await list_steps(connection, approval))[-1].handed_to == mai.id
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(mai))
    assert not await work.list_open(connection, lan.id, UNITS, stage.now)
    await withdraw(connection, stage.kinds, approval.id, "", **stage.deciding(mai))


async def test_what_came_back_can_be_taken_over(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    binh = await given_editor(connection, "binh")
    approval = await stage.hand_in(connection, lan)
    await send_back(connection, stage.kinds, approval.id, "Sửa", **stage.deciding(hung))
    (item,) = await WorkHandedIn(stage.kinds).list_open(connection, lan.id, UNITS, stage.now)
    await WorkHandedIn(stage.kinds).hand_over(
        connection, item, lan.id, binh.id, stage.deciding(hung)["actor"], stage.now
    )
    assert [each.id for each in await WorkHandedIn(stage.kinds).list_open(connection, binh.id, UNITS, stage.now)] == [
        approval.id
    ]


@pytest.mark.parametrize("leaving", ["hung", "binh"])
async def test_delegations_end_with_either_of_the_two(connection, stage, leaving):
    hung, binh = await given_approver(connection), await given_editor(connection, "binh")
    await appoint(connection, stage, hung, binh)
    officer = {"hung": hung, "binh": binh}[leaving]
    (item,) = await Delegations().list_open(connection, officer.id, UNITS, stage.now)
    await Delegations().hand_over(connection, item, officer.id, None, stage.deciding(officer)["actor"], stage.now)
    assert not await Delegations().list_open(connection, hung.id, UNITS, stage.now)


@pytest.mark.parametrize("how", ["revoked", "disabled"])
async def test_what_waited_for_whoever_leaves_waits_elsewhere_in_the_same_step(connection, stage, how):
    lan, hung = await given_editor(connection), await given_approver(connection)
    ha = await given_officer(connection, "ha", ("so", "administrator"), ("so", "approver"))
    approval = await stage.hand_in(connection, lan)
    works = [WorkHandedIn(stage.kinds), Delegations()]
    context = stage.deciding(ha)
    context["by"] = context.pop("officer")
    async with connection.transaction():
        if how == "revoked":
            held = Held("thpt-hoa-sua", "approver")
            await revoke(connection, hung.id, held, works=works, choices={}, **context)
        else:
            await disable(connection, hung.id, "Chuyển công tác", works=works, choices={}, **context)
    assert (await find_approval(connection, approval.id)).decided_in == "so"
    assert [each.step for each in await list_steps(connection, approval)] == ["handed_in", "moved"]
