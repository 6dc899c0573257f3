"""What a web process holds, when it opens, and what it does when anything is wrong with a sealed release."""

from datetime import timedelta

import pytest

from lookup.exams import Exam, find_exam
from lookup.releases import release
from lookup.scores import Question
from lookup.sealed.vault import Vault
from tests.exams import given_exam, given_results, paper_of
from tests.lookup.sealed.given import given_open_bundle
from tests.people import AN, MINH, MORNING

BEFORE, AFTER = MORNING - timedelta(seconds=1), MORNING + timedelta(seconds=1)


async def given_release(connection, **how) -> Exam:
    exam = await given_exam(connection, **how)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING, now=BEFORE)
    return exam


@pytest.fixture
def vault(settings):
    return Vault(settings.releases_folder)


async def test_a_release_opens_at_its_moment_and_not_before_though_the_key_is_there(connection, settings, vault):
    exam = await given_release(connection)
    await given_open_bundle(connection, settings, exam.code)
    exam = await find_exam(connection, exam.code)
    vault.follow([exam], BEFORE)
    assert vault.find_open(exam.releases[0]) is None
    assert vault.as_shown_here(exam).visible_release(MORNING) is None
    vault.look(MORNING)
    opened = vault.find_open(exam.releases[0])
    assert opened.find(Question(MINH.number)).number == MINH.number
    assert opened.find(Question("99999999")) is None
    assert vault.as_shown_here(exam).visible_release(MORNING).is_open_here
