"""Approval by two: what one has prepared another decides about, and nobody else."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from kit.errors import InvalidForm
from tests.officers import given_officer
from tests.units.approvals.notices import given_approver, given_editor, given_stage
from units.approvals.approval import (
    AlreadyDecided,
    AlreadyInEffect,
    AlreadyWaiting,
    ApprovalNotFound,
    ApprovalOutdated,
    OwnWork,
)
from units.approvals.approvals import approve, find_approval, find_waiting, list_waiting_for, send_back, withdraw
from units.approvals.steps import list_steps
from units.officers.officers import NotPermitted

HOUR = timedelta(hours=1)


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


@pytest.fixture
async def lan(connection, stage):
    return await given_editor(connection)


@pytest.fixture
async def hung(connection, stage):
    return await given_approver(connection)


async def record_of(connection, approval_id):
    rows = await connection.fetch(
        "select action, officer_id::text, unit_code from units.record_entries where object_id = $1 order by id",
        approval_id,
    )
    return [tuple(row) for row in rows]


async def test_what_is_approved_without_a_moment_is_public_at_once(connection, stage, lan, hung):
    handed_in = await stage.hand_in(connection, lan)
    assert [each.id for each in await list_waiting_for(connection, hung, stage.tree, stage.now)] == [handed_in.id]
    approved = await approve(connection, stage.kinds, handed_in.id, **stage.deciding(hung))
    assert (approved.state, approved.decided_by) == ("approved", hung.id)
    assert approved.is_in_effect(stage.now)
    assert stage.notices.public == {"a": ("Nghỉ học ngày mai", stage.now)}


async def test_nothing_is_public_while_it_waits_and_after_it_was_sent_back(connection, stage, lan, hung):
    handed_in = await stage.hand_in(connection, lan)
    assert not stage.notices.public
    returned = await send_back(connection, stage.kinds, handed_in.id, "Thiếu chữ ký", **stage.deciding(hung))
    assert (returned.state, returned.reason) == ("returned", "Thiếu chữ ký")
    assert not stage.notices.public


async def test_every_step_stands_on_the_record_with_its_unit(connection, stage, lan, hung):
    at = stage.now + 2 * HOUR
    approval = await stage.hand_in(connection, lan, takes_effect_at=at)
    await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    await withdraw(connection, stage.kinds, approval.id, "Hoãn", **stage.deciding(lan, now=stage.now + HOUR))
    assert await record_of(connection, approval.id) == [
        ("approval.handed_in", lan.id, "thpt-hoa-sua"),
        ("approval.approved", hung.id, "thpt-hoa-sua"),
        ("approval.withdrawn", lan.id, "thpt-hoa-sua"),
    ]
    steps = await list_steps(connection, approval)
    assert [(each.step, each.officer_id, each.reason) for each in steps] == [
        ("handed_in", lan.id, None),
        ("approved", hung.id, None),
        ("withdrawn", lan.id, "Hoãn"),
    ]


async def test_what_is_approved_for_a_moment_can_be_withdrawn_until_then(connection, stage, lan, hung):
    at = stage.now + HOUR
    approval = await stage.hand_in(connection, lan, takes_effect_at=at)
    approved = await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    assert approved.in_effect_at == at
    assert not approved.is_in_effect(at - timedelta(microseconds=1))
    assert approved.is_in_effect(at)
    withdrawn = await withdraw(connection, stage.kinds, approval.id, "Hoãn", **stage.deciding(hung))
    assert (withdrawn.state, withdrawn.decided_by) == ("withdrawn", hung.id), "who had approved it stays"
    assert not stage.notices.public


async def test_what_has_taken_effect_is_not_withdrawn(connection, stage, lan, hung):
    at = stage.now + HOUR
    approval = await stage.hand_in(connection, lan, takes_effect_at=at)
    await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    with pytest.raises(AlreadyInEffect):
        await withdraw(connection, stage.kinds, approval.id, "Muộn", **stage.deciding(hung, now=at))
    assert "a" in stage.notices.public


async def test_a_moment_that_passes_before_the_decision_means_at_once(connection, stage, lan, hung):
    at, late = stage.now + HOUR, stage.now + 2 * HOUR
    approval = await stage.hand_in(connection, lan, takes_effect_at=at)
    approved = await approve(connection, stage.kinds, approval.id, **stage.deciding(hung, now=late))
    assert approved.in_effect_at == late
    assert approved.is_in_effect(late)


async def test_one_thing_waits_once(connection, stage, lan, hung):
    first = await stage.hand_in(connection, lan)
    with pytest.raises(AlreadyWaiting):
        await stage.hand_in(connection, lan)
    assert (await find_waiting(connection, "notice", "a")).id == first.id
    await send_back(connection, stage.kinds, first.id, "Sửa", **stage.deciding(hung))
    assert await find_waiting(connection, "notice", "a") is None
    assert (await stage.hand_in(connection, lan)).id != first.id


async def test_what_changed_since_it_was_handed_in_is_not_approved(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    stage.notices.public["a"] = ("Nội dung khác", stage.now)
    with pytest.raises(ApprovalOutdated):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    assert (await find_approval(connection, approval.id)).state == "waiting"


async def test_somebody_elses_work_that_came_in_later_is_not_approved_unseen(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    stage.notices.writers["a"] = [hung.id]
    with pytest.raises(ApprovalOutdated):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))


async def test_what_the_kind_refuses_is_not_approved(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    stage.notices.refuses_effect = True
    with pytest.raises(stage.notices.Refused):
        async with connection.transaction():
            await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    assert (await find_approval(connection, approval.id)).state == "waiting"
    assert [action for action, *_ in await record_of(connection, approval.id)] == ["approval.handed_in"]


async def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(connection, pool, stage, lan, hung):
    mai = await given_approver(connection, "mai")
    approval = await stage.hand_in(connection, lan)

    async def decide(officer, decision, *reason):
        async with pool.acquire() as own, own.transaction():
            return await decision(own, stage.kinds, approval.id, *reason, **stage.deciding(officer))

    outcomes = await asyncio.gather(
        decide(hung, approve), decide(mai, send_back, "Chưa được"), decide(mai, approve), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["AlreadyDecided", "AlreadyDecided", "Approval"]
    assert len(await record_of(connection, approval.id)) == 2


async def test_a_decision_is_not_made_twice(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    await send_back(connection, stage.kinds, approval.id, "Sửa", **stage.deciding(hung))
    with pytest.raises(AlreadyDecided):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    with pytest.raises(AlreadyDecided):
        await withdraw(connection, stage.kinds, approval.id, "", **stage.deciding(lan))


@pytest.mark.parametrize("reason", ["", "  \n "])
async def test_sending_back_wants_a_reason(connection, stage, lan, hung, reason):
    approval = await stage.hand_in(connection, lan)
    with pytest.raises(InvalidForm):
        await send_back(connection, stage.kinds, approval.id, reason, **stage.deciding(hung))


async def test_a_reason_has_a_length(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    with pytest.raises(InvalidForm) as refused:
        await send_back(connection, stage.kinds, approval.id, "x" * 2001, **stage.deciding(hung))
    assert [(each.field, each.code) for each in refused.value.errors] == [("reason", "too_long")]


async def test_ones_own_work_is_withdrawn_without_words_while_nobody_has_decided(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan, takes_effect_at=stage.now + HOUR)
    assert (await withdraw(connection, stage.kinds, approval.id, " ", **stage.deciding(lan))).state == "withdrawn"
    approval = await stage.hand_in(connection, lan, takes_effect_at=stage.now + HOUR)
    await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    with pytest.raises(InvalidForm):
        await withdraw(connection, stage.kinds, approval.id, "", **stage.deciding(lan))


@pytest.mark.parametrize(
    ("unit", "role", "expected"),
    [
        ("thpt-hoa-sua", "approver", None),
        ("thpt-hoa-sua", "administrator", None),
        ("so", "approver", None),
        ("so", "administrator", None),
        ("thpt-hoa-sua", "editor", NotPermitted),
        ("thpt-hoa-sua", "auditor", NotPermitted),
        ("thpt-hoa-sua", "reviewer", ApprovalNotFound),
        ("thpt-song-xanh", "administrator", ApprovalNotFound),
        ("xa-an-binh", "approver", ApprovalNotFound),
        ("so", "operator", ApprovalNotFound),
    ],
)
async def test_who_may_withdraw_anothers_work(connection, stage, lan, unit, role, expected):
    somebody = await given_officer(connection, "somebody", (unit, role))
    approval = await stage.hand_in(connection, lan)
    if expected is None:
        await withdraw(connection, stage.kinds, approval.id, "Nhầm", **stage.deciding(somebody))
    else:
        with pytest.raises(expected):
            await withdraw(connection, stage.kinds, approval.id, "Nhầm", **stage.deciding(somebody))


@pytest.mark.parametrize(
    ("unit", "role", "expected"),
    [
        ("thpt-hoa-sua", "approver", None),
        ("so", "approver", None),
        ("thpt-hoa-sua", "editor", NotPermitted),
        ("thpt-hoa-sua", "administrator", NotPermitted),
        ("thpt-hoa-sua", "auditor", NotPermitted),
        ("so", "administrator", NotPermitted),
        ("so", "auditor", NotPermitted),
        ("so", "editor", ApprovalNotFound),
        ("thpt-hoa-sua", "reviewer", ApprovalNotFound),
        ("thpt-song-xanh", "approver", ApprovalNotFound),
        ("xa-an-binh", "approver", ApprovalNotFound),
        ("so", "operator", ApprovalNotFound),
    ],
)
async def test_who_may_approve(connection, stage, lan, hung, unit, role, expected):
    somebody = await given_officer(connection, "somebody", (unit, role))
    approval = await stage.hand_in(connection, lan)
    if expected is None:
        await approve(connection, stage.kinds, approval.id, **stage.deciding(somebody))
    else:
        with pytest.raises(expected):
            await approve(connection, stage.kinds, approval.id, **stage.deciding(somebody))
        with pytest.raises(expected):
            await send_back(connection, stage.kinds, approval.id, "Sửa", **stage.deciding(somebody))


@pytest.mark.parametrize("approval_id", ["", "x", "00000000-0000-0000-0000-000000000000", "' or true --"])
async def test_an_id_that_nobody_has_is_not_found(connection, stage, hung, approval_id):
    with pytest.raises(ApprovalNotFound):
        await find_approval(connection, approval_id)
    with pytest.raises(ApprovalNotFound):
        await approve(connection, stage.kinds, approval_id, **stage.deciding(hung))


async def test_what_the_command_line_hands_in_anybody_of_the_place_approves(connection, stage, hung):
    approval = await stage.hand_in(connection, None)
    assert approval.prepared_by == ()
    assert (await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))).state == "approved"


async def test_what_was_handed_in_is_what_becomes_public(connection, stage, lan, hung):
    approval = await stage.hand_in(connection, lan)
    for change in ('payload = \'{"text": "khác"}\'', 'preview = \'{"title": "khác"}\'', "prepared_by = '{}'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"update units.approvals set {change}")  # noqa: S608 - our own words
    await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    with pytest.raises(asyncpg.CheckViolationError, match="not made twice"):
        await connection.execute("update units.approvals set state = 'waiting' where id = $1", approval.id)
    for table in ("approvals", "approval_steps"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"delete from units.{table}")  # noqa: S608 - our own words


async def test_ones_own_work_cannot_be_sent_back_only_withdrawn(connection, stage):
    mai = await given_officer(connection, "mai", ("thpt-hoa-sua", "editor"), ("thpt-hoa-sua", "approver"))
    approval = await stage.hand_in(connection, mai)
    with pytest.raises(OwnWork):
        await send_back(connection, stage.kinds, approval.id, "Sửa", **stage.deciding(mai))
    assert await list_waiting_for(connection, mai, stage.tree, stage.now) == []
