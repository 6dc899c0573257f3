"""The demo's staff: invented, able to sign in with what is printed, and with nothing that others could know."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from kit.keys import KeyRing
from server.demo.department import load_demo
from server.demo.officers import demo_sign_ins
from server.running.announcements import show_sign_ins
from tests.officers import signed_in
from units.officers import passwords, two_factor
from units.officers.hashing import PasswordHashing
from units.officers.officers import find_officers
from units.officers.roles import ROLES
from units.officers.staff_list import list_staff
from units.unit_tree import UnitTree
from units.units import list_units


@pytest.fixture
def keys(settings):
    return KeyRing(settings.keys_folder)


@pytest.fixture
async def staffed(connection, keys, clock):
    """The demo with its staff; how to sign in as each."""
    await load_demo(connection, pin_key=keys.current("pin").value, now=clock.now, keys=keys)
    return await demo_sign_ins(connection, keys, clock.now)


async def all_officers(connection):
    ids = [row["id"] for row in await connection.fetch("select id::text from units.officers")]
    return {officer.email: officer for officer in (await find_officers(connection, ids)).values()}


async def test_every_role_is_held_and_the_department_a_commune_and_two_schools_are_staffed(connection, staffed):
    officers = await all_officers(connection)
    held = {role for officer in officers.values() for role in officer.roles}
    assert {each.role for each in held} == set(ROLES)
    assert {"so", "phuong-ben-may", "thpt-chuyen-van-giang", "thcs-ben-may"} == {each.unit_code for each in held}
    assert {each.role for each in held if each.unit_code == "so"} == set(ROLES) - {"reviewer"}
    assert {officer.state for officer in officers.values()} == {"active"}


async def test_nobody_can_have_their_addresses(connection, staffed):
    assert all(email.endswith("@vangiang.example") for email in await all_officers(connection))
    tree = UnitTree(await list_units(connection))
    domains = await connection.fetch("select unit_code, domain from units.mail_domains")
    standing = [unit.code for unit in tree if unit.succeeded_by is None]
    assert {tuple(row) for row in domains} == {(code, "vangiang.example") for code in standing}


async def test_at_least_four_are_printed_with_password_and_code(connection, staffed, clock, capsys):
    shown = [each for each in staffed if each.shown]
    assert {each.roles for each in shown} == {"editor", "approver", "administrator", "auditor"}
    show_sign_ins(shown, "http://127.0.0.1:8000")
    printed = capsys.readouterr().out
    assert "http://127.0.0.1:8000/can-bo/dang-nhap" in printed
    for each in shown:
        assert f"{each.email}" in printed
        assert f"{each.password}  {each.code}" in printed


async def test_what_is_printed_lets_them_in(connection, keys, staffed, clock):
    hashing = PasswordHashing()
    for each in staffed[:2]:
        officer_id = await connection.fetchval("select id::text from units.officers where email = $1", each.email)
        assert await passwords.is_right(connection, hashing, officer_id, each.password)
        async with connection.transaction():
            assert await two_factor.use_code(connection, keys, officer_id, each.code, clock.now)
            assert not await two_factor.use_code(connection, keys, officer_id, each.code, clock.now)


async def test_a_fresh_code_comes_half_a_minute_later(connection, keys, staffed, clock):
    later = await demo_sign_ins(connection, keys, clock.now + timedelta(seconds=30))
    assert [each.password for each in later] == [each.password for each in staffed]
    assert [each.code for each in later] != [each.code for each in staffed]


async def test_another_installation_has_other_passwords(connection, keys, staffed, clock, tmp_path):
    assert await demo_sign_ins(connection, KeyRing(tmp_path / "other"), clock.now) == []
    assert len({each.password for each in staffed}) == len(staffed)
    assert all(len(each.password) == 14 for each in staffed)
    assert staffed[0].password not in repr(staffed)


async def test_who_has_changed_the_password_is_printed_no_more(connection, keys, staffed, clock):
    await connection.execute(
        "update units.officers set password_changed_at = password_changed_at + interval '1 hour' where email = $1",
        staffed[0].email,
    )
    assert await demo_sign_ins(connection, keys, clock.now) == staffed[1:]


async def test_without_keys_the_demo_has_no_officers(connection, keys, clock):
    await load_demo(connection, pin_key=keys.current("pin").value, now=clock.now)
    assert await all_officers(connection) == {}
    assert await demo_sign_ins(connection, keys, clock.now) == []


async def test_the_demos_administrator_sees_the_whole_staff(connection, staffed, service):
    await service.hears_all_changes()
    officers = await all_officers(connection)
    administrator = officers["quan-tri@vangiang.example"]
    tree = UnitTree(await list_units(connection))
    staff = await list_staff(connection, administrator, tree)
    assert {member.officer.email for each in staff for member in each.members} == set(officers)
    page = await (await signed_in(service, administrator)).get("/can-bo/nhan-su")
    assert page.status_code == 200
    assert "Cô Phan Thị Thu Trang" in page.text


async def test_the_page_about_the_demo_names_everybody(connection, staffed):
    page = (Path(__file__).parents[2] / "docs" / "demo.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([^`]+@vangiang\.example)` \| (.*?), ", page, re.MULTILINE))
    assert told == {email: officer.name for email, officer in (await all_officers(connection)).items()}
