"""Signing in: two factors, one answer for every failure, and none of the known tricks."""

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from tests.officers import PASSWORD, code_at, given_officer, keys_of
from tests.people import MORNING
from tests.units.officers.at_the_door import CODE, FORM_COOKIE, SESSION_COOKIE, SIGN_IN, Browser
from units.officers.devices import COOKIE as DEVICE_COOKIE


@pytest.fixture
async def lan(connection, settings):
    return await given_officer(connection, "lan", ("so", "editor"), keys=keys_of(settings))


async def failures(connection) -> list:
    return await connection.fetch("select * from units.record_entries where action = 'sign_in.failed' order by at")


async def test_password_and_code_let_an_officer_in(service, lan):
    browser = Browser(service)
    assert not await browser.is_in()
    answer = await browser.give_password(lan.email)
    assert answer.headers["location"] == CODE
    assert not await browser.is_in(), "one factor is not enough"
    answer = await browser.give_code(code_at(MORNING))
    assert answer.headers["location"] == "/can-bo"
    assert await browser.is_in()


async def test_the_address_may_be_typed_in_capitals_with_blanks(service, lan):
    answer = await Browser(service).give_password(f"  {lan.email.upper()} ")
    assert answer.status_code == 303


async def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(service, lan):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    for name in (SESSION_COOKIE, DEVICE_COOKIE):
        line = next(line.lower() for line in browser.set_cookies if line.startswith(f"{name}="))
        assert name.startswith("__Host-")
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= {part.strip() for part in line.split(";")}
        assert "domain" not in line


async def test_every_step_begins_another_session(service, lan):
    browser = Browser(service, **{SESSION_COOKIE: "planted-by-somebody-else"})
    await browser.give_password(lan.email)
    after_password = browser.session
    await browser.give_code(code_at(MORNING))
    assert len({"planted-by-somebody-else", after_password, browser.session}) == 3
    for old in ("planted-by-somebody-else", after_password):
        behind = Browser(service, **{SESSION_COOKIE: old})
        assert not await behind.is_in()
        assert (await behind.open(CODE)).status_code == 303, "nor is the step before open any more"


async def test_the_session_of_whoever_signs_in_anew_is_over(service, lan, clock):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    before = browser.session
    clock.now += timedelta(seconds=60)
    # Whoever is signed in is not shown the form: she has it open from before.
    other = Browser(service)
    await other.open(SIGN_IN)
    other.cookies[SESSION_COOKIE] = before
    assert (await other.send(SIGN_IN, email=lan.email, password=PASSWORD)).status_code == 303
    assert not await Browser(service, **{SESSION_COOKIE: before}).is_in()


async def test_whoever_is_signed_in_goes_on_at_once(service, lan):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    answer = await browser.open(f"{SIGN_IN}?tiep=/can-bo/ky-thi")
    assert (answer.status_code, answer.headers["location"]) == (303, "/can-bo/ky-thi")


async def test_a_planted_device_is_not_adopted(service, lan):
    planted = "A" * 43
    browser = Browser(service, **{DEVICE_COOKIE: planted})
    await browser.sign_in(lan, MORNING)
    assert browser.cookies[DEVICE_COOKIE] != planted


async def test_wrong_passwords_and_unknown_addresses_get_the_same_answer(connection, service, lan):
    await given_officer(connection, "nam", state="disabled")
    browser = Browser(service)
    pages = set()
    for email, password in (
        (lan.email, "wrong"),
        ("nobody@vangiang.edu.vn", PASSWORD),
        ("nam@vangiang.edu.vn", PASSWORD),
    ):
        answer = await browser.give_password(email, password)
        assert answer.status_code == 422
        pages.add(answer.text.replace(email, "ADDRESS"))
    assert len(pages) == 1


async def test_an_unknown_address_costs_a_password_check_too(slow_hashing, service, lan, monkeypatch):
    checked = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, *facts: checked.append(facts[0]) or verify(self, *facts))
    await Browser(service).give_password("nobody@vangiang.edu.vn", "something")
    assert len(checked) == 1
    assert "m=65536,t=3" in checked[0], "as dear as a real one"


async def test_failures_and_successes_stand_on_the_record(connection, service, lan):
    browser = Browser(service)
    await browser.give_password(lan.email, "wrong")
    await browser.give_password("nobody@vangiang.edu.vn", "wrong")
    await browser.give_password(lan.email)
    await browser.give_code("000000")
    await browser.give_code(code_at(MORNING))
    known, unknown, code = await failures(connection)
    assert (known["object_kind"], known["object_id"], known["unit_code"]) == ("officer", lan.id, "so")
    assert (unknown["object_kind"], unknown["object_id"]) == ("sign_in", "unknown")
    assert '"account": "hmac:' in unknown["details"]
    assert "nobody" not in str(dict(unknown))
    assert '"factor": "code"' in code["details"]
    assert (
        await connection.fetchval("select officer_id::text from units.record_entries where action = 'session.began'")
        == lan.id
    )


async def test_a_code_works_once(service, lan):
    first, second = Browser(service), Browser(service)
    for browser in (first, second):
        await browser.give_password(lan.email)
    assert (await first.give_code(code_at(MORNING))).status_code == 303
    assert (await second.give_code(code_at(MORNING))).status_code == 422
    assert not await second.is_in()


async def test_of_two_that_give_one_code_at_the_same_instant_one_comes_in(service, lan):
    browsers = [Browser(service) for _ in range(4)]
    for browser in browsers:
        await browser.give_password(lan.email)
        await browser.open(CODE)
    answers = await asyncio.gather(*(browser.send(CODE, code=code_at(MORNING)) for browser in browsers))
    assert sorted(answer.status_code for answer in answers) == [303, 422, 422, 422]


async def test_an_earlier_code_is_worth_nothing_after_a_later_one(service, lan):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING, steps=1)
    await browser.give_password(lan.email)
    for steps in (-1, 0, 1):
        other = Browser(service, address=f"203.0.{steps + 10}.7")
        await other.give_password(lan.email)
        assert (await other.give_code(code_at(MORNING, steps=steps))).status_code == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
async def test_a_clock_may_be_one_step_off(service, lan, steps, status):
    browser = Browser(service)
    await browser.give_password(lan.email)
    assert (await browser.give_code(code_at(MORNING, steps=steps))).status_code == status


async def test_the_code_may_be_typed_in_groups(service, lan):
    browser = Browser(service)
    await browser.give_password(lan.email)
    code = code_at(MORNING)
    assert (await browser.give_code(f" {code[:3]} {code[3:]} ")).status_code == 303


async def test_the_second_step_is_not_waited_for_without_end(service, lan, clock):
    browser = Browser(service)
    await browser.give_password(lan.email)
    clock.now += timedelta(minutes=10)
    answer = await browser.open(CODE)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(SIGN_IN)


@pytest.mark.parametrize("onward", ["/can-bo/ky-thi", "/can-bo/ky-thi/thpt-2026", "/can-bo/don-vi/so-1/sua"])
async def test_after_signing_in_one_comes_where_one_wanted_to_go(service, lan, onward):
    browser = Browser(service)
    await browser.open(f"{SIGN_IN}?tiep={onward}")
    answer = await browser.send(SIGN_IN, email=lan.email, password=PASSWORD)
    await browser.open(answer.headers["location"])
    answer = await browser.send(CODE, code=code_at(MORNING))
    assert answer.headers["location"] == onward


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/can-bo", "//evil.example/can-bo", "/can-bo//evil.example", "/can-bo/..//evil.example",
        "/\\evil.example", "/can-bo\\evil.example", "/can-bo@evil.example", "javascript:alert(1)", "/", "/tra-cuu",
        "/can-bo/%0d%0aSet-Cookie:x=1", "/can-bo/\r\nX: y", "/can-bo/../tra-cuu", "/can-bo/./x", "/can-boevil",
        "/can-bo/dang-xuat", "/can-bo/dang-nhap?tiep=/can-bo", "/can-bo/ky-thi?x=//evil.example",
    ],
)  # fmt: skip
async def test_nobody_is_led_elsewhere_after_signing_in(service, lan, elsewhere):
    browser = Browser(service)
    await browser.open(SIGN_IN)
    answer = await browser.send(SIGN_IN, email=lan.email, password=PASSWORD, tiep=elsewhere)
    assert answer.headers["location"] == CODE
    await browser.open(CODE)
    answer = await browser.send(CODE, code=code_at(MORNING), tiep=elsewhere)
    assert answer.headers["location"] == "/can-bo"
    page = await Browser(service).client.get(SIGN_IN, params={"tiep": elsewhere})
    assert "evil" not in page.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_sign_anybody_in(service, lan, headers):
    browser = Browser(service)
    await browser.open(SIGN_IN)
    answer = await browser.send(SIGN_IN, email=lan.email, password=PASSWORD, headers=headers)
    assert answer.status_code == 403
    assert browser.session is None


async def test_a_form_that_another_browser_got_signs_nobody_in(service, lan):
    attacker, victim = Browser(service), Browser(service)
    await attacker.open(SIGN_IN)
    await victim.open(SIGN_IN)
    victim.page = attacker.page
    answer = await victim.send(SIGN_IN, email=lan.email, password=PASSWORD)
    assert answer.status_code == 403
    assert victim.session is None


async def test_the_code_is_taken_only_from_the_browser_that_gave_the_password(service, lan):
    one, other = Browser(service), Browser(service)
    await one.give_password(lan.email)
    await other.give_password(lan.email)
    await one.open(CODE)
    await other.open(CODE)
    one_csrf = one.page.split('name="csrf" value="')[1].split('"')[0]
    answer = await other.send(CODE, code=code_at(MORNING), csrf=one_csrf)
    assert answer.status_code == 403


async def test_whoever_drops_cookies_is_told_instead_of_sent_round(service, lan):
    browser = Browser(service)
    await browser.open(SIGN_IN)
    del browser.cookies[FORM_COOKIE]
    answer = await browser.send(SIGN_IN, email=lan.email, password=PASSWORD)
    assert answer.status_code == 400
    assert "https://" in answer.text
    assert "Trình duyệt không giữ được phiên đăng nhập" in answer.text


@pytest.mark.parametrize(
    ("host", "warned"),
    [
        ("10.0.0.5:8000", True),
        ("diemthi.example.vn", True),
        ("127.0.0.1:8000", False),
        ("[::1]:8000", False),
        ("localhost", False),
    ],
)
async def test_plain_http_beyond_this_machine_is_warned_of(service, host, warned):
    answer = await service.visitor().get(SIGN_IN, headers={"Host": host})
    assert ("Trình duyệt không giữ được phiên đăng nhập" in answer.text) == warned


async def test_signing_out_ends_the_session_itself(connection, service, lan):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    secret = browser.session
    await browser.open("/can-bo/tai-khoan")
    answer = await browser.send("/can-bo/dang-xuat")
    assert answer.headers["location"] == SIGN_IN
    assert browser.session is None
    assert not await Browser(service, **{SESSION_COOKIE: secret}).is_in()
    assert await connection.fetchval("select count(*) from units.record_entries where action = 'session.ended'") == 1


async def test_signing_out_wants_the_own_form(service, lan):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    browser.page = ""
    assert (await browser.send("/can-bo/dang-xuat", csrf="guessed")).status_code == 403
    assert await browser.is_in()


async def test_a_new_device_is_told_by_mail_and_a_known_one_is_not(connection, service, lan, clock):
    browser = Browser(service)
    await browser.sign_in(lan, clock.now)
    assert await connection.fetchval("select count(*) from kit.mails where key like 'new-device:%'") == 1
    clock.now += timedelta(minutes=2)
    again = Browser(service, **{DEVICE_COOKIE: browser.cookies[DEVICE_COOKIE]})
    await again.sign_in(lan, clock.now)
    assert await connection.fetchval("select count(*) from kit.mails where key like 'new-device:%'") == 1
    assert again.cookies[DEVICE_COOKIE] == browser.cookies[DEVICE_COOKIE]


async def test_two_officers_share_a_computer(connection, service, lan, clock, settings):
    hung = await given_officer(connection, "hung", ("so", "approver"), keys=keys_of(settings))
    browser = Browser(service)
    for _ in range(2):
        for officer in (lan, hung):
            clock.now += timedelta(minutes=2)
            browser.cookies.pop(SESSION_COOKIE, None)
            await browser.sign_in(officer, clock.now)
    assert await connection.fetchval("select count(*) from kit.mails where key like 'new-device:%'") == 2


async def test_a_sleeping_account_is_woken_by_mail_and_code(connection, service, settings):
    asleep = await given_officer(connection, "thu", ("so", "editor"), state="asleep", keys=keys_of(settings))
    browser = Browser(service)
    wrong = await browser.give_password(asleep.email, "wrong")
    assert wrong.status_code == 422, "as for anybody"
    answer = await browser.give_password(asleep.email)
    assert answer.status_code == 200
    assert "xem hộp thư" in answer.text
    assert await connection.fetchval("select count(*) from kit.mails where key like 'waking:%'") == 1


async def test_a_password_that_is_stored_cheaply_is_stored_dearly_after_signing_in(
    slow_hashing, connection, service, lan
):
    await Browser(service).give_password(lan.email)
    stored = await connection.fetchval("select password_hash from units.officers where id::text = $1", lan.id)
    assert "m=65536,t=3" in stored
    assert (await Browser(service).give_password(lan.email)).status_code == 303
