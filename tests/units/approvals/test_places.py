"""Where the second person sits: in the unit, above it, and somewhere else when nobody is left there."""

import pytest

from kit.keys import KeyRing
from kit.redis_servers import RedisServer
from server.approval_kinds import KINDS
from server.running.approval_work import find_places
from server.running.workshop import Workshop
from tests.officers import given_officer, given_unit
from tests.units.approvals.notices import given_approver, given_editor, given_stage
from units.approvals.approvals import approve, find_approval, is_staffed, list_waiting_for
from units.approvals.places import chain_of, find_place
from units.approvals.rerouting import is_anything_misplaced, reroute
from units.approvals.steps import list_steps
from units.unit_tree import UnitTree
from units.units import list_units


@pytest.fixture
async def stage(connection, settings, monkeypatch):
    stage = await given_stage(connection, settings)
    monkeypatch.setitem(KINDS, "notice", stage.notices)
    return stage


async def goes(connection, stage):
    return await reroute(connection, stage.kinds, stage.tree, stage.now, stage.post)


async def leaves(connection, officer):
    await connection.execute("delete from units.officer_roles where officer_id = $1::text::uuid", officer.id)


def test_a_change_of_a_school_is_decided_by_whoever_manages_it(stage):
    assert chain_of(stage.tree, "unit-change", "thcs-an-binh") == ["xa-an-binh", "so"]
    assert chain_of(stage.tree, "exam-release", "thcs-an-binh") == ["thcs-an-binh", "xa-an-binh", "so"]
    assert chain_of(stage.tree, "unit-change", "so") == ["so"]


def test_a_commune_decides_nothing_of_an_upper_secondary_school_on_its_ground(stage):
    assert chain_of(stage.tree, "exam-release", "thpt-hoa-sua") == ["thpt-hoa-sua", "so"]


async def test_it_waits_in_the_unit_that_has_a_second_approver(connection, stage):
    lan, _ = await given_editor(connection), await given_approver(connection)
    await given_approver(connection, "minh", "so")
    assert (await stage.hand_in(connection, lan)).decided_in == "thpt-hoa-sua"


@pytest.mark.parametrize("state", ["invited", "asleep", "disabled"])
async def test_who_is_not_there_is_no_second_person(connection, stage, state):
    lan = await given_editor(connection)
    await given_officer(connection, "hung", ("thpt-hoa-sua", "approver"), state=state)
    await given_approver(connection, "minh", "so")
    assert (await stage.hand_in(connection, lan)).decided_in == "so"


async def test_a_unit_whose_only_approver_prepared_it_hands_up_by_itself(connection, stage):
    mai = await given_officer(connection, "mai", ("thcs-an-binh", "editor"), ("thcs-an-binh", "approver"))
    commune = await given_approver(connection, "tuan", "xa-an-binh")
    await given_approver(connection, "minh", "so")
    approval = await stage.hand_in(connection, mai, unit_code="thcs-an-binh")
    assert approval.decided_in == "xa-an-binh"
    assert [each.id for each in await list_waiting_for(connection, commune, stage.tree, stage.now)] == [approval.id]


async def test_with_nobody_up_to_the_root_it_waits_there_and_that_can_be_known(connection, stage):
    lan = await given_editor(connection)
    approval = await stage.hand_in(connection, lan)
    assert approval.decided_in == "so"
    assert not await is_staffed(connection, stage.tree, "thpt-hoa-sua", "notice")
    minh = await given_approver(connection, "minh", "so")
    assert await is_staffed(connection, stage.tree, "thpt-hoa-sua", "notice")
    assert not await is_staffed(connection, stage.tree, "thpt-hoa-sua", "notice", [minh.id])
    await approve(connection, stage.kinds, approval.id, **stage.deciding(minh))


async def test_what_waits_for_an_approver_who_leaves_goes_up_with_a_step_and_a_letter(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    minh = await given_approver(connection, "minh", "so")
    approval = await stage.hand_in(connection, lan)
    assert not await is_anything_misplaced(connection)
    await leaves(connection, hung)
    assert await is_anything_misplaced(connection)
    assert [each.decided_in for each in await goes(connection, stage)] == ["so"]
    assert [(each.step, each.unit_code) for each in await list_steps(connection, approval)] == [
        ("handed_in", "thpt-hoa-sua"),
        ("moved", "so"),
    ]
    assert await connection.fetchval("select count(*) from kit.mails where recipient = $1", minh.email) == 1
    assert not await is_anything_misplaced(connection)


async def test_the_worker_sees_to_it_that_nothing_is_lost(connection, stage, pool, settings):
    lan, hung = await given_editor(connection), await given_approver(connection)
    await given_approver(connection, "minh", "so")
    approval = await stage.hand_in(connection, lan)
    keys = KeyRing(settings.keys_folder)
    shop = Workshop(settings, pool, RedisServer(settings.redis_url), keys, stage.post, lambda: stage.now)
    await find_places(shop)
    assert (await find_approval(connection, approval.id)).decided_in == "thpt-hoa-sua"
    await leaves(connection, hung)
    await find_places(shop)
    assert (await find_approval(connection, approval.id)).decided_in == "so"


async def test_it_comes_back_down_only_from_where_nobody_is(connection, stage):
    lan = await given_editor(connection)
    approval = await stage.hand_in(connection, lan)
    assert await goes(connection, stage) == [], "nobody anywhere: it stays"
    await given_approver(connection)
    assert [each.decided_in for each in await goes(connection, stage)] == ["thpt-hoa-sua"]
    await given_approver(connection, "minh", "so")
    assert await goes(connection, stage) == []
    assert (await find_approval(connection, approval.id)).decided_in == "thpt-hoa-sua"


async def test_what_one_looks_at_is_not_waited_for(connection, pool, stage):
    """Somebody decides about it at this moment: others skip it."""
    lan, hung = await given_editor(connection), await given_approver(connection)
    approval = await stage.hand_in(connection, lan)
    await leaves(connection, hung)
    async with pool.acquire() as other, other.transaction():
        await other.execute("select from units.approvals where id = $1::text::uuid for update", approval.id)
        assert await goes(connection, stage) == []


async def test_a_closed_unit_is_answered_for_by_its_successor(connection, stage):
    await given_unit(connection, "thpt-moi")
    await connection.execute(
        "update units.units set closed_on = '2026-06-01', succeeded_by = 'thpt-moi' where code = 'thpt-hoa-sua'"
    )
    tree = UnitTree(await list_units(connection))
    old = await given_approver(connection)
    assert (await find_place(connection, tree, "notice", "thpt-hoa-sua", [])).unit_code == "thpt-moi"
    assert not (await find_place(connection, tree, "notice", "thpt-hoa-sua", [old.id])).staffed
