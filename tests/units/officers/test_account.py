"""My account: what a stolen session cannot do, and where I am signed in."""

import re
from datetime import timedelta

import pytest

from tests.officers import PASSWORD, code_at, given_officer, keys_of, signed_in
from tests.people import MORNING
from tests.units.officers.at_the_door import SESSION_COOKIE, Browser, letters
from units.officers import recovery_codes
from units.officers.two_factor import STEP_SECONDS, code_of, unseal

ACCOUNT = "/can-bo/tai-khoan"
NEW = "trăng lên trên sông 41"


@pytest.fixture
async def lan(connection, settings):
    return await given_officer(connection, "lan", ("so", "editor"), keys=keys_of(settings))


@pytest.fixture
async def desk(service, lan):
    return await signed_in(service, lan)


async def actions(connection) -> list[str]:
    return [row["action"] for row in await connection.fetch("select action from units.record_entries order by at, id")]


async def test_every_page_of_the_account_is_for_whoever_is_signed_in(service, lan):
    for path in ("", "/the", "/mat-khau", "/ung-dung-xac-thuc", "/ung-dung-xac-thuc/moi", "/ma-du-phong"):
        answer = await service.visitor().get(ACCOUNT + path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/can-bo/dang-nhap?tiep={ACCOUNT}{path}")


@pytest.mark.parametrize(
    "path",
    ["/the", "/mat-khau", "/ung-dung-xac-thuc", "/ung-dung-xac-thuc/moi", "/ma-du-phong", "/phien/1", "/phien-khac"],
)
async def test_every_form_of_the_account_wants_its_token_and_its_site(service, desk, path):
    assert (await desk.submit(ACCOUNT + path, csrf="guessed")).status_code == 403
    assert (
        await desk.post(ACCOUNT + path, data={"csrf": desk.csrf}, headers={"Origin": "https://evil.example"})
    ).status_code == 403
    assert (await desk.post(ACCOUNT + path, data={"current": PASSWORD})).status_code == 403


async def test_the_own_card_is_changed_and_stands_on_the_record(connection, desk):
    answer = await desk.submit(f"{ACCOUNT}/the", salutation="Cô", full_name="Lê Thị Lan", position="", office_phone="")
    assert answer.headers["location"] == f"{ACCOUNT}?xong=the"
    assert "Cô Lê Thị Lan" in (await desk.get(ACCOUNT)).text
    assert await actions(connection) == ["officer.described"]


async def test_a_private_phone_does_not_get_onto_the_card(desk):
    answer = await desk.submit(f"{ACCOUNT}/the", full_name="Lê Thị Lan", office_phone="0912 345 678")
    assert answer.status_code == 422
    assert "số di động" in answer.text


async def test_another_password_ends_the_other_sessions(connection, service, settings, lan, desk):
    other = await signed_in(service, lan)
    answer = await desk.submit(f"{ACCOUNT}/mat-khau", current=PASSWORD, password=NEW, repeated=NEW)
    assert answer.headers["location"] == f"{ACCOUNT}?xong=mat-khau"
    assert (await desk.get(ACCOUNT)).status_code == 200
    assert (await other.get(ACCOUNT)).status_code == 303
    assert (await Browser(service).give_password(lan.email, NEW)).status_code == 303
    assert len(await letters(connection, settings, "password-changed")) == 1
    assert "password.changed" in await actions(connection)


async def test_a_stolen_session_does_not_change_the_password(connection, desk):
    answer = await desk.submit(f"{ACCOUNT}/mat-khau", current="wrong", password="ngắn", repeated="ngắn")
    assert answer.status_code == 422
    assert "Mật khẩu chưa đúng" in answer.text
    assert "ít nhất 8 ký tự" in answer.text
    for _ in range(4):
        await desk.submit(f"{ACCOUNT}/mat-khau", current="wrong", password=NEW, repeated=NEW)
    assert (await desk.submit(f"{ACCOUNT}/mat-khau", current=PASSWORD, password=NEW, repeated=NEW)).status_code == 429
    assert (await actions(connection)).count("sign_in.failed") == 5


async def test_another_authenticator_wants_both_factors_first(connection, service, settings, lan, desk):
    other = await signed_in(service, lan)
    renewal = f"{ACCOUNT}/ung-dung-xac-thuc"
    assert (await desk.get(f"{renewal}/moi")).status_code == 303, "nothing is shown before"
    for current, code in (("wrong", code_at(MORNING)), (PASSWORD, "000000")):
        assert (await desk.submit(renewal, current=current, code=code)).status_code == 422
    answer = await desk.submit(renewal, current=PASSWORD, code=code_at(MORNING))
    assert answer.headers["location"] == f"{renewal}/moi"
    assert "<svg" in (await desk.get(f"{renewal}/moi")).text
    assert (await desk.submit(f"{renewal}/moi", code=code_at(MORNING, steps=1))).status_code == 422, "the old one's"
    draft = await connection.fetchval("select totp_draft from units.sessions where totp_draft is not null")
    secret = unseal(keys_of(settings), lan.id, draft)
    answer = await desk.submit(f"{renewal}/moi", code=code_of(secret, int(MORNING.timestamp()) // STEP_SECONDS))
    assert len(re.findall(r"<code>\w{4}-\w{4}-\w{4}</code>", answer.text)) == recovery_codes.HOW_MANY
    assert (await other.get(ACCOUNT)).status_code == 303
    assert len(await letters(connection, settings, "two_factor_changed")) == 1
    browser = Browser(service)
    await browser.give_password(lan.email)
    assert (await browser.give_code(code_at(MORNING, steps=1))).status_code == 422
    assert (await browser.give_code(code_of(secret, int(MORNING.timestamp()) // STEP_SECONDS + 1))).status_code == 303
    assert {"two_factor.renewed", "session.began"} <= set(await actions(connection))


async def test_a_confirmation_without_a_picture_changes_nothing(connection, desk):
    before = await connection.fetchval("select totp_secret from units.officers")
    assert (await desk.submit(f"{ACCOUNT}/ung-dung-xac-thuc/moi", code=code_at(MORNING))).status_code == 303
    assert await connection.fetchval("select totp_secret from units.officers") == before


async def test_new_recovery_codes_replace_the_old_ones(connection, service, settings, lan, desk):
    old = await recovery_codes.make_codes(connection, keys_of(settings), lan.id, MORNING)
    answer = await desk.submit(f"{ACCOUNT}/ma-du-phong", current=PASSWORD, code=code_at(MORNING))
    codes = re.findall(r"<code>(\w{4}-\w{4}-\w{4})</code>", answer.text)
    assert len(codes) == 10
    assert answer.headers["cache-control"] == "no-store"
    browser = Browser(service)
    await browser.give_password(lan.email)
    assert (await browser.give_code(old[0])).status_code == 422
    answer = await browser.give_code(codes[0])
    assert answer.headers["location"] == f"{ACCOUNT}#ma-du-phong", "how many are left is said"
    assert len(await letters(connection, settings, "recovery_codes_changed")) == 1


async def test_few_recovery_codes_left_are_said(connection, settings, lan, desk):
    codes = await recovery_codes.make_codes(connection, keys_of(settings), lan.id, MORNING)
    assert "Còn 10 mã dự phòng" not in (await desk.get(ACCOUNT)).text
    for code in codes[:7]:
        await recovery_codes.use_recovery_code(connection, keys_of(settings), lan.id, code, MORNING)
    assert "Còn 3 mã dự phòng" in (await desk.get(ACCOUNT)).text


async def test_a_recovery_code_used_at_the_door_works_once(connection, service, settings, lan):
    code = (await recovery_codes.make_codes(connection, keys_of(settings), lan.id, MORNING))[0]
    for expected in (303, 422):
        browser = Browser(service)
        await browser.give_password(lan.email)
        assert (await browser.give_code(code)).status_code == expected
    assert "recovery_code.used" in await actions(connection)


async def test_sessions_are_listed_with_device_address_and_times(service, lan, desk):
    browser = Browser(service, address="198.51.100.7")
    browser.client.headers["User-Agent"] = (
        "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
    )
    await browser.sign_in(lan, MORNING)
    page = (await desk.get(ACCOUNT)).text
    assert "Chrome trên Android" in page
    assert "198.51.100.7" in page
    assert "Pixel" not in page, "enough to recognise it, too little to trace it"
    assert page.count("phiên này") == 1


async def test_one_session_is_ended_from_another(connection, service, lan, desk):
    other = await signed_in(service, lan)
    session_id = await connection.fetchval("select id::text from units.sessions order by began_at, ctid desc limit 1")
    answer = await desk.submit(f"{ACCOUNT}/phien/{session_id}")
    assert answer.headers["location"] == f"{ACCOUNT}?xong=phien"
    assert (await other.get(ACCOUNT)).status_code == 303
    assert (await desk.submit(f"{ACCOUNT}/phien/{session_id}")).status_code == 404
    assert await actions(connection) == ["session.ended"]


async def test_nobody_ends_the_session_of_another_officer(connection, service, settings, desk):
    hung = await given_officer(connection, "hung", ("so", "approver"), keys=keys_of(settings))
    his = await signed_in(service, hung)
    session_id = await connection.fetchval("select id::text from units.sessions where officer_id::text = $1", hung.id)
    assert (await desk.submit(f"{ACCOUNT}/phien/{session_id}")).status_code == 404
    assert (await his.get(ACCOUNT)).status_code == 200


async def test_all_other_sessions_are_ended_at_once_and_their_devices_forgotten(connection, service, lan, desk):
    browser = Browser(service)
    await browser.sign_in(lan, MORNING)
    await desk.submit(f"{ACCOUNT}/phien-khac")
    assert not await browser.is_in()
    assert (await desk.get(ACCOUNT)).status_code == 200
    assert await connection.fetchval("select count(*) from units.known_devices") == 0


async def test_a_session_that_stood_idle_is_not_listed(service, lan, clock, desk):
    await signed_in(service, lan, address="198.51.100.9")
    clock.now += timedelta(minutes=10)
    await desk.get(ACCOUNT)
    clock.now += timedelta(minutes=10)
    assert "198.51.100.9" not in (await desk.get(ACCOUNT)).text


async def test_no_answer_of_the_account_is_kept_by_anybody(desk):
    for path in ("", "/the", "/mat-khau", "/ma-du-phong"):
        answer = await desk.get(ACCOUNT + path)
        assert answer.headers["cache-control"] == "no-store"
        assert SESSION_COOKIE not in answer.text
