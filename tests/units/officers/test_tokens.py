"""A link from a letter opens its door once, for a while, and only that door."""

import asyncio
from datetime import timedelta

import pytest

from tests.officers import given_officer
from tests.people import MORNING
from units.officers.tokens import LinkExpired, end_tokens, make_token, use_token

HALF_AN_HOUR = timedelta(minutes=30)


async def test_a_link_works_once(connection):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "password_reset", HALF_AN_HOUR, MORNING)
    assert await use_token(connection, secret, "password_reset", MORNING) == officer.id
    with pytest.raises(LinkExpired):
        await use_token(connection, secret, "password_reset", MORNING)


async def test_of_two_at_the_same_instant_one_comes_in(connection, pool):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "password_reset", HALF_AN_HOUR, MORNING)

    async def use():
        async with pool.acquire() as each, each.transaction():
            return await use_token(each, secret, "password_reset", MORNING)

    came = await asyncio.gather(*(use() for _ in range(4)), return_exceptions=True)
    assert sorted(str(type(each)) for each in came).count("<class 'str'>") == 1
    assert sum(isinstance(each, LinkExpired) for each in came) == 3


async def test_a_link_is_too_old_after_its_time(connection):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "password_reset", HALF_AN_HOUR, MORNING)
    with pytest.raises(LinkExpired):
        await use_token(connection, secret, "password_reset", MORNING + HALF_AN_HOUR)


async def test_a_link_opens_no_other_door(connection):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "waking", HALF_AN_HOUR, MORNING)
    for purpose in ("invitation", "password_reset"):
        with pytest.raises(LinkExpired):
            await use_token(connection, secret, purpose, MORNING)


async def test_ended_links_open_nothing(connection):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "invitation", HALF_AN_HOUR, MORNING)
    await end_tokens(connection, officer.id, "invitation", MORNING)
    with pytest.raises(LinkExpired):
        await use_token(connection, secret, "invitation", MORNING)


async def test_the_secret_itself_is_stored_nowhere(connection):
    officer = await given_officer(connection, "lan")
    secret = await make_token(connection, officer.id, "invitation", HALF_AN_HOUR, MORNING)
    row = await connection.fetchrow("select * from units.sign_in_tokens")
    assert secret not in repr(dict(row))
    assert secret.encode() not in row["token_hash"]
