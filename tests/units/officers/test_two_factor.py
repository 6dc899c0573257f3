"""The second factor and its paper stand-in: sealed for one officer, readable after a rotation, each code good once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.officers import TOTP_SECRET, code_at, given_officer, keys_of
from tests.people import MORNING
from units.officers import recovery_codes, two_factor
from units.officers.recovery_codes import HOW_MANY, count_left, make_codes, use_recovery_code
from units.officers.two_factor import code_of, qr_code, seal, setup_address, step_of, unseal, use_code


@pytest.fixture
def keys(settings):
    return keys_of(settings)


def test_the_codes_are_those_of_rfc_6238():
    # The six last digits of the appendix, for SHA-1.
    secret = b"12345678901234567890"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")):
        assert code_of(secret, seconds // 30) == code


def test_a_secret_is_sealed_for_one_officer(keys):
    sealed = seal(keys, "one", TOTP_SECRET)
    assert TOTP_SECRET not in sealed
    assert unseal(keys, "one", sealed) == TOTP_SECRET
    with pytest.raises(LookupError):
        unseal(keys, "another", sealed)
    with pytest.raises(LookupError):
        unseal(keys, "one", sealed[:-1] + bytes([sealed[-1] ^ 1]))


def test_a_secret_is_read_after_a_rotation(keys):
    sealed = seal(keys, "one", TOTP_SECRET)
    keys.rotate("totp")
    assert unseal(keys, "one", sealed) == TOTP_SECRET


async def test_a_used_code_moves_the_secret_to_the_newest_key(connection, keys):
    lan = await given_officer(connection, "lan", keys=keys)
    keys.rotate("totp")
    assert await use_code(connection, keys, lan.id, code_at(MORNING), MORNING)
    sealed = await connection.fetchval("select totp_secret from units.officers")
    assert int.from_bytes(sealed[:4], "big") == 2
    assert unseal(keys, lan.id, sealed) == TOTP_SECRET


async def test_of_many_with_one_code_at_the_same_instant_one_is_right(connection, pool, keys):
    lan = await given_officer(connection, "lan", keys=keys)

    async def use():
        async with pool.acquire() as each, each.transaction():
            return await use_code(each, keys, lan.id, code_at(MORNING), MORNING)

    assert sorted(await asyncio.gather(*(use() for _ in range(5)))) == [False] * 4 + [True]


async def test_whoever_has_no_second_factor_has_no_right_code(connection, keys):
    lan = await given_officer(connection, "lan", state="invited", totp_secret=None)
    assert not await use_code(connection, keys, lan.id, code_at(MORNING), MORNING)


@given(st.text(max_size=20))
def test_whatever_is_typed_is_no_code_unless_it_is_the_code(typed):
    near = {code_at(MORNING, steps=steps) for steps in (-1, 0, 1)}
    assert (step_of(TOTP_SECRET, typed, MORNING, None) is not None) == ("".join(typed.split()) in near)


def test_the_picture_is_an_element_that_the_policy_for_content_allows():
    picture = qr_code(setup_address(TOTP_SECRET, "lan@vangiang.edu.vn"))
    assert picture.startswith("<svg ")
    assert "style" not in picture
    assert "http" not in picture


async def test_ten_codes_of_sixty_bits_each_work_once(connection, keys):
    lan = await given_officer(connection, "lan")
    codes = await make_codes(connection, keys, lan.id, MORNING)
    assert len(set(codes)) == HOW_MANY == 10
    assert len(set(recovery_codes._SIGNS)) == 32
    assert all(len(code.replace("-", "")) == 12 for code in codes)
    assert await use_recovery_code(connection, keys, lan.id, codes[3], MORNING)
    assert not await use_recovery_code(connection, keys, lan.id, codes[3], MORNING)
    assert await count_left(connection, lan.id) == 9


async def test_a_recovery_code_may_be_typed_as_it_is_read(connection, keys):
    lan = await given_officer(connection, "lan")
    codes = await make_codes(connection, keys, lan.id, MORNING)
    sloppy = codes[0].upper().replace("-", " ").replace("0", "O").replace("1", "l")
    assert await use_recovery_code(connection, keys, lan.id, sloppy, MORNING)


async def test_a_recovery_code_is_its_owners_alone(connection, keys):
    lan, hung = await given_officer(connection, "lan"), await given_officer(connection, "hung")
    codes = await make_codes(connection, keys, lan.id, MORNING)
    assert not await use_recovery_code(connection, keys, hung.id, codes[0], MORNING)


async def test_recovery_codes_outlast_a_rotation_and_end_with_new_ones(connection, keys):
    lan = await given_officer(connection, "lan")
    old = await make_codes(connection, keys, lan.id, MORNING)
    keys.rotate("totp")
    assert await use_recovery_code(connection, keys, lan.id, old[0], MORNING)
    await make_codes(connection, keys, lan.id, MORNING)
    assert not await use_recovery_code(connection, keys, lan.id, old[1], MORNING)
    assert await count_left(connection, lan.id) == 10


async def test_no_recovery_code_stands_in_the_table(connection, keys):
    lan = await given_officer(connection, "lan")
    codes = await make_codes(connection, keys, lan.id, MORNING)
    rows = str([dict(row) for row in await connection.fetch("select * from units.recovery_codes")])
    assert not [code for code in codes if code in rows or code.replace("-", "") in rows]


async def test_of_many_with_one_recovery_code_at_the_same_instant_one_is_right(connection, pool, keys):
    lan = await given_officer(connection, "lan")
    codes = await make_codes(connection, keys, lan.id, MORNING)

    async def use():
        async with pool.acquire() as each, each.transaction():
            return await use_recovery_code(each, keys, lan.id, codes[0], MORNING)

    assert sorted(await asyncio.gather(*(use() for _ in range(5)))) == [False] * 4 + [True]


def test_a_manual_key_is_written_in_groups_of_four():
    key = two_factor.manual_key(TOTP_SECRET)
    assert {len(group) for group in key.split()} == {4}
    assert len(key.replace(" ", "")) == 32
