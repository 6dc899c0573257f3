"""A password that others would not guess, checked slowly and without making anybody else wait."""

import asyncio
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from kit.errors import InvalidForm, ServiceUnavailable
from tests.officers import PASSWORD, given_officer
from tests.people import MORNING
from units.officers import passwords
from units.officers.hashing import PasswordHashing

EMAIL, NAME = "tran.hung@vangiang.edu.vn", "Trần Quốc Hùng"


def codes(password: str) -> list[str]:
    return [mistake.code for mistake in passwords.mistakes(password, EMAIL, NAME)]


@pytest.mark.parametrize(
    "good",
    [
        "mùa thu lá vàng rơi 2026",
        "kho8quaDi",
        "3 con mèo & 1 con chó",
        "đường Hoa Sữa số 12",
        "x" * 4 + "Tr9" + "yz" * 60,
    ],
)
def test_a_password_that_is_hard_to_guess_is_taken(good):
    assert codes(good) == []


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("", "required"),
        ("ngắn 7c", "password_too_short"),
        ("dài" * 50, "password_too_long"),
        ("password", "password_common"),
        ("12345678", "password_common"),
        ("Password2026!", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("Mật khẩu 123", "password_common"),
        ("anhyeuem", "password_common"),
        ("Anh Yêu Em 2026", "password_common"),
        ("56789012", "password_common"),
        ("Vietnam@2026", "password_common"),
        ("tran.hung1", "password_personal"),
        ("TranQuocHung@1", "password_personal"),
        ("Trần Quốc Hùng 85", "password_personal"),
        ("vangiang1", "password_personal"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_not(bad, why):
    assert codes(bad) == [why]


def test_the_list_of_our_own_is_long_enough_to_matter():
    assert "matkhau" in passwords.common_passwords()
    assert len(passwords.common_passwords()) > 30_000


async def test_however_a_keyboard_puts_letters_together_it_is_the_same_password():
    hashing = PasswordHashing()
    made = await hashing.make(passwords.normal("mùa thu Hà Nội"))
    assert await hashing.fits(made, passwords.normal(unicodedata.normalize("NFD", "mùa thu Hà Nội")))


async def test_none_of_the_last_ten_is_used_again(connection):
    hashing, officer = PasswordHashing(), await given_officer(connection, "lan")
    used = [PASSWORD]
    for place in range(11):
        await passwords.store(
            connection,
            officer.id,
            await passwords.choose(
                connection, hashing, officer, f"câu số {place} khó đoán", f"câu số {place} khó đoán"
            ),
            MORNING + timedelta(days=place),
        )
        used.append(f"câu số {place} khó đoán")
    for password in used[-10:]:
        with pytest.raises(InvalidForm) as refused:
            await passwords.choose(connection, hashing, officer, password, password)
        assert [error.code for error in refused.value.errors] == ["password_used_before"]
    assert await passwords.choose(connection, hashing, officer, used[0], used[0])
    assert await connection.fetchval("select count(*) from units.past_passwords") == 10


async def test_all_mistakes_are_told_at_once(connection):
    officer = await given_officer(connection, "lan")
    with pytest.raises(InvalidForm) as refused:
        await passwords.choose(connection, PasswordHashing(), officer, "ngắn", "khác")
    assert [error.code for error in refused.value.errors] == ["password_too_short", "password_repeated_wrong"]


async def test_no_hash_fits_nothing():
    assert not await PasswordHashing().fits(None, "")


async def test_what_is_no_hash_fits_nothing():
    assert not await PasswordHashing().fits("nonsense", "x")


async def test_so_many_are_checked_at_once_and_so_many_wait():
    hashing = PasswordHashing(threads=2, waiting=3, patience=5)
    hashing._threads = Slow(hashing)
    outcomes = await asyncio.gather(*(hashing.make(f"{place}") for place in range(8)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ServiceUnavailable)]
    assert len(refused) == 8 - 2 - 3
    assert refused[0].headers["Retry-After"] == "10"
    assert hashing._threads.most == 2


async def test_nobody_waits_for_ever():
    hashing = PasswordHashing(threads=1, waiting=10, patience=0.05)
    hashing._threads = Slow(hashing)
    outcomes = await asyncio.gather(*(hashing.make(f"{place}") for place in range(3)), return_exceptions=True)
    assert sum(isinstance(outcome, ServiceUnavailable) for outcome in outcomes) == 2


async def test_the_loop_goes_on_while_passwords_are_checked(slow_hashing):
    hashing = PasswordHashing()
    checking = asyncio.gather(*(hashing.make("mùa thu") for _ in range(5)))
    started, ticks = time.monotonic(), 0
    while not checking.done():
        await asyncio.sleep(0.005)
        ticks += 1
    assert ticks > (time.monotonic() - started) / 0.005 * 0.2
    assert all("m=65536,t=3,p=1" in made for made in await checking)


class Slow(ThreadPoolExecutor):
    """Threads that take their time, and count how many work at once."""

    def __init__(self, hashing) -> None:
        super().__init__(8)
        self.hashing, self.now, self.most = hashing, 0, 0

    def submit(self, work, /, *facts, **more):
        def slowly():
            self.now += 1
            self.most = max(self.most, self.now)
            time.sleep(0.2)
            self.now -= 1
            return work(*facts, **more)

        return super().submit(slowly)
