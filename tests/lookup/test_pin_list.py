import pytest

from lookup.pin_list import NoPins, list_pins
from lookup.pins import hash_imported_pin, pin_matches
from tests.exams import Paper, given_exam, given_results, paper_of
from tests.people import AN, MINH

KEY = b"k" * 32


async def test_every_code_on_the_list_opens_its_own_result(connection):
    exam = await given_exam(connection, policy="pin")
    await given_results(connection, exam, [paper_of(MINH), paper_of(AN)])
    await given_results(connection, exam, [paper_of(MINH)], reason="Phúc khảo")
    rows = list(await list_pins(connection, exam, KEY))
    assert [(number, name) for number, name, _ in rows] == [(MINH.number, MINH.name), (AN.number, AN.name)]
    assert all(pin_matches([KEY], exam.code, number, pin, None) for number, _, pin in rows)


async def test_a_code_that_came_with_a_file_is_not_known_to_us(connection):
    exam = await given_exam(connection, policy="pin")
    imported = hash_imported_pin(KEY, exam.code, MINH.number, "Q7W8E9R0T1")
    await given_results(connection, exam, [Paper(MINH.number, MINH.scores, pin_hash=imported)])
    assert list(await list_pins(connection, exam, KEY)) == [(MINH.number, "", "")]


async def test_an_exam_without_codes_has_no_list(connection):
    with pytest.raises(NoPins):
        await list_pins(connection, await given_exam(connection), KEY)
