"""Nobody approves their own work: not by the pages, not by a statement, not for somebody else, not in part."""

import asyncpg
import pytest

from tests.officers import given_officer
from tests.units.approvals.notices import appoint, given_approver, given_editor, given_stage
from units.approvals.approval import ApprovalNotFound, OwnWork
from units.approvals.approvals import approve, find_approval
from units.officers.officers import NotPermitted

_APPROVED = (
    "update units.approvals set state = 'approved', decided_at = now(), decided_by = $2::text::uuid,"
    " decided_for = $3::text::uuid where id = $1::text::uuid"
)


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


async def then_the_database_refuses(connection, approval, decided_by, decided_for=None):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await connection.execute(_APPROVED, approval.id, decided_by, decided_for)
    assert refused.value.constraint_name == "nobody_approves_their_own_work"


async def test_whoever_handed_in_does_not_approve(connection, stage):
    lan, _ = await given_editor(connection), await given_approver(connection)
    approval = await stage.hand_in(connection, lan)
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(lan))
    await then_the_database_refuses(connection, approval, lan.id)


async def test_two_roles_make_no_second_person(connection, stage):
    mai = await given_officer(connection, "mai", ("thpt-hoa-sua", "editor"), ("thpt-hoa-sua", "approver"))
    await given_approver(connection)
    approval = await stage.hand_in(connection, mai)
    assert approval.decided_in == "thpt-hoa-sua"
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(mai))
    await then_the_database_refuses(connection, approval, mai.id)


async def test_an_approver_of_the_managing_unit_who_has_prepared_does_not_approve(connection, stage):
    minh = await given_officer(connection, "minh", ("thpt-hoa-sua", "editor"), ("so", "approver"))
    await given_approver(connection)
    approval = await stage.hand_in(connection, minh)
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(minh))


async def test_one_batch_of_several_is_enough(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    await given_approver(connection, "mai")
    stage.notices.writers["a"] = [lan.id, hung.id]
    approval = await stage.hand_in(connection, lan)
    assert set(approval.prepared_by) == {lan.id, hung.id}
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))
    await then_the_database_refuses(connection, approval, hung.id)


async def test_a_deputy_does_not_approve_her_own_work_for_the_absent_approver(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    await appoint(connection, stage, hung, lan)
    approval = await stage.hand_in(connection, lan)
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(lan))
    await then_the_database_refuses(connection, approval, lan.id, hung.id)


async def test_nobody_approves_the_work_of_the_absent_approver_for_him(connection, stage):
    """Hùng prepared it; who stands in for him would decide in his name."""
    lan, hung = await given_editor(connection), await given_approver(connection)
    await given_approver(connection, "mai")
    await appoint(connection, stage, hung, lan)
    approval = await stage.hand_in(connection, hung)
    with pytest.raises((NotPermitted, ApprovalNotFound)):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(lan))
    await then_the_database_refuses(connection, approval, lan.id, hung.id)


async def test_the_constraint_stands_without_the_rule_in_code(connection, stage, monkeypatch):
    lan, hung = await given_editor(connection), await given_approver(connection)
    mai = await given_approver(connection, "mai")
    stage.notices.writers["a"] = [mai.id]
    approval = await stage.hand_in(connection, lan)
    monkeypatch.setattr("units.approvals.approvals._is_own", lambda *_: False)
    with pytest.raises(OwnWork):
        await approve(connection, stage.kinds, approval.id, **stage.deciding(mai))
    assert (await find_approval(connection, approval.id)).state == "waiting"
    assert (await approve(connection, stage.kinds, approval.id, **stage.deciding(hung))).state == "approved"


async def test_nobody_becomes_a_stranger_to_their_work(connection, stage):
    lan, _ = await given_editor(connection), await given_approver(connection)
    approval = await stage.hand_in(connection, lan)
    for prepared_by in ("'{}'", "array[null]::uuid[]", "prepared_by || null::uuid", "null"):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute(f"update units.approvals set prepared_by = {prepared_by}")  # noqa: S608
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("update units.approvals set handed_in_by = null where id = $1", approval.id)
