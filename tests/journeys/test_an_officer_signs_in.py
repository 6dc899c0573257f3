"""Lan is invited, leaves her phone at home, forgets her password, sleeps over the summer; nobody else comes in."""

import re
from datetime import timedelta

from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from tests.officers import given_officer, keys_of
from tests.templates.gallery import TEMPLATES
from tests.units.officers.at_the_door import CODE, Browser, letters, path_in
from units.officers import recovery
from units.officers.devices import COOKIE as DEVICE_COOKIE
from units.officers.tokens import link_path, make_token
from units.officers.two_factor import STEP_SECONDS, code_of, unseal

OLD, NEW = "trăng lên trên sông 41", "hoa gạo đỏ đầu làng 9"


async def test_an_officer_signs_in(connection, pool, service, settings, clock):
    lan = await given_officer(connection, "lan", ("so", "editor"), state="invited", totp_secret=None, full_name="")
    await connection.execute("update units.officers set password_hash = null")

    office, authenticator, papers = await take_first_steps(connection, service, settings, lan, clock.now)

    # Somebody elsewhere guesses: locked there, open here.
    clock.now += timedelta(hours=1)
    stranger = Browser(service, address="198.51.100.66")
    outcomes = [(await stranger.give_password(lan.email, f"đoán {place}")).status_code for place in range(7)]
    assert outcomes == [422] * 5 + [429] * 2
    device = office.cookies[DEVICE_COOKIE]
    office = Browser(service, address="203.0.113.7", **{DEVICE_COOKIE: device})
    await enter(office, lan, OLD, shown(authenticator, clock.now))
    assert await office.is_in()
    assert not await letters(connection, settings, "new-device"), "the office is known"

    # The phone stays at home: a code on paper, on another computer, which is told by mail.
    clock.now += timedelta(hours=1)
    library = Browser(service, address="192.0.2.44")
    await enter(library, lan, OLD, papers[0])
    [(address, text)] = await letters(connection, settings, "new-device")
    assert address == lan.email
    assert "192.0.2.44" in text

    # The password is forgotten. The letter comes; the code is asked for all the same; the library is signed out.
    other = Browser(service)
    await other.open("/can-bo/quen-mat-khau")
    await other.send("/can-bo/quen-mat-khau", email=lan.email)
    await follow(other, await read_letter(connection, pool, settings, clock.now))
    answer = await other.send("/can-bo/dat-lai-mat-khau", password=NEW, repeated=NEW)
    assert answer.headers["location"] == CODE
    assert not await other.is_in()
    assert not await library.is_in()
    assert (await other.give_code(shown(authenticator, clock.now))).status_code == 303

    # The summer. The account sleeps; the right password brings a letter, letter and code bring her in.
    clock.now += timedelta(days=60)
    await connection.execute("update units.officers set state = 'asleep'")
    assert not await other.is_in()
    autumn = Browser(service)
    assert "xem hộp thư" in (await autumn.give_password(lan.email, NEW)).text
    await follow(autumn, path_in((await letters(connection, settings, "waking"))[0][1]))
    assert (await autumn.send(CODE, code=shown(authenticator, clock.now))).status_code == 303
    assert await autumn.is_in()

    # All of it stands on the record, and none of it says an address or a password.
    entries = await connection.fetch("select action, details from units.record_entries order by at, id")
    counts = [entry["action"] for entry in entries]
    assert counts.count("sign_in.failed") == 5
    assert counts.count("session.began") == 5
    assert {"link.used", "two_factor.set_up", "recovery_code.used", "password.changed", "officer.woken"} <= set(counts)
    told = " ".join(entry["details"] for entry in entries)
    assert not [word for word in (lan.email, "Lê Thị Lan", OLD, NEW, papers[0]) if word in told]


async def take_first_steps(connection, service, settings, lan, now) -> tuple[Browser, bytes, list[str]]:
    """The invitation: card, password, authenticator, codes on paper."""
    secret = await make_token(connection, lan.id, "invitation", timedelta(days=7), now)
    office = Browser(service, address="203.0.113.7")
    await follow(office, link_path("invitation", secret))
    await office.send("/can-bo/thiet-lap", salutation="Cô", full_name="Lê Thị Lan", password=OLD, repeated=OLD)
    await office.open("/can-bo/thiet-lap/xac-thuc")
    draft = await connection.fetchval("select totp_draft from units.sessions where totp_draft is not null")
    authenticator = unseal(keys_of(settings), lan.id, draft)
    answer = await office.send("/can-bo/thiet-lap/xac-thuc", code=shown(authenticator, now))
    papers = re.findall(r"<code>(\w{4}-\w{4}-\w{4})</code>", answer.text)
    assert await office.is_in()
    await office.send("/can-bo/dang-xuat")
    return office, authenticator, papers


async def read_letter(connection, pool, settings, now) -> str:
    """What the worker does about the report of a forgotten password; where the letter leads."""
    keys = KeyRing(settings.keys_folder)
    post = Post(Pages(TEMPLATES), keys, home=settings.home, sender=settings.mail_from)
    payload = await connection.fetchval("select payload from kit.pgqueuer where entrypoint = $1", recovery.JOB)
    await recovery.answer_request(pool, keys, post, payload, now)
    return path_in((await letters(connection, settings, "password-reset"))[0][1])


async def follow(browser: Browser, path: str) -> None:
    await browser.open(path)
    answer = await browser.send(path)
    assert answer.status_code == 303, answer.text
    await browser.open(answer.headers["location"])


async def enter(browser: Browser, officer, password: str, code: str) -> None:
    assert (await browser.give_password(officer.email, password)).status_code == 303
    assert (await browser.give_code(code)).status_code == 303


def shown(authenticator: bytes, now) -> str:
    return code_of(authenticator, int(now.timestamp()) // STEP_SECONDS)
