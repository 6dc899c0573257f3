"""Approval by two: what one has prepared another decides about, and nobody else."""

import pytest

from tests.units.approvals.notices import given_approver, given_editor, given_stage
from units.approvals.approvals import approve, list_waiting_for


@pytest.fixture
async def stage(connection, settings):
    return await given_stage(connection, settings)


async def test_what_is_approved_without_a_moment_is_public_at_once(connection, stage):
    lan, hung = await given_editor(connection), await given_approver(connection)
    handed_in = await stage.hand_in(connection, lan)
    assert [each.id for each in await list_waiting_for(connection, hung, stage.tree, stage.now)] == [handed_in.id]
    approved = await approve(connection, stage.kinds, handed_in.id, **stage.deciding(hung))
    assert (approved.state, approved.decided_by) == ("approved", hung.id)
    assert stage.notices.public == {"a": ("Nghỉ học ngày mai", stage.now)}
    assert await connection.fetchval("select count(*) from kit.mails") == 2
