from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.cache import Cache
from kit.errors import ServiceUnavailable
from kit.keys import KeyRing
from kit.redis_servers import RedisServer
from lookup.exams import find_exam
from lookup.pins import derive_pin, hash_imported_pin, normalise_pin, pin_matches
from lookup.releases import release
from lookup.scores import Question, ResultNotFound, ScoreDesk
from tests.exams import given_exam, given_results, paper_of
from tests.people import MINH, MORNING

KEY, OLD_KEY = b"k" * 32, b"o" * 32
NUMBERS = st.text(alphabet="0123456789", min_size=1, max_size=12)


def test_a_derived_code_has_ten_unambiguous_signs():
    pin = derive_pin(KEY, "demo", "99000001")
    assert len(pin) == 10
    assert not set(pin) & set("ILOU")


def test_a_code_belongs_to_one_key_one_exam_and_one_number():
    pins = {derive_pin(key, exam, number) for key in (KEY, OLD_KEY) for exam in ("a", "b") for number in ("1", "2")}
    assert len(pins) == 8


@given(NUMBERS)
def test_a_code_is_read_with_blanks_dashes_small_letters_and_look_alikes(number):
    pin = derive_pin(KEY, "demo", number)
    typed = f" {pin[:5].lower()}-{pin[5:]} ".replace("0", "O").replace("1", "l")
    assert pin_matches([KEY], "demo", number, typed, None)


@given(NUMBERS, st.text(max_size=20))
def test_another_code_never_matches(number, typed):
    pin = derive_pin(KEY, "demo", number)
    assert pin_matches([KEY], "demo", number, typed, None) == (normalise_pin(typed) == pin)


def test_codes_printed_before_a_key_was_rotated_go_on_working():
    pin = derive_pin(OLD_KEY, "demo", "1")
    assert pin_matches([KEY, OLD_KEY], "demo", "1", pin, None)
    assert not pin_matches([KEY], "demo", "1", pin, None)


def test_an_imported_code_takes_the_place_of_the_derived_one():
    imported = hash_imported_pin(KEY, "demo", "1", "ABCDE12345")
    assert pin_matches([KEY], "demo", "1", "abcde-12345", imported)
    assert not pin_matches([KEY], "demo", "1", derive_pin(KEY, "demo", "1"), imported)


def test_parts_of_a_message_cannot_be_shifted_into_each_other():
    assert derive_pin(KEY, "demo1", "2") != derive_pin(KEY, "demo", "12")


async def test_where_the_key_is_not_codes_are_not_checked_and_everybody_hears_the_same(pool, connection, settings):
    exam = await given_exam(connection, policy="pin")
    await given_results(connection, exam, [paper_of(MINH)])
    await release(connection, exam.code, opens_at=MORNING)
    exam, redis = await find_exam(connection, exam.code), RedisServer(settings.redis_url)
    cache = Cache(redis, key=bytes(32), version="1", clock=MORNING.timestamp)
    desk = ScoreDesk(pool, cache, KeyRing(settings.state_dir / "of-a-lookup-node", may_create=False))
    for number in (MINH.number, "99009999"):
        question = Question(number, pin="ABCDE12345")
        with pytest.raises(ServiceUnavailable):
            await desk.find(exam, question, MORNING)
        with pytest.raises(ResultNotFound):
            await desk.find(exam, question, MORNING - timedelta(seconds=1))
    await redis.close()
