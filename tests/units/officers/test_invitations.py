"""An invitation reaches an official address, opens one door once, and makes one person of one address."""

from datetime import timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidForm
from tests.officers import given_officer
from tests.units.officers.staff import given_administrator, given_session, link_in, running_sessions
from units.officers.allowed_domains import find_domains, is_official, normal_address, set_domains
from units.officers.invitations import LIFETIME, InvitationTakenUp, invite_again
from units.officers.officers import Held, NotPermitted, find_officer
from units.officers.staffing import NotForOneself, RolesKeptApart
from units.officers.tokens import LinkExpired, use_token

NEW = "lan@phuongbenmay.gov.vn"


@pytest.fixture
async def ha(connection):
    return await given_administrator(connection)


async def then_refused(field, code, awaitable):
    with pytest.raises(InvalidForm) as refused:
        await awaitable
    assert [(error.field, error.code) for error in refused.value.errors] == [(field, code)]


async def test_a_letter_with_a_link_makes_an_officer(office, ha):
    invited = await office.invite(ha, "  Lan@PhuongBenMay.GOV.vn ", full_name="Vũ Thu Lan")
    officer = await find_officer(office.connection, invited.officer_id)
    assert (officer.email, officer.state, officer.name) == (NEW, "invited", "Vũ Thu Lan")
    assert officer.roles == (Held("phuong", "editor"),)
    (letter,) = await office.letters(NEW)
    assert link_in(letter) == f"https://diemthi.example{invited.link}"
    assert "Biên tập viên, Trường phuong" in letter.text
    assert "Bà Lê Thị Minh Hạ mời" in letter.text
    secret = invited.link.rpartition("/")[2]
    assert await use_token(office.connection, secret, "invitation", office.now + LIFETIME / 2) == officer.id


async def test_the_link_holds_seven_days(office, ha):
    invited = await office.invite(ha, NEW)
    assert timedelta(days=7) == LIFETIME
    with pytest.raises(LinkExpired):
        await use_token(office.connection, invited.link.rpartition("/")[2], "invitation", office.now + LIFETIME)


async def test_an_invitation_is_on_the_record_without_the_address(office, ha):
    invited = await office.invite(ha, NEW)
    assert await office.entries("officer.invited") == [("phuong", ha.id, invited.officer_id, {})]
    assert await office.entries("officer.role_granted") == [
        ("phuong", ha.id, invited.officer_id, {"role": "editor"})
    ]  # fmt: skip
    everything = await office.connection.fetch("select e::text from units.record_entries e")
    assert not [row for row in everything if "gov.vn" in row[0]]


async def test_a_letter_sent_again_has_the_only_link_that_works(office, ha):
    first = await office.invite(ha, NEW)
    async with office.connection.transaction():
        second = await invite_again(office.connection, first.officer_id, **office.by(ha))
    assert len(await office.letters(NEW)) == 2
    with pytest.raises(LinkExpired):
        await use_token(office.connection, first.link.rpartition("/")[2], "invitation", office.now)
    assert await use_token(office.connection, second.rpartition("/")[2], "invitation", office.now) == first.officer_id


async def test_who_has_come_in_is_not_invited_again(office, ha):
    lan = await given_officer(office.connection, "lan", ("phuong", "editor"))
    with pytest.raises(InvitationTakenUp):
        await invite_again(office.connection, lan.id, **office.by(ha))


async def password_of(connection, officer):
    return await connection.fetchval("select password_hash from units.officers where id::text = $1", officer.id)


async def test_who_has_a_password_and_no_second_factor_begins_anew_by_another_invitation(office, ha):
    lan = await given_officer(office.connection, "lan", ("phuong", "editor"), state="invited", totp_secret=None)
    await given_session(office.connection, lan)
    async with office.connection.transaction():
        await invite_again(office.connection, lan.id, **office.by(ha))
    assert await password_of(office.connection, lan) is None
    assert await running_sessions(office.connection, lan) == 0
    assert await office.entries("officer.invited") == [("phuong", ha.id, lan.id, {"password_erased": True})]


async def test_another_ward_cannot_send_the_letter_again(office, ha):
    first = await office.invite(ha, NEW)
    stranger = await given_administrator(office.connection, "xa", "xa")
    with pytest.raises(NotPermitted):
        await invite_again(office.connection, first.officer_id, **office.by(stranger))


async def test_an_address_that_exists_gets_the_role_and_a_letter(office, ha):
    lan = await given_officer(office.connection, "lan", ("phuong", "editor"), email=NEW)
    await given_session(office.connection, lan)
    invited = await office.invite(ha, NEW.upper(), "thcs", "approver")
    assert (invited.officer_id, invited.link) == (lan.id, None)
    assert Held("thcs", "approver") in (await office.seen(lan)).roles
    (letter,) = await office.letters(NEW)
    assert "Người phê duyệt, Trường thcs" in letter.text
    assert await running_sessions(office.connection, lan) == 0


async def test_one_address_is_one_person(office, ha):
    first = await office.invite(ha, NEW)
    second = await office.invite(ha, "LAN@phuongbenmay.gov.vn", "thcs", "reviewer")
    assert first.officer_id == second.officer_id
    with pytest.raises(asyncpg.UniqueViolationError):
        await given_officer(office.connection, "again", email=NEW)
    with pytest.raises(asyncpg.CheckViolationError):
        await given_officer(office.connection, "again", email="Lan@phuongbenmay.gov.vn")


async def test_whoever_comes_back_begins_anew(office, ha):
    lan = await given_officer(office.connection, "lan", ("thpt", "administrator"), ("phuong", "editor"), email=NEW)
    await office.disable(ha, lan)
    ward = await given_administrator(office.connection, "phuong", "hoa")
    await office.invite(ward, NEW, "phuong", "reviewer")
    back = await office.seen(lan)
    assert (back.state, back.roles) == ("invited", (Held("phuong", "reviewer"),))
    kept = await office.connection.fetchrow(
        "select password_hash, totp_secret from units.officers where id = $1", lan.id
    )
    assert tuple(kept) == (None, None)


@pytest.mark.parametrize(
    "typed", ["lan", "lan@", "lan@@x.edu.vn", "lan @x.edu.vn", "lan@x.edu.vn\nbcc: a@b.vn", "lan@localhost"]
)
async def test_what_is_no_address_is_refused(office, ha, typed):
    await then_refused("email", "email_malformed", office.invite(ha, typed))


async def test_an_empty_address_is_asked_for(office, ha):
    await then_refused("email", "required", office.invite(ha, " "))


@pytest.mark.parametrize(
    "typed", ["lan@gmail.com", "lan@edu.vn.example.com", "lan@edu.vn", "lan@fakeedu.vn", "lan@gov.vn.com"]
)
async def test_a_private_address_is_refused(office, ha, typed):
    await then_refused("email", "email_not_official", office.invite(ha, typed))


async def test_a_unit_may_have_domains_of_its_own(office, ha):
    async with office.connection.transaction():
        await set_domains(
            office.connection,
            "phuong",
            [" @BenMay.vn", "*.benmay.vn"],
            by=ha,
            tree=office.tree,
            actor=office.by(ha)["actor"],
        )
    assert await find_domains(office.connection, "phuong") == ("*.benmay.vn", "benmay.vn")
    assert (await office.invite(ha, "lan@benmay.vn")).link
    await then_refused("email", "email_not_official", office.invite(ha, NEW))
    assert (await office.invite(ha, "chi@thcs.edu.vn", "thcs")).link
    assert await office.entries("unit.mail_domains_changed") == [
        ("phuong", ha.id, "phuong", {"changes": {"domains": [["*.edu.vn", "*.gov.vn"], ["*.benmay.vn", "benmay.vn"]]}})
    ]  # fmt: skip


async def test_nobody_widens_their_own_units_circle(office, ha):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    for by, unit_code in ((ward, "phuong"), (ward, "thpt"), (ha, "so")):
        with pytest.raises(NotPermitted):
            await set_domains(
                office.connection, unit_code, ["x.vn"], by=by, tree=office.tree, actor=office.by(by)["actor"]
            )
    await set_domains(office.connection, "thcs", ["x.vn"], by=ward, tree=office.tree, actor=office.by(ward)["actor"])
    await set_domains(
        office.connection, "so", ["x.vn"], **{key: office.by(None)[key] for key in ("by", "tree", "actor")}
    )


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("gmail.com", "domain_is_everybodys"), ("*.yahoo.com.vn", "domain_is_everybodys"), ("*.vn", "domain_malformed"),
        ("vn", "domain_malformed"), ("a b.vn", "domain_malformed"), ("*.com.vn", "domain_too_wide"),
        ("x." * 130 + "vn", "domain_malformed"),
    ],
)  # fmt: skip
async def test_a_domain_that_is_nobodys_own_is_refused(office, ha, typed, code):
    setting = set_domains(office.connection, "phuong", [typed], by=ha, tree=office.tree, actor=office.by(ha)["actor"])
    await then_refused("domains", code, setting)


async def test_there_are_not_endless_domains(office, ha):
    typed = [f"truong-{number}.vn" for number in range(21)]
    setting = set_domains(office.connection, "phuong", typed, by=ha, tree=office.tree, actor=office.by(ha)["actor"])
    await then_refused("domains", "too_many_domains", setting)


@given(st.from_regex(r"[a-z]{1,8}@([a-z]{1,5}\.){0,3}(edu|gov|org)\.(vn|com)", fullmatch=True))
def test_an_address_is_official_below_its_domain_and_nowhere_else(address):
    domain = address.partition("@")[2]
    assert is_official(address, ("*.edu.vn", "*.gov.vn")) == (
        domain.endswith((".edu.vn", ".gov.vn")) and len(domain.split(".")) > 2
    )


@given(st.emails())
def test_the_normal_form_is_its_own_normal_form(address):
    try:
        normal = normal_address(address)
    except ValueError:
        return
    assert normal == normal_address(normal) == normal_address(normal.upper()) == normal.lower()


async def test_an_administrator_invites_only_for_her_units_and_those_below(office):
    ward = await given_administrator(office.connection, "phuong", "hoa")
    assert (await office.invite(ward, "a@x.edu.vn", "phuong")).link
    assert (await office.invite(ward, "b@x.edu.vn", "thcs")).link
    for unit_code in ("so", "xa", "thpt"):
        with pytest.raises(NotPermitted):
            await office.invite(ward, "c@x.edu.vn", unit_code)


@pytest.mark.parametrize("role", ["editor", "approver", "reviewer", "auditor"])
async def test_whoever_does_not_administer_invites_nobody(office, role):
    officer = await given_officer(office.connection, "nam", ("so", role))
    with pytest.raises(NotPermitted):
        await office.invite(officer, NEW)


async def test_nobody_invites_themselves(office, ha):
    with pytest.raises(NotForOneself):
        await office.invite(ha, ha.email, "phuong", "approver")


async def test_an_auditor_is_not_invited_to_a_second_role(office, ha):
    await office.invite(ha, NEW, "phuong", "auditor")
    with pytest.raises(RolesKeptApart):
        await office.invite(ha, NEW, "phuong", "editor")
    assert len(await office.letters(NEW)) == 1
