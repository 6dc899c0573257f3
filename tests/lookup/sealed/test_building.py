"""A sealed file says of each candidate what PostgreSQL would say, and is made by somebody who may be killed."""

import pytest

from kit.keys import KeyRing
from lookup.exams import find_exam
from lookup.releases import release
from lookup.scores import Question
from lookup.sealed.building import Tools, seal_release
from tests.exams import given_exam, given_results, paper_of
from tests.people import AN, MINH, MORNING


@pytest.fixture
def tools(pool, database, tmp_path):
    return Tools(pool=pool, database_url=database.url, folder=tmp_path / "sealing", keys=KeyRing(tmp_path / "keys"))


async def test_first(connection, tools):
    exam = await given_exam(connection)
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await release(connection, exam.code, opens_at=MORNING)
    assert await seal_release(tools, exam.code, 1)
    print(await connection.fetch("select * from lookup.bundles"))
