"""Guessing gets nobody in, and keeps nobody out."""

import asyncio
import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from tests.officers import PASSWORD, code_at, given_officer, keys_of
from tests.people import MORNING
from tests.units.officers.at_the_door import CODE, SIGN_IN, Browser, letters, path_in
from units.officers import sign_in, throttle
from units.officers.devices import COOKIE as DEVICE_COOKIE
from units.officers.hashing import PasswordHashing
from units.officers.throttle import (
    LOCKED_FOR,
    MOST_FAILURES,
    Attempt,
    Slowness,
    TooManySignIns,
    count_attempt,
    delay_after,
    forgive,
    take_back,
)

LAN, HUNG = b"lan", b"hung"
HERE, THERE = "203.0.113.0/24", "198.51.100.0/24"


@pytest.fixture
async def lan(connection, settings):
    return await given_officer(connection, "lan", ("so", "editor"), keys=keys_of(settings))


@pytest.fixture
def no_room(monkeypatch):
    """Nobody can wait for a password to be checked."""
    monkeypatch.setattr("server.app.PasswordHashing", lambda: PasswordHashing(waiting=0))


async def test_the_fifth_failure_locks_account_and_neighbourhood_together(service, lan, clock):
    browser = Browser(service)
    for _ in range(MOST_FAILURES):
        assert (await browser.give_password(lan.email, "wrong")).status_code == 422
    answer = await browser.give_password(lan.email)
    assert answer.status_code == 429, "the right password too"
    assert answer.headers["retry-after"] == "900"
    neighbour = Browser(service, address="203.0.113.99")
    assert (await neighbour.give_password(lan.email)).status_code == 429
    elsewhere = Browser(service, address="198.51.100.7")
    assert (await elsewhere.give_password(lan.email)).status_code == 303, "nobody locks her out"
    clock.now += LOCKED_FOR
    assert (await browser.give_password(lan.email)).status_code == 303


async def test_an_account_that_does_not_exist_is_locked_just_so(service):
    browser = Browser(service)
    answers = [(await browser.give_password("nobody@vangiang.edu.vn", "wrong")).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


async def test_another_account_is_not_locked(service, lan, connection, settings):
    hung = await given_officer(connection, "hung", keys=keys_of(settings))
    browser = Browser(service)
    for _ in range(6):
        await browser.give_password(lan.email, "wrong")
    assert (await browser.give_password(hung.email)).status_code == 303


async def test_a_right_password_is_forgiven_everything_before(service, lan):
    browser = Browser(service)
    for _ in range(3):
        for _ in range(MOST_FAILURES - 1):
            await browser.give_password(lan.email, "wrong")
        assert (await browser.give_password(lan.email)).status_code == 303


async def test_attempts_at_the_same_instant_all_count(service, lan):
    browsers = [Browser(service) for _ in range(20)]
    for browser in browsers:
        await browser.open(SIGN_IN)
    answers = await asyncio.gather(
        *(browser.send(SIGN_IN, email=lan.email, password=f"guess {place}") for place, browser in enumerate(browsers))
    )
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(422) == MOST_FAILURES
    assert statuses.count(429) == 20 - MOST_FAILURES


async def test_the_second_factor_counts_in_the_same_way(service, lan, clock):
    browser = Browser(service)
    await browser.give_password(lan.email)
    for _ in range(MOST_FAILURES):
        assert (await browser.give_code("000000")).status_code == 422
    assert (await browser.give_code(code_at(clock.now))).status_code == 429
    # A right password does not make up for wrong codes.
    await browser.give_password(lan.email)
    assert (await browser.give_code(code_at(clock.now))).status_code == 429
    elsewhere = Browser(service, address="198.51.100.7")
    await elsewhere.give_password(lan.email)
    assert (await elsewhere.give_code(code_at(clock.now))).status_code == 303


async def test_brute_force_over_many_addresses_is_slowed(service, lan, monkeypatch):
    monkeypatch.setattr(throttle, "_FIRST_DELAY", 0.3)
    monkeypatch.setattr(throttle, "_LONGEST_DELAY", 0.6)
    for place in range(10):
        await Browser(service, address=f"198.51.{place}.7").give_password(lan.email, "wrong")
    started = time.monotonic()
    await Browser(service, address="198.51.200.7").give_password(lan.email, "wrong")
    await Browser(service, address="198.51.201.7").give_password(lan.email, "wrong")
    assert time.monotonic() - started > 0.9


async def test_a_crowd_of_strangers_does_not_slow_a_browser_that_is_known(service, lan, clock, monkeypatch):
    browser = Browser(service)
    await browser.sign_in(lan, clock.now)
    monkeypatch.setattr(throttle, "_FIRST_DELAY", 5.0)
    monkeypatch.setattr(throttle, "_LONGEST_DELAY", 5.0)
    monkeypatch.setattr(throttle, "_UNSLOWED", 2)
    for place in range(2):
        await Browser(service, address=f"198.51.{place}.7").give_password(lan.email, "wrong")
    strangers = [
        asyncio.create_task(Browser(service, address=f"198.52.{place}.7").give_password(lan.email, "wrong"))
        for place in range(8)
    ]
    await asyncio.sleep(0.5)
    again = Browser(service, **{DEVICE_COOKIE: browser.cookies[DEVICE_COOKIE]})
    started = time.monotonic()
    assert (await again.give_password(lan.email)).status_code == 303
    assert time.monotonic() - started < 4
    answers = [(await stranger).status_code for stranger in strangers]
    assert answers.count(429) == 4, "only so many wait at once"


async def test_whoever_was_turned_away_for_the_crowd_has_lost_nothing(pool):
    for _ in range(3 * MOST_FAILURES):
        attempt = await count_attempt(pool, LAN, "password", HERE, MORNING)
        await take_back(pool, attempt)
    for _ in range(MOST_FAILURES):
        await count_attempt(pool, LAN, "password", HERE, MORNING)
    with pytest.raises(TooManySignIns):
        await count_attempt(pool, LAN, "password", HERE, MORNING)


async def test_whoever_finds_no_room_at_the_door_has_lost_nothing(no_room, connection, service, lan):
    browser = Browser(service)
    for _ in range(MOST_FAILURES + 1):
        answer = await browser.give_password(lan.email)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
        assert "không tính là nhập sai" in answer.text
    assert await connection.fetchval("select sum(failures) from units.sign_in_attempts") == 0


async def test_many_wrong_codes_are_told_by_mail_once_a_day(connection, service, settings, lan, monkeypatch):
    monkeypatch.setattr(throttle, "_FIRST_DELAY", 0.01)
    for place in range(13):
        browser = Browser(service, address=f"198.51.{place}.7")
        await browser.give_password(lan.email)
        await browser.give_code("000000")
    told = await letters(connection, settings, "code-guessed")
    assert [address for address, _ in told] == [lan.email]


async def test_many_wrong_codes_leave_strangers_the_letter_and_the_officer_her_browser(
    connection, service, settings, lan, clock, monkeypatch
):
    monkeypatch.setattr(sign_in, "_MOST_WRONG_CODES", 4)
    browser, begun_before = Browser(service), Browser(service, address="198.50.1.7")
    await browser.sign_in(lan, clock.now)
    await begun_before.give_password(lan.email)
    for place in range(4):
        stranger = Browser(service, address=f"198.51.{place}.7")
        assert (await stranger.give_password(lan.email)).status_code == 303
        assert (await stranger.give_code("000000")).status_code == 422
    clock.now += timedelta(minutes=1)
    assert (await begun_before.give_code(code_at(clock.now))).status_code == 429
    stranger = Browser(service, address="198.51.200.7")
    assert "xem hộp thư" in (await stranger.give_password(lan.email)).text
    assert stranger.session is None
    again = Browser(service, **{DEVICE_COOKIE: browser.cookies[DEVICE_COOKIE]})
    await again.sign_in(lan, clock.now)
    clock.now += timedelta(minutes=1)
    by_letter = Browser(service, address="192.0.2.9")
    path = path_in((await letters(connection, settings, "sign_in_by_letter"))[0][1])
    await by_letter.open(path)
    await by_letter.send(path)
    assert (await by_letter.give_code(code_at(clock.now))).status_code == 303
    assert "officer.woken" not in [
        row["action"] for row in await connection.fetch("select * from units.record_entries")
    ]


async def test_one_address_tries_only_so_many_accounts(service, settings):
    browser = Browser(service)
    await browser.open(SIGN_IN)
    amount = settings.sign_in_rate.amount
    fields = {"email": "", "password": ""}
    answers = await asyncio.gather(*(browser.send(SIGN_IN, **fields) for _ in range(amount + 10)))
    assert sum(answer.status_code == 429 for answer in answers) == 10


async def test_the_wait_of_a_lock_does_not_grow_by_trying(pool):
    for _ in range(MOST_FAILURES):
        await count_attempt(pool, LAN, "password", HERE, MORNING)
    for minutes in (1, 5, 14):
        with pytest.raises(TooManySignIns) as refused:
            await count_attempt(pool, LAN, "password", HERE, MORNING + timedelta(minutes=minutes))
        assert refused.value.headers["Retry-After"] == str((15 - minutes) * 60)
    assert not (await count_attempt(pool, LAN, "password", HERE, MORNING + LOCKED_FOR)).locks


async def test_old_rows_are_forgotten(connection, pool):
    await count_attempt(pool, LAN, "password", HERE, MORNING)
    await throttle.forget(pool, MORNING + timedelta(hours=23))
    assert await connection.fetchval("select count(*) from units.sign_in_attempts") == 2
    await throttle.forget(pool, MORNING + timedelta(hours=25))
    assert await connection.fetchval("select count(*) from units.sign_in_attempts") == 0


def test_the_delay_grows_and_is_bounded():
    delays = [delay_after(failures) for failures in range(40)]
    assert delays[:10] == [0.0] * 10
    assert delays == sorted(delays)
    assert delays[-1] == delay_after(1_000_000) == 20.0


async def test_so_many_wait_in_all():
    slowness = Slowness(in_all=3)
    attempts = [Attempt(bytes([place]), "password", HERE, False, 11, 0.2) for place in range(5)]
    outcomes = await asyncio.gather(
        *(slowness.wait(each, is_known_device=False) for each in attempts), return_exceptions=True
    )
    assert sum(isinstance(outcome, TooManySignIns) for outcome in outcomes) == 2
    assert not slowness._waiting, "nobody is remembered who does not wait"


STEPS = st.lists(
    st.tuples(
        st.sampled_from([LAN, HUNG]),
        st.sampled_from([HERE, THERE]),
        st.booleans(),
        st.integers(min_value=0, max_value=20).map(lambda minutes: timedelta(minutes=minutes)),
    ),
    max_size=40,
)


class Expected:
    """The rule in a few lines: five failures of a pair, none longer ago than the one before by 15 minutes, lock it."""

    def __init__(self) -> None:
        self.failures, self.last, self.locked_until = 0, None, None

    def attempt(self, now, is_right) -> bool:
        """Whether the attempt is looked at."""
        if self.locked_until and now < self.locked_until:
            return False
        if self.locked_until or (self.last and now - self.last >= LOCKED_FOR):
            self.failures, self.locked_until = 0, None
        self.failures, self.last = self.failures + 1, now
        if is_right:
            self.failures, self.last = 0, None
        elif self.failures >= MOST_FAILURES:
            self.locked_until = now + LOCKED_FOR
        return True


async def test_whatever_is_tried_the_rows_say_what_the_rule_says(pool):
    loop = asyncio.get_running_loop()

    @how(max_examples=60, deadline=None)
    @given(STEPS)
    def check(steps):
        asyncio.run_coroutine_threadsafe(follow(steps), loop).result(60)

    async def follow(steps):
        await pool.execute("delete from units.sign_in_attempts")
        now, expected = MORNING, {(account, prefix): Expected() for account in (LAN, HUNG) for prefix in (HERE, THERE)}
        for account, prefix, is_right, later in steps:
            now += later
            looked_at = expected[account, prefix].attempt(now, is_right)
            try:
                attempt = await count_attempt(pool, account, "password", prefix, now)
            except TooManySignIns:
                assert not looked_at
                continue
            assert looked_at
            if is_right:
                await forgive(pool, attempt)

    await asyncio.to_thread(check)


async def test_no_address_and_no_name_stands_in_the_rows(connection, service, lan):
    await Browser(service).give_password(lan.email, "wrong")
    rows = await connection.fetch("select * from units.sign_in_attempts")
    assert rows
    assert "lan" not in str([dict(row) for row in rows])
    assert PASSWORD not in str([dict(row) for row in rows])
    assert CODE not in str(rows)
