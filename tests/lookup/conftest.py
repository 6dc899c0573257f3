"""What tests of imports share: one database for a module, an exam of its own for each test, and files to send."""

import itertools

import pytest

from tests.exams import given_exam
from tests.lookup.result_files import Files, own_database

_serial = itertools.count(1)


@pytest.fixture(scope="module")
async def one_database(request, postgres, template):
    """A connection; each test of the module has an exam of its own in it."""
    async with own_database(postgres, template, request.module.__name__.rpartition(".")[2]) as opened:
        yield opened


@pytest.fixture
def files(one_database, tmp_path):
    return Files(one_database, tmp_path)


@pytest.fixture
async def exam(one_database):
    return await given_exam(one_database, f"exam-{next(_serial)}")
