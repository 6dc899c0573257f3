"""From the invitation to the first morning at work."""

import re
from datetime import timedelta
from html import unescape

import pytest

from tests.officers import PASSWORD, given_officer, keys_of
from tests.people import MORNING
from tests.units.officers.at_the_door import CODE, SIGN_IN, Browser, letters, path_in
from units.officers import recovery_codes
from units.officers.tokens import link_path, make_token
from units.officers.two_factor import STEP_SECONDS, code_of, unseal

FIRST, SECOND = "/can-bo/thiet-lap", "/can-bo/thiet-lap/xac-thuc"
HERSELF = {
    "salutation": "Cô", "full_name": "Lê Thị Lan", "position": "Chuyên viên", "office_phone": "024 3869 5144",
    "password": "trăng lên trên sông 41", "repeated": "trăng lên trên sông 41",
}  # fmt: skip


@pytest.fixture
async def lan(connection):
    officer = await given_officer(
        connection, "lan", ("so", "editor"), state="invited", totp_secret=None, full_name="", salutation="", position=""
    )
    await connection.execute("update units.officers set password_hash = null, password_changed_at = null")
    return officer


@pytest.fixture
async def invitation(connection, lan) -> str:
    return link_path("invitation", await make_token(connection, lan.id, "invitation", timedelta(days=7), MORNING))


async def come_by(browser: Browser, path: str):
    await browser.open(path)
    answer = await browser.send(path)
    if answer.status_code == 303:
        await browser.open(answer.headers["location"])
    return answer


async def shown_code(connection, settings, officer, *, now=MORNING) -> str:
    """What the authenticator shows that has scanned the picture."""
    draft = await connection.fetchval("select totp_draft from units.sessions where totp_draft is not null")
    return code_of(unseal(keys_of(settings), officer.id, draft), int(now.timestamp()) // STEP_SECONDS)


async def test_an_invited_officer_is_signed_in_at_the_end(connection, service, settings, lan, invitation):
    browser = Browser(service)
    answer = await come_by(browser, invitation)
    assert answer.headers["location"] == FIRST
    answer = await browser.send(FIRST, **HERSELF)
    assert answer.headers["location"] == SECOND
    await browser.open(SECOND)
    key = re.search(r'manual-key"><code>([A-Z2-7 ]+)</code>', browser.page)[1]
    assert key.replace(" ", "") in unescape(browser.page).split("secret=")[1]
    assert "<svg viewBox" in browser.page
    answer = await browser.send(SECOND, code=await shown_code(connection, settings, lan))
    codes = re.findall(r"<code>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</code>", answer.text)
    assert len(codes) == recovery_codes.HOW_MANY
    assert await browser.is_in()
    row = await connection.fetchrow("select * from units.officers where email = $1", lan.email)
    assert (row["state"], row["full_name"], row["office_phone"]) == ("active", "Lê Thị Lan", "024 3869 5144")
    actions = [
        entry["action"] for entry in await connection.fetch("select action from units.record_entries order by at, id")
    ]
    assert actions == ["link.used", "officer.described", "password.set", "two_factor.set_up", "session.began"]
    assert not await letters(connection, settings, "new-device"), "she has just set everything up on it"


async def test_the_code_of_the_first_steps_is_used_up_by_them(connection, service, settings, lan, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    await browser.send(FIRST, **HERSELF)
    code = await shown_code(connection, settings, lan)
    await browser.open(SECOND)
    await browser.send(SECOND, code=code)
    other = Browser(service)
    await other.give_password(lan.email, HERSELF["password"])
    assert (await other.give_code(code)).status_code == 422


async def test_looking_at_the_invitation_does_not_use_it_up(service, invitation):
    for _ in range(3):
        assert (await Browser(service).open(invitation)).status_code == 200
    assert (await come_by(Browser(service), invitation)).status_code == 303
    assert (await come_by(Browser(service), invitation)).status_code == 410


async def test_all_mistakes_of_card_and_password_are_told_at_once(service, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    answer = await browser.send(
        FIRST, salutation="Bạn", full_name="", office_phone="0912345678", password="LeThiLan", repeated="x"
    )
    assert answer.status_code == 422
    for field in ("salutation", "full_name", "office_phone", "repeated"):
        assert f'id="{field}-mistake"' in answer.text
    assert 'value="0912345678"' in answer.text, "what was typed stays"
    assert "LeThiLan" not in answer.text, "but no password does"


async def test_the_own_name_is_no_password(service, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    answer = await browser.send(FIRST, **HERSELF | {"password": "le thi lan 1", "repeated": "le thi lan 1"})
    assert "gần giống tên" in answer.text


async def test_a_wrong_code_leaves_everything_as_it_was(connection, service, settings, lan, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    await browser.send(FIRST, **HERSELF)
    await browser.open(SECOND)
    picture = re.search(r"<svg.*?</svg>", browser.page)[0]
    answer = await browser.send(SECOND, code="000000")
    assert answer.status_code == 422
    assert picture in answer.text, "the same picture: it was scanned already"
    assert await connection.fetchval("select state from units.officers where email = $1", lan.email) == "invited"
    assert (await browser.send(SECOND, code=await shown_code(connection, settings, lan))).status_code == 200


async def test_no_step_opens_the_next_ones(service, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    for path in (SECOND, CODE, "/can-bo/tai-khoan", "/can-bo/dat-lai-mat-khau"):
        assert (await browser.open(path)).headers["location"].startswith(SIGN_IN)


async def test_mass_assignment_gives_nobody_a_role_or_another_address(connection, service, lan, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    more = {
        "email": "evil@vangiang.edu.vn",
        "state": "active",
        "role": "administrator",
        "roles": "administrator",
        "id": "1",
    }
    await browser.send(FIRST, **HERSELF | more)
    row = await connection.fetchrow("select email, state from units.officers where id::text = $1", lan.id)
    assert tuple(row) == (lan.email, "invited")
    assert await connection.fetchval("select count(*) from units.officer_roles") == 1


async def test_whoever_has_a_password_shows_it_before_setting_up_another_second_factor(connection, service, settings):
    hung = await given_officer(connection, "hung", ("so", "editor"), state="invited", totp_secret=None)
    answer = await Browser(service).give_password(hung.email)
    assert "xem hộp thư" in answer.text, "a password alone sets nothing up"
    path = path_in((await letters(connection, settings, "first_steps_again"))[0][1])
    browser = Browser(service)
    await come_by(browser, path)
    assert 'id="full_name"' not in browser.page
    answer = await browser.send(FIRST, current="wrong")
    assert answer.status_code == 422, "nor does a letter alone"
    answer = await browser.send(FIRST, current=PASSWORD)
    assert answer.headers["location"] == SECOND
    await browser.open(SECOND)
    assert (await browser.send(SECOND, code=await shown_code(connection, settings, hung))).status_code == 200
    assert await browser.is_in()


async def test_whoever_breaks_off_after_the_password_reads_how_to_go_on(connection, service, settings, lan, invitation):
    browser = Browser(service)
    await come_by(browser, invitation)
    await browser.send(FIRST, **HERSELF)
    later = Browser(service)
    answer = await come_by(later, invitation)
    assert answer.status_code == 410
    assert "đăng nhập bằng mật khẩu đó" in answer.text
    await later.give_password(lan.email, HERSELF["password"])
    path = path_in((await letters(connection, settings, "first_steps_again"))[0][1])
    assert (await come_by(later, path)).headers["location"] == FIRST
    assert (await later.send(FIRST, current=HERSELF["password"])).headers["location"] == SECOND


async def test_an_invitation_opens_nothing_for_whoever_is_active(connection, service, settings):
    hung = await given_officer(connection, "hung", ("so", "editor"), keys=keys_of(settings))
    secret = await make_token(connection, hung.id, "invitation", timedelta(days=7), MORNING)
    assert (await come_by(Browser(service), link_path("invitation", secret))).status_code == 410


async def test_the_steps_do_not_wait_for_ever(service, invitation, clock):
    browser = Browser(service)
    await come_by(browser, invitation)
    clock.now += timedelta(minutes=60)
    assert (await browser.open(FIRST)).headers["location"].startswith(SIGN_IN)
