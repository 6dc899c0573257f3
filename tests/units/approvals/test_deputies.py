"""Deputies: who decides while an approver is away, from one day to another, and in whose name."""

from datetime import date, datetime, timedelta

import pytest

from kit.clock import VIETNAM
from kit.errors import InvalidForm
from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_approver, given_editor, given_stage
from units.approvals.approval import ApprovalNotFound
from units.approvals.approvals import approve, list_waiting_for
from units.approvals.deputies import (
    DeputyEnded,
    DeputyNotFound,
    Period,
    add_deputy,
    end_deputy,
    list_candidates,
    list_deputies,
)
from units.approvals.lists import count_waiting_for
from units.officers.officers import NotPermitted

TODAY = date(2026, 7, 1)


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


@pytest.fixture
async def lan(connection, stage):
    return await given_editor(connection)


@pytest.fixture
async def hung(connection, stage):
    return await given_approver(connection)


@pytest.fixture
async def binh(connection, stage):
    return await given_editor(connection, "binh")


def context(stage, officer, now=None):
    told = stage.deciding(officer, now=now)
    del told["officer"]
    return told


async def test_a_deputy_decides_in_the_name_of_the_absent_approver(connection, stage, lan, hung, binh):
    approval = await stage.hand_in(connection, lan)
    assert await list_waiting_for(connection, binh, stage.tree, stage.now) == []
    await appoint(connection, stage, hung, binh)
    assert [each.id for each in await list_waiting_for(connection, binh, stage.tree, stage.now)] == [approval.id]
    assert await count_waiting_for(connection, binh, stage.tree, stage.now) == 1
    approved = await approve(connection, stage.kinds, approval.id, **stage.deciding(binh))
    assert (approved.decided_by, approved.decided_for) == (binh.id, hung.id)
    details = await connection.fetchval(
        "select details ->> 'decided_for' from units.record_entries where action = 'approval.approved'"
    )
    assert details == hung.id


async def test_who_is_an_approver_too_decides_in_her_own_name(connection, stage, lan, hung):
    mai = await given_approver(connection, "mai")
    await appoint(connection, stage, hung, mai)
    approval = await stage.hand_in(connection, lan)
    assert (await approve(connection, stage.kinds, approval.id, **stage.deciding(mai))).decided_for is None


async def test_a_period_is_from_the_first_midnight_to_the_last_in_vietnam(connection, stage, lan, hung, binh):
    await appoint(connection, stage, hung, binh, days=2)
    approval = await stage.hand_in(connection, lan)
    ends = datetime(2026, 7, 3, tzinfo=VIETNAM)
    assert await list_waiting_for(connection, binh, stage.tree, ends - timedelta(seconds=1))
    assert not await list_waiting_for(connection, binh, stage.tree, ends)
    with pytest.raises(NotPermitted):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(binh, now=ends))


async def test_before_its_first_day_a_delegation_is_none(connection, stage, lan, hung, binh):
    period = Period(TODAY + timedelta(days=1), TODAY + timedelta(days=2))
    await add_deputy(connection, hung, "thpt-hoa-sua", binh.id, period, "Nghỉ phép", **context(stage, hung))
    await stage.hand_in(connection, lan)
    assert not await list_waiting_for(connection, binh, stage.tree, stage.now)
    assert await list_waiting_for(connection, binh, stage.tree, stage.now + timedelta(days=1))


async def test_a_deputy_has_no_deputy(connection, stage, lan, hung, binh):
    chi = await given_editor(connection, "chi")
    await appoint(connection, stage, hung, binh)
    with pytest.raises(NotPermitted):
        await appoint(connection, stage, binh, chi)


async def test_what_is_delegated_ends_with_the_role(connection, stage, lan, hung, binh):
    await appoint(connection, stage, hung, binh)
    await stage.hand_in(connection, lan)
    await connection.execute("delete from units.officer_roles where officer_id = $1::text::uuid", hung.id)
    assert not await list_waiting_for(connection, binh, stage.tree, stage.now)


@pytest.mark.parametrize(("state", "decides"), [("asleep", True), ("disabled", False)])
async def test_the_absent_may_sleep_but_not_be_shut_out(connection, stage, lan, hung, binh, state, decides):
    await appoint(connection, stage, hung, binh)
    await stage.hand_in(connection, lan)
    await connection.execute("update units.officers set state = $2 where id = $1::text::uuid", hung.id, state)
    assert bool(await list_waiting_for(connection, binh, stage.tree, stage.now)) == decides


async def test_a_deputy_decides_only_in_that_unit(connection, stage, lan, hung, binh):
    root = await given_approver(connection, "minh", "so")
    of_root = await given_officer(connection, "thu", ("so", "editor"))
    await appoint(connection, stage, root, of_root, unit="so")
    approval = await stage.hand_in(connection, lan)
    with pytest.raises(ApprovalNotFound):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(of_root))


async def test_colleagues_and_those_of_the_managing_unit_can_stand_in_and_nobody_who_checks(connection, stage, hung):
    names = {"lan": ("thpt-hoa-sua", "editor"), "minh": ("so", "approver"), "thu": ("so", "reviewer")}
    for name, held in names.items():
        await given_officer(connection, name, held)
    await given_officer(connection, "kiem", ("so", "auditor"))
    await given_officer(connection, "may", ("so", "operator"))
    await given_officer(connection, "xa", ("xa-an-binh", "approver"))
    await given_officer(connection, "song", ("thpt-song-xanh", "approver"))
    await given_officer(connection, "vang", ("thpt-hoa-sua", "editor"), state="disabled")
    found = await list_candidates(connection, hung, "thpt-hoa-sua", stage.tree)
    assert [officer.full_name for officer in found] == ["lan", "minh", "thu"]


async def test_all_mistakes_of_a_delegation_are_named_at_once(connection, stage, hung):
    stranger = await given_approver(connection, "song", "thpt-song-xanh")
    period = Period(TODAY, TODAY - timedelta(days=1))
    with pytest.raises(InvalidForm) as refused:
        await add_deputy(connection, hung, "thpt-hoa-sua", stranger.id, period, " ", **context(stage, hung))
    assert [(each.field, each.code) for each in refused.value.errors] == [
        ("deputy", "required"),
        ("last_day", "period_backwards"),
        ("reason", "required"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [
        (TODAY - timedelta(days=9), TODAY - timedelta(days=1), "period_past"),
        (TODAY, TODAY + timedelta(days=366), "period_too_long"),
    ],
)
async def test_a_period_is_not_over_and_not_endless(connection, stage, hung, lan, first, last, code):
    with pytest.raises(InvalidForm) as refused:
        await add_deputy(connection, hung, "thpt-hoa-sua", lan.id, Period(first, last), "x", **context(stage, hung))
    assert [each.code for each in refused.value.errors] == [code]


async def test_a_reason_of_a_delegation_has_a_length(connection, stage, hung, lan):
    with pytest.raises(InvalidForm):
        await add_deputy(
            connection, hung, "thpt-hoa-sua", lan.id, Period(TODAY, TODAY), "x" * 501, **context(stage, hung)
        )


async def test_pressing_twice_delegates_once(connection, stage, hung, lan):
    await appoint(connection, stage, hung, lan)
    with pytest.raises(InvalidForm) as refused:
        await appoint(connection, stage, hung, lan)
    assert [each.code for each in refused.value.errors] == ["deputy_already"]


async def test_a_delegation_ends_early_by_either_of_the_two_or_an_administrator(connection, stage, lan, hung, binh):
    boss = await given_officer(connection, "boss", ("so", "administrator"))
    await stage.hand_in(connection, lan)
    for officer in (hung, binh, boss):
        delegation = await appoint(connection, stage, hung, binh)
        assert await list_waiting_for(connection, binh, stage.tree, stage.now)
        await end_deputy(
            connection,
            delegation,
            officer=officer,
            tree=stage.tree,
            actor=stage.deciding(officer)["actor"],
            now=stage.now,
        )
        assert not await list_waiting_for(connection, binh, stage.tree, stage.now)
        with pytest.raises(DeputyEnded):
            await end_deputy(
                connection, delegation, officer=officer, tree=stage.tree, actor=stage.deciding(officer)["actor"],
                now=stage.now,
            )  # fmt: skip
    actions = await connection.fetch("select action from units.record_entries where object_kind = 'deputy' order by id")
    assert [row["action"] for row in actions] == ["deputy.appointed", "deputy.ended"] * 3


async def test_others_do_not_end_a_delegation(connection, stage, hung, binh):
    delegation = await appoint(connection, stage, hung, binh)
    for unit, role, expected in (
        ("thpt-hoa-sua", "auditor", NotPermitted),
        ("thpt-hoa-sua", "editor", DeputyNotFound),
        ("thpt-song-xanh", "administrator", DeputyNotFound),
    ):
        officer = await given_officer(connection, f"{role}-{unit}", (unit, role))
        with pytest.raises(expected):
            await end_deputy(
                connection, delegation, officer=officer, tree=stage.tree, actor=stage.deciding(officer)["actor"],
                now=stage.now,
            )  # fmt: skip
    for nonsense in ("x", "00000000-0000-0000-0000-000000000000"):
        with pytest.raises(DeputyNotFound):
            await end_deputy(
                connection, nonsense, officer=hung, tree=stage.tree, actor=stage.deciding(hung)["actor"], now=stage.now
            )


async def test_both_see_the_delegation_while_it_runs_and_a_while_after(connection, stage, hung, binh):
    await appoint(connection, stage, hung, binh)
    for officer in (hung, binh):
        assert [each.state(stage.now) for each in await list_deputies(connection, officer.id, stage.now)] == ["running"]
    (later,) = await list_deputies(connection, hung.id, stage.now)
    assert later.state(stage.now + timedelta(days=5)) == "over"
    assert (later.first_day, later.last_day) == (TODAY, TODAY + timedelta(days=2))
    assert not await list_deputies(connection, hung.id, stage.now + timedelta(days=5))
