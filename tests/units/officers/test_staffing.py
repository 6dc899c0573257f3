"""Roles are granted and taken by whoever administers the unit, never for oneself, never so that nobody is left."""

import asyncio

import asyncpg
import pytest

from kit.errors import InvalidForm
from tests.officers import given_officer
from tests.units.officers.staff import given_administrator, given_session, running_sessions
from units.officers.officers import Held, NotPermitted, OfficerNotFound
from units.officers.staffing import (
    LastAdministrator,
    NotForOneself,
    OfficerHasLeft,
    RolesKeptApart,
    disable,
    grant,
    read_reason,
    read_role,
)


@pytest.fixture
async def ha(connection, office):
    """The department's administrator."""
    return await given_administrator(connection)


@pytest.fixture
async def lan(connection, office):
    """The ward's editor."""
    return await given_officer(connection, "lan", ("phuong", "editor"))


async def test_a_granted_role_is_held_told_and_on_the_record(office, ha, lan):
    lan = await office.grant(ha, lan, "thcs", "approver")
    assert lan.roles == (Held("phuong", "editor"), Held("thcs", "approver"))
    (letter,) = await office.letters(lan.email)
    assert "Người phê duyệt, Trường thcs" in letter.text
    assert await office.entries("officer.role_granted") == [("thcs", ha.id, lan.id, {"role": "approver"})]


async def test_a_role_that_she_has_is_granted_once(office, ha, lan):
    await office.grant(ha, lan, "phuong", "editor")
    assert await office.letters(lan.email) == []
    assert await office.entries("officer.role_granted") == []


@pytest.mark.parametrize("change", ["grant", "revoke"])
async def test_a_change_of_role_ends_her_sessions(office, ha, lan, change):
    await office.grant(ha, lan, "phuong", "reviewer")
    await given_session(office.connection, lan)
    if change == "grant":
        await office.grant(ha, lan, "thcs", "editor")
    else:
        await office.revoke(ha, lan, "phuong", "reviewer")
    assert await running_sessions(office.connection, lan) == 0


@pytest.mark.parametrize("unit_code", ["so", "xa", "thpt"])
async def test_a_ward_gives_no_role_beyond_its_own_units(office, lan, unit_code):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    with pytest.raises(NotPermitted):
        await office.grant(ward, lan, unit_code, "editor")


async def test_nobody_gives_themselves_a_role(office, ha):
    with pytest.raises(NotForOneself):
        await office.grant(ha, ha, "so", "approver")


@pytest.mark.parametrize("alone", ["auditor", "operator"])
async def test_whoever_checks_or_operates_holds_nothing_else_in_the_unit(office, ha, alone):
    nam = await given_officer(office.connection, "nam", ("so", alone))
    with pytest.raises(RolesKeptApart):
        await office.grant(ha, nam, "so", "editor")
    editor = await given_officer(office.connection, "editor", ("so", "editor"))
    with pytest.raises(RolesKeptApart):
        await office.grant(ha, editor, "so", alone)


async def test_an_auditor_may_work_in_another_unit(office, ha):
    nam = await given_officer(office.connection, "nam", ("phuong", "auditor"))
    assert Held("thcs", "editor") in (await office.grant(ha, nam, "thcs", "editor")).roles


async def test_the_operator_belongs_to_the_department(office, ha, lan):
    with pytest.raises(RolesKeptApart):
        await office.grant(ha, lan, "thcs", "operator")


@pytest.mark.parametrize(
    ("roles", "rule"),
    [
        ([("phuong", "auditor"), ("phuong", "editor")], "auditor_and_operator_hold_nothing_else"),
        ([("so", "editor"), ("so", "operator")], "auditor_and_operator_hold_nothing_else"),
        ([("phuong", "operator")], "operator_belongs_to_the_root"),
    ],
)
async def test_the_database_refuses_what_is_kept_apart(office, roles, rule):
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await given_officer(office.connection, "nam", *roles)
    assert refused.value.constraint_name == rule


async def test_of_two_grants_at_once_that_do_not_go_together_one_holds(office, ha, lan, pool):
    roomless = await given_officer(office.connection, "nam")

    async def give(role):
        async with pool.acquire() as each, each.transaction():
            await grant(each, roomless.id, "phuong", role, **office.by(ha))

    came = await asyncio.gather(give("auditor"), give("editor"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in came) == ["NoneType", "RolesKeptApart"]
    assert len((await office.seen(roomless)).roles) == 1


async def test_rows_written_at_once_that_do_not_go_together_are_refused_too(office, pool):
    nam = await given_officer(office.connection, "nam")
    first, second = await pool.acquire(), await pool.acquire()
    insert = (
        "insert into units.officer_roles (officer_id, unit_code, role, granted_at)"
        " values ($1::text::uuid, 'phuong', $2, now())"
    )
    begun = first.transaction()
    await begun.start()
    await first.execute(insert, nam.id, "auditor")
    waiting = asyncio.create_task(second.execute(insert, nam.id, "editor"))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await begun.commit()
    with pytest.raises(asyncpg.CheckViolationError):
        await waiting
    await pool.release(first)
    await pool.release(second)


async def test_a_taken_role_is_gone_told_and_on_the_record(office, ha, lan):
    await office.grant(ha, lan, "phuong", "approver")
    lan = await office.revoke(ha, lan, "phuong", "editor")
    assert lan.roles == (Held("phuong", "approver"),)
    assert "Biên tập viên" not in (await office.letters(lan.email))[-1].text
    assert await office.entries("officer.role_revoked") == [("phuong", ha.id, lan.id, {"role": "editor"})]


async def test_a_role_that_she_does_not_hold_is_not_taken(office, ha, lan):
    assert (await office.revoke(ha, lan, "phuong", "approver")).roles == lan.roles
    assert await office.entries("officer.role_revoked") == []


async def test_without_any_role_the_account_ends(office, ha, lan):
    assert (await office.revoke(ha, lan, "phuong", "editor")).state == "disabled"
    assert [letter.subject for letter in await office.letters(lan.email)] == [
        "Tài khoản Báo Danh của thầy/cô đã ngừng hoạt động"
    ]


async def test_whoever_leaves_signs_in_no_more(office, ha, lan):
    await given_session(office.connection, lan)
    assert (await office.disable(ha, lan, " Nghỉ   hưu ")).state == "disabled"
    assert await running_sessions(office.connection, lan) == 0
    (letter,) = await office.letters(lan.email)
    assert "Lý do: Nghỉ hưu" in letter.text
    assert await office.entries("officer.disabled") == [("phuong", ha.id, lan.id, {"reason": "Nghỉ hưu"})]


async def test_an_account_ends_once(office, ha, lan):
    await office.disable(ha, lan)
    for again in (office.disable(ha, lan), office.reset_two_factor(ha, lan), office.grant(ha, lan, "thcs", "editor")):
        with pytest.raises(OfficerHasLeft):
            await again


async def test_nobody_ends_or_resets_their_own_account(office, ha):
    for change in (office.disable(ha, ha), office.reset_two_factor(ha, ha)):
        with pytest.raises(NotForOneself):
            await change


@pytest.mark.parametrize("change", ["disable", "reset_two_factor"])
async def test_a_whole_account_is_touched_only_by_who_administers_all_of_it(office, ha, lan, change):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    lan = await office.grant(ha, lan, "xa", "editor")
    with pytest.raises(NotPermitted):
        await getattr(office, change)(ward, lan)
    department = await given_administrator(office.connection, "so", "dung")
    with pytest.raises(NotPermitted):
        await getattr(office, change)(ward, department)
    await getattr(office, change)(ha, lan)


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
async def test_a_reason_is_wanted(office, ha, lan, reason):
    for change in (office.disable, office.reset_two_factor):
        with pytest.raises(InvalidForm):
            await change(ha, lan, reason)


async def test_a_forgotten_second_factor_is_set_up_anew_behind_the_password(office, ha, lan):
    await given_session(office.connection, lan)
    await office.connection.execute(
        "insert into units.recovery_codes (officer_id, code_hash, made_at) values ($1::text::uuid, 'x', now())", lan.id
    )
    assert (await office.reset_two_factor(ha, lan)).state == "invited"
    row = await office.connection.fetchrow(
        "select o.password_hash is not null as has_password, o.totp_secret, o.totp_last_step,"
        " (select count(*) from units.recovery_codes) as codes from units.officers o where id = $1::text::uuid",
        lan.id,
    )
    assert tuple(row) == (True, None, None, 0)
    assert await running_sessions(office.connection, lan) == 0
    (letter,) = await office.letters(lan.email)
    assert "Bà Lê Thị Minh Hạ đã xóa" in letter.text
    assert await office.entries("two_factor.reset") == [("phuong", ha.id, lan.id, {"reason": "Mất điện thoại"})]


async def test_the_last_administrator_of_the_department_stays(office, ha):
    hung = await given_administrator(office.connection, "so", "hung")
    await office.disable(ha, hung)
    for change in (office.disable(None, ha), office.revoke(ha, ha, "so", "administrator")):
        with pytest.raises(LastAdministrator):
            await change


async def test_a_ward_may_lose_its_administrator_to_the_department(office, ha):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    assert (await office.disable(ha, ward)).state == "disabled"


async def test_a_wards_last_administrator_stays_where_the_department_has_none(office):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    with pytest.raises(LastAdministrator):
        await office.disable(None, ward)


async def test_a_sleeping_administrator_can_be_woken_one_that_never_came_cannot(office, ha):
    hung = await given_administrator(office.connection, "so", "hung")
    await office.connection.execute("update units.officers set state = 'asleep' where id = $1::text::uuid", ha.id)
    await office.disable(None, hung)
    never = await office.invite(None, "moi@x.edu.vn", "so", "administrator")
    dung = await given_administrator(office.connection, "so", "dung")
    assert (await office.disable(dung, await office.seen(ha))).state == "disabled"
    with pytest.raises(LastAdministrator):
        await office.revoke(dung, dung, "so", "administrator")
    # At the command line whoever was just invited counts: else a lone account that was broken into could not end.
    await office.disable(None, dung)
    assert never.link


async def test_an_invitation_to_administrate_that_was_a_mistake_is_taken_back(office):
    wrong = await office.invite(None, "nham@x.edu.vn", "so", "administrator")
    officer = type("Named", (), {"id": wrong.officer_id})()
    assert (await office.disable(None, officer)).state == "disabled"


async def test_two_administrators_cannot_end_each_other_at_once(office, ha, pool):
    hung = await given_administrator(office.connection, "so", "hung")

    async def end(by, officer):
        async with pool.acquire() as each, each.transaction():
            await disable(each, officer.id, "x", works=[], choices={}, **office.by(by))

    async with pool.acquire() as first:
        begun = first.transaction()
        await begun.start()
        await disable(first, hung.id, "x", works=[], choices={}, **office.by(ha))
        other = asyncio.create_task(end(hung, ha))
        await asyncio.sleep(0.1)
        assert not other.done()
        await begun.commit()
        with pytest.raises(LastAdministrator):
            await other


async def test_an_officer_who_is_not_there_is_not_found(office, ha):
    nobody = type("Nobody", (), {"id": "00000000-0000-0000-0000-000000000000"})()
    with pytest.raises(OfficerNotFound):
        await office.grant(ha, nobody, "so", "editor")


def test_a_role_is_one_of_ours():
    assert read_role("editor") == "editor"
    for typed, code in (("", "required"), ("root", "role_unknown"), ("Editor", "role_unknown")):
        with pytest.raises(InvalidForm) as refused:
            read_role(typed)
        assert refused.value.errors[0].code == code


def test_a_reason_is_one_line():
    assert read_reason(" Nghỉ\n hưu ") == "Nghỉ hưu"
