"""A rate keeps its word in every period, however it is chosen; whoever waits as long as told is let in."""

import itertools
import multiprocessing
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limits import parse

from kit.gcra import Pace, in_seconds, pace_of
from kit.node_limits import NodeLimiter
from kit.shared_counters import CounterTable, forget_counts

KEY = b"k" * 32
SECOND = 1_000_000_000

amounts = st.integers(1, 40)
seconds = st.integers(1, 90)
# Mostly at once or nearly so: that is where limits go wrong.
pauses = st.one_of(st.just(0), st.integers(0, 1000), st.integers(0, 90 * SECOND))


class Clock:
    def __init__(self) -> None:
        self.now = 7 * 24 * 3600 * SECOND + 123

    def __call__(self) -> int:
        return self.now


def limiter_of(clock, file=None, buckets=64) -> NodeLimiter:
    return NodeLimiter(CounterTable(file, buckets=buckets), key=KEY, clock=clock)


@given(amount=amounts, period=seconds, pauses=st.lists(pauses, max_size=120))
def test_in_no_period_more_than_the_rate_says(amount, period, pauses):
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of(f"{amount}/{period}second")
    moments = []
    for pause in pauses:
        clock.now += pause
        if not limiter.hit("few", "10.0.0.1", pace):
            moments.append(clock.now)
    for place, moment in enumerate(moments):
        within = [each for each in moments[place:] if each < moment + period * SECOND]
        assert len(within) <= amount


@given(amount=amounts, period=seconds, pauses=st.lists(pauses, max_size=120))
def test_a_bucket_that_empties_at_the_pace_says_the_same(amount, period, pauses):
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of(f"{amount}/{period}second")
    filled, seen = 0, clock.now
    for pause in pauses:
        clock.now += pause
        filled, seen = max(0, filled - (clock.now - seen)), clock.now
        fits = filled + pace.interval <= pace.burst * pace.interval
        assert (limiter.hit("few", "10.0.0.1", pace) == 0) is fits
        filled += pace.interval if fits else 0


@given(amount=amounts, period=seconds, pauses=st.lists(pauses, max_size=60))
def test_who_waits_as_long_as_told_is_let_in(amount, period, pauses):
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of(f"{amount}/{period}second")
    for pause in pauses:
        clock.now += pause
        if wait := limiter.hit("few", "10.0.0.1", pace):
            clock.now += wait * SECOND
            assert limiter.hit("few", "10.0.0.1", pace) == 0


@given(amount=st.integers(1, 100_000), period=seconds, times=st.integers(1, 4))
def test_half_at_once_and_the_other_half_over_the_period(amount, period, times):
    pace = Pace.of(parse(f"{amount}/{period}second"), times)
    assert pace.burst == amount * times // 2 + 1
    assert pace.interval * (amount * times - pace.burst + 1) >= period * SECOND


def test_whoever_keeps_to_the_pace_is_never_refused():
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of("600/minute")
    assert [limiter.hit("few", "school", pace) for _ in range(301)] == [0] * 301
    for _ in range(2000):
        clock.now += pace.interval
        assert limiter.hit("few", "school", pace) == 0


def test_a_refusal_does_not_prolong_the_wait():
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of("10/15minute")
    waits = [limiter.hit("few", "a", pace) for _ in range(30)]
    assert (waits.count(0), set(waits[6:])) == (6, {180})
    clock.now += 179 * SECOND
    assert limiter.hit("few", "a", pace) == 1


def test_what_is_taken_back_was_never_counted():
    clock = Clock()
    limiter, pace = limiter_of(clock), pace_of("10/15minute")
    for _ in range(100):
        assert limiter.hit("few", "a", pace) == 0
        limiter.take_back("few", "a", pace)
    assert [limiter.hit("few", "a", pace) for _ in range(7)].count(0) == 6


def test_names_and_identities_count_for_themselves():
    limiter, pace = limiter_of(Clock()), pace_of("10/15minute")
    for name, identity in itertools.product(("a", "ab"), ("b c", "bc", "c")):
        assert [limiter.hit(name, identity, pace) for _ in range(9)].count(0) == 6


def test_a_wait_is_told_in_whole_seconds_that_suffice():
    assert [in_seconds(wait) for wait in (1, SECOND, SECOND + 1)] == [1, 1, 2]


def test_nobody_is_refused_in_a_table_that_is_full_three_times_over():
    clock = Clock()
    # A table that is small in proportion: 3 keys for each place.
    limiter, pace = limiter_of(clock, buckets=1 << 11), pace_of("20000/minute")
    before = len(limiter.table)
    for number in range(3 * 8 * (1 << 11)):
        clock.now += 1
        assert limiter.hit("lookup", str(number), pace) == 0
    assert len(limiter.table) == before


def test_a_flood_of_newcomers_does_not_free_who_has_met_a_limit():
    clock = Clock()
    limiter, strict, wide = limiter_of(clock, buckets=64), pace_of("10/15minute"), pace_of("20000/minute")
    assert [limiter.hit("wrong_factor", "a", strict) for _ in range(7)][-1] == 180
    for number in range(50_000):
        limiter.hit("lookup", str(number), wide)
    assert limiter.hit("wrong_factor", "a", strict) > 0


@pytest.mark.parametrize("written", [2**63 - 1, -(2**63), 0, 1])
def test_a_time_that_nobody_can_have_written_locks_nobody_out(written):
    clock = Clock()
    limiter, pace = limiter_of(clock, buckets=1), pace_of("10/15minute")
    limiter.hit("few", "a", pace)
    for place in range(len(limiter.table.arrivals) - 8, len(limiter.table.arrivals)):
        limiter.table.arrivals[place] = written
    if wait := limiter.hit("few", "a", pace):
        clock.now += wait * SECOND
        assert wait < 2 * 15 * 60
        assert limiter.hit("few", "a", pace) == 0


def test_a_file_of_another_boot_or_size_is_made_anew(tmp_path):
    file = tmp_path / "run" / "counts"
    first = CounterTable(file, buckets=64)
    assert CounterTable(file, buckets=64).salt == first.salt
    assert CounterTable(file, buckets=128).salt != first.salt
    made = CounterTable(file, buckets=64)
    content = bytearray(file.read_bytes())
    content[12:16] = struct.pack("=I", 0)
    file.write_bytes(content)
    assert CounterTable(file, buckets=64).salt != made.salt


def test_the_start_of_the_service_forgets(tmp_path):
    file = tmp_path / "counts"
    salt = CounterTable(file, buckets=64).salt
    forget_counts(file)
    forget_counts(file)
    assert CounterTable(file, buckets=64).salt != salt


def test_without_room_for_the_file_a_process_counts_for_itself(tmp_path):
    (tmp_path / "file").touch()
    limiter, pace = limiter_of(Clock(), tmp_path / "file" / "counts"), pace_of("10/15minute")
    assert [limiter.hit("few", "a", pace) for _ in range(9)].count(0) == 6


def test_nobody_else_on_the_machine_reads_the_file(tmp_path):
    CounterTable(tmp_path / "counts", buckets=64)
    assert (tmp_path / "counts").stat().st_mode & 0o077 == 0


def _hit_in_a_process(file, hits, begin, answers) -> None:
    limiter, pace = NodeLimiter(CounterTable(file), key=KEY), pace_of("1000/hour")
    allowed = [0, 0, 0]
    for round_ in range(3):
        begin.wait()
        for _ in range(hits):
            allowed[round_] += limiter.hit("lookup", str(round_), pace) == 0
            # A request is more than its limits; a loop of nothing else would be stopped in the middle of each of them.
            sum(range(2000))
    answers.put(allowed)


def test_processes_of_one_node_count_as_one(tmp_path):
    context = multiprocessing.get_context("spawn")
    begin, answers = context.Barrier(3), context.Queue()
    arguments = (tmp_path / "counts", 600, begin, answers)
    processes = [context.Process(target=_hit_in_a_process, args=arguments, daemon=True) for _ in range(3)]
    for process in processes:
        process.start()
    told = [answers.get(timeout=30) for _ in processes]
    for process in processes:
        process.join()
    # One that is stopped while it writes undoes what the others counted until it goes on; that is rare.
    assert 501 <= min(map(sum, zip(*told, strict=True))) <= 501 * 1.03
