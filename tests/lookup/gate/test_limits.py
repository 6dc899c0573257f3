"""Nobody gets more than the rate says, no crowd is refused, and no stranger locks anybody out."""

import asyncio
import itertools
import re
from datetime import date, timedelta

import msgspec
import pytest

from kit.errors import TooManyRequests
from kit.node_limits import NodeLimiter
from kit.shared_counters import CounterTable
from lookup.gate.limits import Limits, TooManyLookups
from lookup.releases import release
from server.setting_values import rate
from tests.exams import given_exam, given_results, paper_of
from tests.lookup.gate.gatehouse import KEY, Clock, Gatehouse, made_exam
from tests.people import MINH, MORNING

WRONG = date(1999, 1, 1)
RESULTS = "/api/v1/exams/thpt-2026/results"


class Counted:
    """Limits with a clock that tests move."""

    def __init__(self, **rates: str) -> None:
        told = {"lookup": "600/minute", "wrong_factor": "10/15minute", "foreign_origin": "60/minute"} | rates
        self.clock = Clock()
        limiter = NodeLimiter(CounterTable(buckets=1 << 12), key=KEY, clock=self.clock)
        self.limits = Limits(limiter, {name: rate(text) for name, text in told.items()})

    def lets(self, address: str, times: int, exam=None) -> int:
        return sum(self.does(self.limits.count_address, address, exam) for _ in range(times))

    def tries(self, exam, number: str, address: str, times: int) -> int:
        return sum(self.does(self.limits.count_attempt, exam, number, address) for _ in range(times))

    @staticmethod
    def does(count, *what) -> bool:
        try:
            count(*what)
        except TooManyRequests:
            return False
        return True


def test_five_thousand_families_behind_one_address_are_let_in_within_two_minutes():
    counted = Counted(lookup="20000/minute")
    # Each five times, as evenly as a crowd gets; and a tenth of them at the very first second.
    assert counted.lets("203.0.113.7", 2500) == 2500
    for _ in range(1125):
        counted.clock.passes(0.1)
        assert counted.lets("203.0.113.7", 20) == 20


def test_no_minute_has_more_than_the_rate_wherever_it_begins():
    counted, moments = Counted(), []
    for tenth in range(3000):
        counted.clock.passes(0.1)
        # Quiet until just before the first minute ends: a window that begins anew would let twice as many through.
        if tenth > 550:
            moments += [counted.clock.now] * counted.lets("203.0.113.7", 40)
    for place, moment in enumerate(moments):
        later = itertools.takewhile(lambda each, end=moment + timedelta(minutes=1): each < end, moments[place:])
        assert sum(1 for _ in later) <= 600
    assert len(moments) >= 300 + 4 * 300 - 5


def test_ten_wrong_facts_in_a_quarter_of_an_hour_and_never_twenty():
    counted, exam, moments = Counted(), made_exam("birth-date"), []
    for _ in range(4 * 3600):
        counted.clock.passes(1)
        moments += [counted.clock.now] * counted.tries(exam, MINH.number, "203.0.113.7", 1)
    for place, moment in enumerate(moments):
        assert sum(each < moment + timedelta(minutes=15) for each in moments[place:]) <= 10
    assert len(moments) == 6 + 4 * 20 - 1


def test_a_whole_network_of_version_6_gets_four_times_as_much_as_one_subscriber():
    counted = Counted()
    assert counted.lets("2001:db8:1:1::7", 400) == 301
    assert counted.lets("2001:db8:1:1:ffff::8", 10) == 0
    others = sum(counted.lets(f"2001:db8:1:{number:x}::7", 301) for number in range(2, 9))
    assert others == 4 * 600 // 2 + 1 - 301
    assert counted.lets("2001:db8:2:1::7", 301) == 301


def test_a_neighbourhood_shares_its_wrong_facts_and_no_other_does():
    counted, exam = Counted(), made_exam("birth-date")
    assert sum(counted.tries(exam, MINH.number, f"203.0.113.{last}", 1) for last in range(20)) == 6
    assert sum(counted.tries(exam, MINH.number, f"2001:db8:1:{last:x}::1", 1) for last in range(20)) == 6
    assert counted.tries(exam, MINH.number, "203.0.112.1", 1) == 1
    assert counted.tries(exam, "99000002", "203.0.113.1", 1) == 1
    assert counted.tries(made_exam("birth-date", code="other"), MINH.number, "203.0.113.1", 1) == 1


def test_a_right_fact_takes_back_itself_and_not_what_was_guessed_before():
    counted, exam = Counted(), made_exam("birth-date")
    assert counted.tries(exam, MINH.number, "203.0.113.7", 4) == 4
    for _ in range(50):
        assert counted.tries(exam, MINH.number, "203.0.113.7", 1) == 1
        counted.limits.take_back_attempt(exam, MINH.number, "203.0.113.7")
    assert counted.tries(exam, MINH.number, "203.0.113.7", 5) == 2


def test_each_foreign_site_has_its_own_limit_and_all_together_four_times_as_much():
    counted = Counted()
    for number in range(3):
        origin = f"https://bao-{number}.example.vn"
        assert sum(counted.does(counted.limits.count_origin, origin) for _ in range(40)) == 31
    # In capitals it is the same site; one without a name is one, too.
    assert not counted.does(counted.limits.count_origin, "https://BAO-1.example.vn")
    more = [f"https://bao-{number}.example.vn" for number in range(10, 60)]
    assert sum(counted.does(counted.limits.count_origin, each) for each in ["", *more]) == 121 - 3 * 31


def test_an_exam_with_rates_of_its_own_counts_by_them_alone():
    counted = Counted()
    own = msgspec.structs.replace(made_exam("birth-date"), lookup_rate="10/minute", wrong_factor_rate="2/hour")
    assert counted.lets("203.0.113.7", 20, own) == 6
    assert counted.lets("203.0.113.7", 20, made_exam()) == 20
    assert counted.tries(own, MINH.number, "203.0.113.7", 5) == 2
    with pytest.raises(TooManyLookups) as refused:
        counted.limits.count_attempt(own, MINH.number, "203.0.113.7")
    assert refused.value.facts["retry_after"] == 3600


def test_a_thousand_addresses_that_try_one_number_lock_nobody_out():
    house = Gatehouse("birth-date")
    number = house.number(7)
    for network in range(1000):
        address = f"10.{network // 250}.{network % 250}.9"
        for _ in range(7):
            house.look_up(number, address, fact=WRONG, solves=False)
    assert house.look_up(number, "203.0.113.7") == "found"


async def given_an_exam(connection, service, **rates):
    exam = await given_exam(connection, policy="birth-date")
    await given_results(connection, exam, [paper_of(MINH)])
    await connection.execute("update lookup.exams set wrong_factor_rate = $1", rates.get("wrong_factor_rate"))
    await release(connection, exam.code, opens_at=MORNING)
    await service.hears_all_changes()


async def test_a_lookup_is_refused_by_the_rate_of_its_exam(connection, service, visitor):
    await given_an_exam(connection, service, wrong_factor_rate="3/15minute")
    guesses = [{"candidate_number": MINH.number, "birth_date": f"{day}/5/2009"} for day in range(1, 6)]
    answers = [await visitor.post(RESULTS, json=guess) for guess in guesses]
    assert [answer.status_code for answer in answers] == [404, 404, 429, 429, 429]
    assert answers[-1].json()["code"] == "too_many_lookups"
    assert 440 <= int(answers[-1].headers["retry-after"]) <= 450


async def test_what_the_front_has_counted_is_not_counted_behind_it(connection, service, visitor):
    await given_an_exam(connection, service)
    before = await hits(visitor, "lookup")
    for _ in range(5):
        await visitor.post(RESULTS, json={"candidate_number": MINH.number, "birth_date": "1/2/2008"})
    assert await hits(visitor, "lookup") - before == 5


async def hits(visitor, name: str) -> float:
    """What was let through, as the metrics say; a process tells it once a second."""
    await asyncio.sleep(1.3)
    text = (await visitor.get("/metrics", headers={"X-Real-IP": "127.0.0.1"})).text
    counted = re.search(rf'^baodanh_limit_hits_total{{name="{name}",verdict="allowed"}} (.+)$', text, re.MULTILINE)
    return float(counted[1]) if counted else 0
