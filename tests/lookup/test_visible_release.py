"""Which generation is shown, in every order of releases that opened, did not open, were sealed, withdrawn or not."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from lookup.exams import CORRECTION_GRACE, Exam, Release
from tests.people import MORNING

_SECONDS = st.sampled_from([-7200, -61, -60, -59, -1, 0, 1, 59, 60, 61, 7200])


@st.composite
def _exams(draw) -> Exam:
    releases = tuple(
        Release(
            generation,
            MORNING + timedelta(seconds=draw(_SECONDS)),
            {},
            is_open_here=draw(st.booleans()),
            sealed_in_time=draw(st.booleans()),
        )
        for generation in range(1, draw(st.integers(0, 5)) + 1)
    )
    return exam_with(releases, draw(st.integers(0, len(releases))))


def exam_with(releases: tuple[Release, ...], withdrawn: int = 0) -> Exam:
    unknown = dict.fromkeys(Exam.__struct_fields__)
    return Exam(**unknown | {"releases": releases, "withdrawn_generation": withdrawn})


def due(exam: Exam) -> list[Release]:
    return [each for each in exam.releases if each.generation > exam.withdrawn_generation and each.opens_at <= MORNING]


def is_down(exam: Exam) -> bool:
    return bool(exam.withdrawn_generation) and exam.withdrawn_generation == len(exam.releases)


@given(_exams())
def test_nothing_is_shown_before_its_moment_or_after_a_withdrawal(exam):
    assert exam.visible_release(MORNING) in (None, *due(exam))


@given(_exams())
def test_what_was_sealed_in_time_is_shown_from_its_open_file_or_not_at_all(exam):
    visible = exam.visible_release(MORNING)
    assert visible is None or visible.is_open_here or not visible.sealed_in_time


@given(_exams())
def test_what_is_open_here_and_newest_is_shown_at_once(exam):
    if due(exam) and due(exam)[-1].is_open_here:
        assert exam.visible_release(MORNING) == due(exam)[-1]


@given(_exams())
def test_a_generation_outlives_its_correction_by_a_minute_at_most(exam):
    visible = exam.visible_release(MORNING)
    if visible:
        newer = due(exam)[due(exam).index(visible) + 1 :]
        assert all(each.opens_at + CORRECTION_GRACE > MORNING for each in newer)


@given(_exams())
def test_within_that_minute_it_is_what_was_shown_before_the_correction(exam):
    if len(due(exam)) > 1 and due(exam)[-1].sealed_in_time and not due(exam)[-1].is_open_here:
        is_fresh = due(exam)[-1].opens_at + CORRECTION_GRACE > MORNING
        without = exam_with(tuple(due(exam)[:-1]))
        assert exam.visible_release(MORNING) == (without.visible_release(MORNING) if is_fresh else None)


@given(_exams())
def test_a_correction_is_awaited_where_nothing_can_be_shown_and_something_was(exam):
    assert exam.awaits_correction(MORNING) == (len(due(exam)) > 1 and exam.visible_release(MORNING) is None)


@given(_exams())
def test_a_first_release_that_does_not_open_is_as_before_its_moment(exam):
    if len(due(exam)) == 1 and due(exam)[0].sealed_in_time and not due(exam)[0].is_open_here:
        assert (exam.visible_release(MORNING), exam.awaits_correction(MORNING)) == (None, False)
        assert exam.state(MORNING) == "sealed"


@given(_exams())
def test_without_sealed_files_the_newest_is_shown_as_postgresql_has_it(exam):
    if not any(each.sealed_in_time or each.is_open_here for each in due(exam)):
        assert exam.visible_release(MORNING) == (due(exam)[-1] if due(exam) else None)


@given(_exams())
def test_whoever_takes_results_down_sees_all_that_is_due_wherever_its_file_is(exam):
    decided = exam.as_decided()
    assert decided.state(MORNING) == ("open" if due(exam) else "withdrawn" if is_down(exam) else "sealed")
    visible = decided.visible_release(MORNING)
    assert (visible and visible.generation) == (due(exam)[-1].generation if due(exam) else None)


@given(_exams())
def test_what_has_no_file_is_never_awaited(exam):
    if due(exam) and not due(exam)[-1].sealed_in_time:
        assert exam.visible_release(MORNING)


@given(_exams())
def test_the_public_is_told_that_it_is_open_when_something_is_or_was_shown(exam):
    is_open = exam.visible_release(MORNING) is not None or exam.awaits_correction(MORNING)
    assert (exam.state(MORNING) == "open") == is_open


@given(_exams())
def test_files_of_whatever_is_or_will_be_shown_are_held(exam):
    held = exam.releases_to_hold(MORNING, lambda release: release.is_open_here)
    newest_due = max((each.generation for each in due(exam)), default=exam.withdrawn_generation)
    coming = [each for each in exam.releases if each.generation > newest_due]
    assert {each.generation for each in coming} <= {each.generation for each in held}
    visible = exam.visible_release(MORNING)
    if visible and visible.is_open_here:
        assert visible in held
    assert all(earlier.generation < later.generation for earlier, later in pairwise(held))


@given(_exams())
def test_nothing_is_held_that_will_never_be_shown_again(exam):
    held = exam.releases_to_hold(MORNING, lambda release: release.is_open_here)
    assert all(each.generation > exam.withdrawn_generation for each in held)
    for older, newer in pairwise(held):
        if newer.opens_at <= MORNING:
            assert not newer.is_open_here
            assert newer.opens_at + CORRECTION_GRACE > MORNING
            assert older.generation < newer.generation


@given(st.booleans())
@example(is_sealed=True)
def test_a_correction_of_what_only_postgresql_has_waits_a_minute_too(is_sealed):
    before = Release(1, MORNING - timedelta(hours=1), {})
    after = Release(2, MORNING - timedelta(seconds=1), {}, sealed_in_time=is_sealed)
    assert exam_with((before, after)).visible_release(MORNING) == (before if is_sealed else after)
