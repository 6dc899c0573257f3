"""How long one is signed in, and what ends it."""

from datetime import timedelta

import pytest

from tests.officers import given_officer, signed_in
from tests.people import MORNING
from units.officers import devices, sessions
from units.officers.sessions import begin, csrf_token, end_all, find

ACCOUNT = "/can-bo/tai-khoan"


@pytest.fixture
async def lan(connection):
    return await given_officer(connection, "lan", ("so", "editor"))


async def a_session(connection, officer, stage="full", now=MORNING) -> str:
    return await begin(connection, officer.id, stage, address="203.0.113.7", device="test", now=now)


@pytest.mark.parametrize(("role", "minutes"), [("editor", 15), ("approver", 15), ("administrator", 5)])
async def test_whoever_is_silent_is_signed_out(connection, service, clock, role, minutes):
    officer = await given_officer(connection, "lan", ("so", role))
    desk = await signed_in(service, officer)
    clock.now += timedelta(minutes=minutes) - timedelta(seconds=1)
    assert (await desk.get(ACCOUNT)).status_code == 200
    clock.now += timedelta(minutes=minutes) - timedelta(seconds=1)
    assert (await desk.get(ACCOUNT)).status_code == 200, "each request counts anew"
    clock.now += timedelta(minutes=minutes)
    assert (await desk.get(ACCOUNT)).status_code == 303


async def test_nobody_is_signed_in_for_more_than_twelve_hours(connection, lan):
    secret = await a_session(connection, lan)
    for minutes in range(10, 12 * 60, 10):
        assert await find(connection, secret, MORNING + timedelta(minutes=minutes))
    assert not await find(connection, secret, MORNING + timedelta(hours=12))


@pytest.mark.parametrize("state", ["asleep", "disabled", "invited"])
async def test_a_session_of_whoever_is_not_active_opens_nothing(connection, lan, state):
    secret = await a_session(connection, lan)
    await connection.execute("update units.officers set state = $1", state)
    assert not await find(connection, secret, MORNING)


@pytest.mark.parametrize("stage", ["invitation", "set_up", "password", "waking", "reset"])
async def test_a_step_on_the_way_in_is_no_way_in(connection, service, lan, stage):
    secret = await a_session(connection, lan, stage)
    answer = await service.visitor(headers={"Cookie": f"{sessions.COOKIE}={secret}"}).get(ACCOUNT)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("stage", "minutes"), [("invitation", 60), ("set_up", 60), ("password", 10), ("waking", 10), ("reset", 15)]
)
async def test_a_step_lasts_as_long_as_it_takes(connection, lan, stage, minutes):
    secret = await a_session(connection, lan, stage)
    assert await find(connection, secret, MORNING + timedelta(minutes=minutes - 1))
    assert not await find(connection, secret, MORNING + timedelta(minutes=minutes))


async def test_all_sessions_end_but_the_one_that_is_kept(connection, lan):
    kept, other = await a_session(connection, lan), await a_session(connection, lan)
    keeping = await find(connection, kept, MORNING)
    await end_all(connection, lan.id, "role_changed", MORNING, but=keeping.id)
    assert await find(connection, kept, MORNING)
    assert not await find(connection, other, MORNING)


async def test_what_the_cookie_holds_is_stored_nowhere(connection, lan):
    secret = await a_session(connection, lan)
    row = dict(await connection.fetchrow("select * from units.sessions"))
    assert secret not in str(row)
    assert csrf_token(secret) not in str(row)
    assert csrf_token(secret) not in secret


async def test_old_sessions_are_forgotten(connection, pool, lan):
    await a_session(connection, lan)
    await sessions.forget(pool, MORNING)
    assert await connection.fetchval("select count(*) from units.sessions") == 1
    await sessions.forget(pool, MORNING + timedelta(seconds=1))
    assert await connection.fetchval("select count(*) from units.sessions") == 0


async def test_being_seen_never_moves_backwards(connection, lan):
    secret = await a_session(connection, lan)
    await find(connection, secret, MORNING + timedelta(minutes=10))
    await find(connection, secret, MORNING + timedelta(minutes=5))
    assert await connection.fetchval("select seen_at from units.sessions") == MORNING + timedelta(minutes=10)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
            "Chrome trên Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge trên Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari trên iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox trên Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36 coc_coc_browser/120", "Cốc Cốc trên Windows"),
        ("<script>alert(1)</script>", "Trình duyệt khác"),
        ("", "Trình duyệt khác"),
    ],
)
def test_a_device_is_told_in_a_few_words(agent, words):
    assert devices.describe(agent) == words
