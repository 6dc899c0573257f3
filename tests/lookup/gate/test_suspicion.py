"""Crowds, classes and schools pass; whoever collects or guesses among them is challenged, slowed and seen."""

import random
import time
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.client_address import address_prefix
from lookup.gate.runs import Runs, place_of
from lookup.gate.traces import Traces
from tests.lookup.gate.gatehouse import Gatehouse, counted, crowd, made_exam
from tests.people import MORNING

HERE, THERE = "203.0.113.7", "198.51.100.20"
WRONG = date(2009, 5, 5)


def test_a_teacher_looks_up_her_class_and_never_notices():
    house = Gatehouse()
    outcomes = [house.look_up(house.number(500 + place), HERE, solves=False, seconds=2) for place in range(45)]
    assert counted(outcomes) == {"found": 45}
    assert house.patterns() == {}


def test_a_school_looks_up_its_three_hundred_candidates_in_a_day():
    house = Gatehouse()
    over_the_day = [house.look_up(house.number(500 + place), HERE, solves=False, seconds=100) for place in range(300)]
    assert counted(over_the_day) == {"found": 300}, "nobody solves anything"
    house.clock.passes(14 * 3600)
    in_one_go = [house.look_up(house.number(900 + place), HERE, seconds=2) for place in range(300)]
    assert counted(in_one_go) == {"found": 300}, "some are challenged, none refused"


@pytest.mark.parametrize("step", [1, -1, 2])
def test_numbers_in_a_row_are_challenged_then_slowed_and_seen(step):
    house = Gatehouse()
    places = range(5_000, 5_000 + step * 1_000, step)
    naive = counted(house.look_up(house.number(place), HERE, solves=False, seconds=1) for place in places)
    assert 60 <= naive["found"] < 90, naive
    assert naive["challenged"] == 1_000 - naive["found"]
    solving = counted(house.look_up(house.number(place), THERE, seconds=1) for place in places)
    assert 300 <= solving["found"] < 350, solving
    assert solving["slowed"] == 1_000 - solving["found"]
    assert house.patterns()["run"] > 1_500


@pytest.mark.parametrize(
    ("policy", "candidates", "solves"),
    [("public", 5_000, False), ("public", 100_000, True), ("birth-date", 5_000, True), ("birth-date", 100_000, False)],
)
def test_five_thousand_honest_lookups_pass_beside_an_enumerator_at_their_address(policy, candidates, solves):
    house = Gatehouse(policy, candidates)
    honest, collected, noticed = [], [], 0
    for place, number in enumerate(crowd(house, 5_000), 1):
        outcome = house.look_up(number, HERE, solves=False, seconds=0.5)
        if outcome == "challenged":
            noticed, outcome = noticed + 1, house.look_up(number, HERE, seconds=2)
        honest.append(outcome)
        fact = WRONG if policy == "birth-date" else None
        collected.append(house.look_up(house.number(place), HERE, fact=fact, solves=solves))
    assert counted(honest)["found"] >= 0.999 * 5_000, counted(honest)
    # Numbers and birth dates that are just being collected are theirs as well: one in 700 has the same birthday.
    assert noticed <= (0.004 if policy == "birth-date" else 0.001) * 5_000, noticed
    taken = counted(collected)
    assert taken["found"] + taken["missed"] < 450, taken


def test_an_enumerator_in_a_hurry_takes_nothing_from_the_others_at_the_address():
    house = Gatehouse(candidates=100_000)
    places = iter(range(50_000, 100_000))
    honest = []
    for number in crowd(house, 500):
        honest.append(house.look_up(number, HERE, seconds=0.5))
        for _ in range(50):
            house.look_up(house.number(next(places)), HERE, solves=False)
    assert counted(honest) == {"found": 500}


def test_beside_somebody_who_guesses_at_random_honest_people_solve_a_challenge_at_most():
    house, chance = Gatehouse("birth-date", 50_000), random.Random(1)
    honest = []
    for number in crowd(house, 2_000):
        guessed = house.number(chance.randint(1, 50_000))
        house.look_up(guessed, HERE, fact=date(2008, 1, 1) + timedelta(days=chance.randint(0, 729)), seconds=0.4)
        honest.append(house.look_up(number, HERE, seconds=0.4))
    assert counted(honest)["found"] >= 0.999 * 2_000, counted(honest)


def test_somebody_who_only_misses_is_challenged_then_slowed():
    house, chance = Gatehouse(candidates=1_000), random.Random(2)
    numbers = [str(chance.randint(99_100_000, 99_999_999)) for _ in range(2_000)]
    naive = counted(house.look_up(number, HERE, solves=False, seconds=0.1) for number in numbers)
    assert naive["missed"] <= 65, naive
    solving = counted(house.look_up(number, THERE, seconds=0.1) for number in numbers)
    assert 300 <= solving["missed"] <= 410, solving
    assert solving["slowed"] == 2_000 - solving["missed"]
    assert house.patterns()["misses"] > 1_000


@pytest.mark.parametrize("one_date", [True, False])
def test_a_hundred_times_as_many_guesses_keep_no_honest_lookup_from_its_answer(one_date):
    house, chance = Gatehouse("birth-date", 50_000), random.Random(9)
    honest = []
    for number in crowd(house, 150):
        honest.append(house.look_up(number, HERE))
        for _ in range(100):
            guess = WRONG if one_date else date(2008, 1, 1) + timedelta(days=chance.randint(0, 729))
            house.look_up(house.number(chance.randint(1, 50_000)), HERE, fact=guess, seconds=0.03)
    assert counted(honest) == {"found": 150}


def test_people_who_mistype_are_no_guessers():
    house, chance = Gatehouse("birth-date", 3_000), random.Random(3)
    outcomes = [
        house.look_up(number, HERE, fact=mistyped(house, number, chance), solves=False, seconds=0.2)
        for number in crowd(house, 2_000)
    ]
    assert counted(outcomes)["challenged"] == 0


def test_one_birth_date_over_all_numbers_is_seen_whatever_addresses_it_comes_from():
    house, chance = Gatehouse("birth-date", 50_000), random.Random(4)
    places = chance.sample(range(1, 50_001), 3_000)
    for place, of in enumerate(places):
        address = f"10.{place % 250}.{place // 250}.9"
        house.look_up(house.number(of), address, fact=WRONG, solves=False, seconds=0.2)
    assert house.patterns()["one_fact"] > 2_500
    # Whoever was born on another day, wherever she is, does not notice.
    born = next(number for number in crowd(house, 50) if house.fact(number) != WRONG)
    assert house.look_up(born, "10.1.1.9", solves=False) == "found"


def test_who_has_the_birth_date_that_is_being_tried_gets_through_with_a_challenge():
    house = Gatehouse("birth-date", 50_000)
    number = house.number(77)
    for place in range(1_000, 2_000):
        house.look_up(house.number(place), f"10.{place % 250}.0.9", fact=house.fact(number), solves=False)
    assert house.look_up(number, HERE) == "found"


def test_numbers_in_a_row_from_ever_other_addresses_are_seen():
    house = Gatehouse(candidates=100_000)
    for place in range(1, 3_000):
        house.look_up(house.number(place), f"10.{place % 250}.{place // 250}.9", solves=False, seconds=0.1)
    assert house.patterns()["run"] > 1_500


def test_a_prefix_whose_every_lookup_comes_from_another_address_is_challenged():
    house = Gatehouse(candidates=100_000)
    outcomes = counted(
        house.look_up(house.number(place), f"2001:db8:1:{place:x}::1", solves=False, seconds=0.2)
        for place in range(1, 2_000)
    )
    assert outcomes["challenged"] > 1_000
    assert outcomes["found"] <= 450
    solving = counted(
        house.look_up(house.number(place), f"2001:db8:2:{place:x}::1", seconds=0.2) for place in range(1, 2_000)
    )
    assert solving["found"] <= 1_100
    assert solving["slowed"] > 800


def test_random_order_from_one_prefix_is_seen():
    house, chance = Gatehouse(candidates=100_000), random.Random(5)
    for place in chance.sample(range(1, 100_001), 3_000):
        house.look_up(house.number(place), f"2001:db8:1:{place:x}::1", solves=False, seconds=0.2)
    assert house.patterns()["many_numbers"] > 500


def test_a_number_that_many_guess_at_is_challenged_and_its_owner_gets_through():
    house = Gatehouse("birth-date")
    number = house.number(42)
    for place in range(1_000):
        house.look_up(number, f"10.{place % 250}.{place // 250}.9", fact=WRONG + timedelta(days=place), seconds=1)
    assert house.patterns()["one_number"] > 900
    assert house.look_up(number, HERE, solves=False) == "challenged"
    assert house.look_up(number, HERE) == "found"


def test_most_misses_of_an_exam_from_everywhere_make_a_second_try_harder_and_no_first_one():
    house, chance = Gatehouse("birth-date", 50_000), random.Random(6)
    for place in range(1_500):
        house.clock.passes(0.1)
        fact = date(2008, 1, 1) + timedelta(days=chance.randint(0, 729))
        house.look_up(house.number(chance.randint(1, 50_000)), f"10.{place % 250}.{place // 250}.9", fact=fact)
    assert house.look_up(house.number(9), HERE, solves=False) == "found"
    assert house.look_up(house.number(10), THERE, fact=WRONG, solves=False) == "missed"
    assert house.look_up(house.number(10), THERE, solves=False) == "challenged"


def test_whoever_comes_before_the_moment_is_not_suspected_of_missing():
    house = Gatehouse("birth-date", exam=made_exam("birth-date", opens_at=MORNING + timedelta(days=1)))
    house.candidates = 0
    outcomes = [
        house.look_up(number, HERE, solves=False, seconds=0.2) for number in crowd(Gatehouse("birth-date"), 500)
    ]
    assert counted(outcomes) == {"missed": 500}


def test_after_a_night_an_address_is_as_good_as_any():
    house = Gatehouse()
    for place in range(500):
        house.look_up(house.number(place + 1), HERE)
    house.clock.passes(12 * 3600)
    assert counted(house.look_up(house.number(2_000 + place), HERE, solves=False) for place in range(40)) == {
        "found": 40
    }


def test_what_is_remembered_of_addresses_is_bounded():
    traces = Traces(passing=100, regulars=10)
    for place in range(10_000):
        trace = traces.of("thi", f"10.0.{place // 250}.{place % 250}/32", 0.0)
        trace.total += place % 17
    for place in range(1_000):
        traces.of("thi", f"10.0.{place // 250}.{place % 250}/32", 0.0)
    assert len(traces) <= 110


@given(st.lists(st.integers(0, 400), max_size=400))
@settings(max_examples=60)
def test_runs_stay_bounded_whatever_comes(numbers):
    runs = Runs()
    for number in numbers:
        runs.follow(number, str(number % 3))
    assert len(runs.recent) <= 33
    assert len(runs.known) <= 16


def test_letters_keep_series_of_numbers_apart():
    assert place_of("A0124") - place_of("A0123") == 1
    assert abs(place_of("B0124") - place_of("A0123")) > 1_000
    assert place_of("99000001") == 99_000_001


def test_weighing_a_lookup_takes_microseconds():
    house, chance = Gatehouse(candidates=1_000_000), random.Random(8)
    asked = [(house.number(chance.randint(1, 1_000_000)), f"10.{n % 200}.{n % 97}.{n % 89}") for n in range(5_000)]
    for _, address in asked:
        address_prefix(address)
    began = time.process_time()
    for number, address in asked:
        house.look_up(number, address)
    assert (time.process_time() - began) / len(asked) < 0.000_5, "far more than it takes, for a busy machine"


def mistyped(house: Gatehouse, number: str, chance: random.Random) -> date | None:
    """One in five gets the day wrong."""
    right = house.fact(number)
    assert right is not None
    return right + timedelta(days=chance.choice((1, 10, 30))) if chance.random() < 0.2 else None
