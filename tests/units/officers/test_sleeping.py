"""An account that nobody uses is told at day 40 and asleep at day 45."""

from datetime import timedelta

import pytest

from tests.officers import given_officer
from tests.people import MORNING
from tests.units.officers.staff import given_session, running_sessions
from units.officers.sleeping import look_after_idle_accounts

DAY = timedelta(days=1)


@pytest.fixture
async def lan(office):
    """She signed in on the morning of day 0."""
    return await given_officer(office.connection, "lan", ("phuong", "editor"))


async def when_day(office, number, hours=0):
    async with office.connection.transaction():
        await look_after_idle_accounts(office.connection, office.post, MORNING + number * DAY + timedelta(hours=hours))


async def test_on_day_40_a_letter_comes_once(office, lan):
    await when_day(office, 39, 23)
    assert await office.letters(lan.email) == []
    for number in (40, 41, 44):
        await when_day(office, number)
    (letter,) = await office.letters(lan.email)
    assert "15/8/2026" in letter.text
    assert (await office.seen(lan)).state == "active"


async def test_on_day_45_it_sleeps(office, lan):
    await given_session(office.connection, lan)
    await when_day(office, 45)
    assert (await office.seen(lan)).state == "asleep"
    assert await running_sessions(office.connection, lan) == 0
    assert await office.entries("officer.fell_asleep") == [(None, None, lan.id, {})]
    assert await office.letters(lan.email) == []


async def test_a_sign_in_begins_the_days_anew(office, lan):
    await when_day(office, 40)
    await office.connection.execute("update units.officers set last_signed_in_at = $1", MORNING + 42 * DAY)
    await when_day(office, 50)
    assert (await office.seen(lan)).state == "active"
    await when_day(office, 82)
    assert len(await office.letters(lan.email)) == 2


async def test_who_has_left_or_never_came_does_not_fall_asleep(office, lan):
    await office.invite(None, "moi@x.edu.vn")
    gone = await given_officer(office.connection, "gone", ("phuong", "editor"), state="disabled")
    await when_day(office, 60)
    assert (await office.seen(gone)).state == "disabled"
    assert len(await office.entries("officer.fell_asleep")) == 1


async def test_an_invitation_that_nobody_took_up_expires_on_day_7(office):
    invited = await office.invite(None, "moi@x.edu.vn")
    question = "select invited_at is null from units.officers where id = $1::text::uuid"
    await when_day(office, 6, 23)
    assert not await office.connection.fetchval(question, invited.officer_id)
    for number in (7, 8):
        await when_day(office, number)
    assert await office.connection.fetchval(question, invited.officer_id)
    assert await office.entries("officer.invitation_expired") == [(None, None, invited.officer_id, {})]
    left = "select count(*) from units.sign_in_tokens where used_at is null"
    assert await office.connection.fetchval(left) == 0
