"""A forgotten password: a letter to whoever has the address, one answer to whoever asks, and a code all the same."""

from datetime import timedelta

import pytest

from kit.keys import KeyRing
from kit.mail.post import Post
from kit.pages import Pages
from tests.officers import PASSWORD, code_at, given_officer, keys_of
from tests.people import MORNING
from tests.templates.gallery import TEMPLATES
from tests.units.officers.at_the_door import CODE, SESSION_COOKIE, SIGN_IN, Browser, letters, path_in
from units.officers import recovery

FORGOTTEN, RESET = "/can-bo/quen-mat-khau", "/can-bo/dat-lai-mat-khau"
NEW = "trăng lên trên sông 41"


@pytest.fixture
async def lan(connection, settings):
    return await given_officer(connection, "lan", ("so", "editor"), keys=keys_of(settings))


@pytest.fixture
def worker_answers(connection, pool, settings, clock):
    """Do what the worker does about reports of forgotten passwords."""

    async def answer():
        keys = KeyRing(settings.keys_folder)
        post = Post(Pages(TEMPLATES), keys, home=settings.home, sender=settings.mail_from)
        jobs = await connection.fetch("delete from kit.pgqueuer where entrypoint = $1 returning payload", recovery.JOB)
        for job in jobs:
            await recovery.answer_request(pool, keys, post, job["payload"], clock.now)
        return len(jobs)

    return answer


async def ask(browser: Browser, email: str, **headers: str):
    await browser.open(FORGOTTEN)
    return await browser.send(FORGOTTEN, email=email, headers=headers)


async def link(connection, settings, kind: str = "password-reset") -> str:
    return path_in((await letters(connection, settings, kind))[-1][1])


async def follow(browser: Browser, path: str):
    await browser.open(path)
    answer = await browser.send(path)
    if answer.status_code == 303:
        await browser.open(answer.headers["location"])
    return answer


async def test_a_forgotten_password_is_replaced_by_mail_and_the_code_is_still_asked_for(
    connection, service, settings, lan, worker_answers
):
    elsewhere = Browser(service)
    await elsewhere.sign_in(lan, MORNING, steps=-1)
    browser = Browser(service)
    assert (await ask(browser, lan.email)).status_code == 200
    await worker_answers()
    path = await link(connection, settings)
    answer = await follow(browser, path)
    assert answer.headers["location"] == RESET, "the secret stands in no address from here on"
    answer = await browser.send(RESET, password=NEW, repeated=NEW)
    assert answer.headers["location"] == CODE
    assert not await browser.is_in()
    assert not await elsewhere.is_in(), "other sessions are over"
    assert (await browser.give_code(code_at(MORNING))).status_code == 303
    assert await browser.is_in()
    assert (await Browser(service).give_password(lan.email, PASSWORD)).status_code == 422
    assert (await Browser(service).give_password(lan.email, NEW)).status_code == 303
    assert len(await letters(connection, settings, "password-changed")) == 1


async def test_looking_at_the_link_does_not_use_it_up(connection, service, settings, lan, worker_answers):
    await ask(Browser(service), lan.email)
    await worker_answers()
    path = await link(connection, settings)
    for _ in range(3):
        assert (await Browser(service).open(path)).status_code == 200
    first, second = Browser(service), Browser(service)
    assert (await follow(first, path)).status_code == 303
    assert (await follow(second, path)).status_code == 410


async def test_the_link_is_good_for_half_an_hour(connection, service, settings, lan, worker_answers, clock):
    await ask(Browser(service), lan.email)
    await worker_answers()
    clock.now += timedelta(minutes=30)
    assert (await follow(Browser(service), await link(connection, settings))).status_code == 410


async def test_whoever_asks_learns_nothing_and_costs_the_same(connection, service, settings, lan, worker_answers):
    await given_officer(connection, "nam", state="disabled")
    await given_officer(connection, "moi", state="invited", totp_secret=None)
    await connection.execute("update units.officers set password_hash = null where email like 'moi@%'")
    answers, jobs = set(), set()
    for email in (lan.email, "nobody@vangiang.edu.vn", "nam@vangiang.edu.vn", "moi@vangiang.edu.vn"):
        answer = await ask(Browser(service), email)
        answers.add((answer.status_code, answer.text))
        payload = await connection.fetchval("select payload from kit.pgqueuer order by id desc limit 1")
        jobs.add(len(payload))
        assert email.encode() not in payload
    assert len(answers) == 1
    assert len(jobs) == 1
    assert await worker_answers() == 4
    assert [address for address, _ in await letters(connection, settings, "password-reset")] == [lan.email]


async def test_a_host_header_does_not_get_into_the_letter(connection, service, settings, lan, worker_answers):
    browser = Browser(service)
    await browser.open(FORGOTTEN)
    poisoned = {"Host": "evil.example", "Origin": "http://evil.example", "X-Forwarded-Host": "evil.example"}
    assert (await browser.send(FORGOTTEN, email=lan.email, headers=poisoned)).status_code == 200
    await worker_answers()
    [(_, text)] = await letters(connection, settings, "password-reset")
    assert "evil.example" not in text
    assert f"{settings.home}{RESET}/" in text


async def test_nobody_fills_anybodys_mailbox(connection, service, settings, lan, worker_answers, clock):
    for place in range(6):
        await ask(Browser(service, address=f"198.51.{place}.7"), lan.email)
    await worker_answers()
    assert len(await letters(connection, settings, "password-reset")) == 3
    clock.now += timedelta(minutes=61)
    await ask(Browser(service), lan.email)
    await worker_answers()
    assert len(await letters(connection, settings, "password-reset")) == 4


async def test_one_address_reports_only_so_many_and_is_not_told(connection, service, settings, worker_answers):
    browser = Browser(service)
    answers = {(await ask(browser, f"somebody{place}@vangiang.edu.vn")).text for place in range(24)}
    assert len(answers) == 1
    assert await worker_answers() == settings.password_reset_rate.amount


async def test_a_weak_password_is_refused_with_what_is_wrong(connection, service, settings, lan, worker_answers):
    browser = Browser(service)
    await ask(browser, lan.email)
    await worker_answers()
    await follow(browser, await link(connection, settings))
    answer = await browser.send(RESET, password="matkhau123", repeated="khác")
    assert answer.status_code == 422
    assert "nhiều người dùng" in answer.text
    assert "Hai lần nhập mật khẩu chưa giống nhau" in answer.text
    assert "matkhau123" not in answer.text
    answer = await browser.send(RESET, password=PASSWORD, repeated=PASSWORD)
    assert "10 mật khẩu gần nhất" in answer.text


async def test_a_new_password_voids_the_links_that_were_sent_before(connection, service, settings, lan, worker_answers):
    for _ in range(2):
        await ask(Browser(service), lan.email)
    await worker_answers()
    one, two = [path_in(text) for _, text in await letters(connection, settings, "password-reset")]
    browser = Browser(service)
    await follow(browser, one)
    await browser.send(RESET, password=NEW, repeated=NEW)
    assert (await follow(Browser(service), two)).status_code == 410


async def test_a_mailbox_alone_sets_up_no_second_factor(connection, service, settings, worker_answers):
    hung = await given_officer(connection, "hung", ("so", "editor"), state="invited", totp_secret=None)
    for place in range(5):
        await ask(Browser(service, address=f"198.51.{place}.7"), hung.email)
    await worker_answers()
    assert await letters(connection, settings, "password-reset") == []
    [(address, text)] = await letters(connection, settings, "password-reset-refused")
    assert address == hung.email
    assert "gửi lại lời mời" in text
    assert f"{RESET}/" not in text
    assert await connection.fetchval("select count(*) from units.sign_in_tokens") == 0
    actions = await connection.fetch("select action from units.record_entries where action like 'password%'")
    assert {row["action"] for row in actions} == {"password_reset.refused"}
    answer = await Browser(service).give_password(hung.email)
    assert "xem hộp thư" in answer.text
    assert len(await letters(connection, settings, "first_steps_again")) == 1


async def test_a_link_sent_before_the_second_factor_was_forgotten_opens_nothing(
    connection, service, settings, lan, worker_answers
):
    for _ in range(2):
        await ask(Browser(service), lan.email)
    await worker_answers()
    one, two = [path_in(text) for _, text in await letters(connection, settings, "password-reset")]
    browser = Browser(service)
    await follow(browser, one)
    # Not even for whoever has begun.
    await connection.execute("update units.officers set state = 'invited', totp_secret = null")
    assert (await follow(Browser(service), two)).status_code == 410
    before = await connection.fetchval("select password_hash from units.officers")
    assert (await browser.send(RESET, password=NEW, repeated=NEW)).status_code == 410
    assert await connection.fetchval("select password_hash from units.officers") == before


async def test_the_step_of_the_new_password_opens_no_other_page(connection, service, settings, lan, worker_answers):
    browser = Browser(service)
    await ask(browser, lan.email)
    await worker_answers()
    await follow(browser, await link(connection, settings))
    for path in ("/can-bo/tai-khoan", CODE, "/can-bo/thiet-lap", "/can-bo/thiet-lap/xac-thuc"):
        answer = await browser.open(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(SIGN_IN)


async def test_another_site_cannot_use_a_link_up(connection, service, settings, lan, worker_answers):
    browser = Browser(service)
    await ask(browser, lan.email)
    await worker_answers()
    path = await link(connection, settings)
    await browser.open(path)
    answer = await browser.send(path, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await follow(Browser(service), path)).status_code == 303


async def test_a_sleeping_account_wakes_by_its_letter_and_the_code(connection, service, settings):
    thu = await given_officer(connection, "thu", ("so", "editor"), state="asleep", keys=keys_of(settings))
    await Browser(service).give_password(thu.email)
    path = await link(connection, settings, "waking")
    assert path.startswith("/can-bo/danh-thuc/")
    # Opened on the phone, where no session is.
    browser = Browser(service)
    answer = await follow(browser, path)
    assert answer.headers["location"] == CODE
    assert (await browser.send(CODE, code="000000")).status_code == 422
    assert (await browser.send(CODE, code=code_at(MORNING))).status_code == 303
    assert await browser.is_in()
    assert await connection.fetchval("select state from units.officers where email = $1", thu.email) == "active"
    assert await connection.fetchval("select count(*) from units.record_entries where action = 'officer.woken'") == 1


async def test_a_sleeping_account_wakes_by_a_new_password_too(connection, service, settings, worker_answers):
    thu = await given_officer(connection, "thu", ("so", "editor"), state="asleep", keys=keys_of(settings))
    browser = Browser(service)
    await ask(browser, thu.email)
    await worker_answers()
    await follow(browser, await link(connection, settings))
    await browser.send(RESET, password=NEW, repeated=NEW)
    await browser.give_code(code_at(MORNING))
    assert await browser.is_in()


async def test_an_account_that_falls_asleep_on_the_way_is_not_woken_by_a_code_alone(connection, service, settings, lan):
    browser = Browser(service)
    await browser.give_password(lan.email)
    await connection.execute("update units.officers set state = 'asleep'")
    answer = await browser.give_code(code_at(MORNING))
    assert answer.headers["location"].startswith(SIGN_IN)
    assert not await browser.is_in()


async def test_an_account_that_is_disabled_on_the_way_does_not_come_in(connection, service, lan):
    browser = Browser(service)
    await browser.give_password(lan.email)
    await browser.open(CODE)
    await connection.execute("update units.officers set state = 'disabled'")
    answer = await browser.send(CODE, code=code_at(MORNING))
    assert answer.headers["location"].startswith(SIGN_IN)
    assert SESSION_COOKIE not in [line.partition("=")[0] for line in browser.set_cookies]
