"""`baodanh officer`: the first officers of a service, and what only whoever runs it can do."""

import re

import pytest

from kit.keys import KeyRing
from server.demo.department import load_demo
from tests.officers import given_officer, given_unit
from tests.people import MORNING
from units.officers.tokens import use_token

NEW = "lan@vangiang.edu.vn"


async def entries(connection, action):
    rows = await connection.fetch(
        "select through, officer_id, unit_code from units.record_entries where action = $1 order by id", action
    )
    return [tuple(row) for row in rows]


async def test_somebody_is_invited_and_listed(baodanh, connection):
    code, said, _ = await baodanh("officer", "add", NEW.upper(), "--unit", "so", "--role", "editor", "--name", "Vũ Lan")
    assert code == 0
    assert "waits to be sent" in said
    assert "--show-link" in said
    assert (await baodanh("officer", "list"))[1] == f"{NEW}\tinvited\tso:editor\tVũ Lan\n"
    assert await connection.fetchval("select recipient from kit.mails") == NEW
    assert await entries(connection, "officer.invited") == [("command", None, "so")]
    assert await entries(connection, "officer.role_granted") == [("command", None, "so")]


async def test_the_link_of_the_letter_can_be_shown_where_no_mail_is_sent(baodanh, connection):
    _, said, _ = await baodanh("officer", "add", NEW, "--unit", "so", "--role", "administrator", "--show-link")
    link = re.fullmatch(r"http://127\.0\.0\.1:8000/can-bo/thiet-lap/(\S+)\n", said)
    assert link
    moment = await connection.fetchval("select now()")
    assert await use_token(connection, link[1], "invitation", moment)


async def test_whoever_is_there_already_is_given_the_role(baodanh, connection):
    await given_officer(connection, "lan", ("so", "editor"))
    code, said, _ = await baodanh("officer", "add", NEW, "--unit", "so", "--role", "reviewer")
    assert (code, "was given the role" in said) == (0, True)
    assert "so:editor,so:reviewer" in (await baodanh("officer", "list"))[1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "lan", "--unit", "so", "--role", "editor"), "This is no mail address"),
        (("add", "lan@gmail.com", "--unit", "so", "--role", "editor"), "addresses of *.edu.vn, *.gov.vn"),
        (("add", NEW, "--unit", "so", "--role", "root"), "A role is one of reviewer, editor"),
        (("add", NEW, "--unit", "nowhere", "--role", "editor"), "There is no unit 'nowhere'"),
        (("add", "sleeper@x.edu.vn", "--unit", "so", "--role", "auditor"), "holds no other role"),
        (("disable", NEW, "--reason", "x"), f"There is no officer '{NEW}'"),
        (("disable", "lan", "--reason", "x"), "There is no officer 'lan'"),
        (("disable", "sleeper@x.edu.vn", "--reason", " "), "'reason' is missing"),
        (("disable", "sleeper@x.edu.vn", "--reason", "x"), "Nobody else could administer 'so'"),
        (("disable", "gone@x.edu.vn", "--reason", "x"), "This account has ended"),
        (("reset-two-factor", "gone@x.edu.vn", "--reason", "x"), "This account has ended"),
        (("reset-two-factor", NEW, "--reason", "x"), f"There is no officer '{NEW}'"),
        (("domains", "so", "gmail.com"), "Anybody gets an address at 'gmail.com'"),
        (("domains", "so", "x y"), "'x y' is no domain"),
        (("domains", "nowhere"), "There is no unit 'nowhere'"),
        (("demo-code",), "There are no demo officers here"),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_sentence(baodanh, connection, arguments, sentence):
    await given_officer(
        connection, "sleeper", ("so", "administrator"), ("so", "editor"), email="sleeper@x.edu.vn", state="asleep"
    )
    await given_officer(connection, "gone", ("so", "editor"), email="gone@x.edu.vn", state="disabled")
    code, _, complained = await baodanh("officer", *arguments)
    assert code == 1
    assert sentence in " ".join(complained.split())
    assert await connection.fetchval("select count(*) from kit.mails") == 0


async def test_an_account_is_ended(baodanh, connection):
    await given_officer(connection, "lan", ("so", "editor"))
    code, _, _ = await baodanh("officer", "disable", NEW, "--reason", "Nghỉ hưu")
    assert code == 0
    assert (await baodanh("officer", "list"))[1].startswith(f"{NEW}\tdisabled\t")
    assert await entries(connection, "officer.disabled") == [("command", None, "so")]


async def test_open_work_wants_a_colleague(baodanh, connection):
    await given_unit(connection, "thpt")
    lan = await given_officer(connection, "lan", ("thpt", "editor"))
    chi = await given_officer(connection, "chi", ("thpt", "editor"))
    await given_officer(connection, "hung", ("thpt", "approver"))
    await connection.execute(
        "insert into units.approvals (kind, about, unit_code, decided_in, payload, preview, prepared_by, handed_in_by,"
        " looked_after_by, handed_in_at, state) values ('notice', 'a', 'thpt', 'thpt', '{}', '{\"title\": \"T\"}',"
        " array[$1::text::uuid], $1::text::uuid, $1::text::uuid, now(), 'waiting')",
        lan.id,
    )
    disable = ("officer", "disable", NEW, "--reason", "Nghỉ hưu")
    code, _, complained = await baodanh(*disable)
    assert (code, "1 pieces of work in 'thpt' are open" in complained) == (1, True)
    code, _, complained = await baodanh(*disable, "--hand-over-to", "hung@vangiang.edu.vn")
    assert (code, "cannot take the open work over" in complained) == (1, True)
    assert (await baodanh(*disable, "--hand-over-to", "chi@vangiang.edu.vn"))[0] == 0
    assert str(await connection.fetchval("select looked_after_by from units.approvals")) == chi.id


async def test_a_second_factor_is_forgotten(baodanh, connection):
    await given_officer(connection, "lan", ("so", "editor"))
    assert (await baodanh("officer", "reset-two-factor", NEW, "--reason", "Gặp trực tiếp"))[0] == 0
    assert (await baodanh("officer", "list"))[1].startswith(f"{NEW}\tinvited\t")
    assert await entries(connection, "two_factor.reset") == [("command", None, "so")]


async def test_domains_are_shown_and_set(baodanh, connection):
    assert (await baodanh("officer", "domains", "so"))[1] == "*.edu.vn\n*.gov.vn\n"
    assert (await baodanh("officer", "domains", "so", "vangiang.vn"))[1] == "vangiang.vn\n"
    assert (await baodanh("officer", "domains", "so"))[1] == "vangiang.vn\n"
    assert (await baodanh("officer", "domains", "so", "--usual"))[1] == "*.edu.vn\n*.gov.vn\n"
    assert await entries(connection, "unit.mail_domains_changed") == [("command", None, "so")] * 2


async def test_a_newcomer_gets_a_fresh_code(baodanh, connection, settings):
    keys = KeyRing(settings.keys_folder)
    await load_demo(connection, pin_key=keys.current("pin").value, now=MORNING, keys=keys)
    code, said, _ = await baodanh("officer", "demo-code")
    assert code == 0
    lines = [line.split() for line in said.splitlines() if "@vangiang.example" in line]
    assert len(lines) == 10
    assert all(re.fullmatch(r"[a-z2-7]{4}(-[a-z2-7]{4}){2}", line[-2]) for line in lines)
    assert all(re.fullmatch(r"[0-9]{6}", line[-1]) for line in lines)
