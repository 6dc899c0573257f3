"""The editorial board: set up by a decision, one head, and nothing private among the names."""

from datetime import date

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from units.faces.editorial_board import (
    LONGEST,
    MOST_PEOPLE,
    Board,
    Person,
    find_board,
    read_people,
    set_board,
    write_people,
)

BOARD = Board(
    "152/QĐ-SGDĐT",
    date(2026, 3, 2),
    (
        Person("head", "Ông Lê Quang Hải", "Phó Giám đốc Sở"),
        Person("deputy", "Bà Trần Thị Thu", "Chánh Văn phòng"),
        Person("member", "Ông Phạm Văn Nam", "Chuyên viên"),
        Person("member", "Bà Ngô Thị Lan"),
    ),
)


async def test_a_board_comes_back_as_it_was_set_up(connection):
    await set_board(connection, "so", BOARD)
    assert await find_board(connection, "so") == BOARD
    assert [person.name for person in BOARD.of("member")] == ["Ông Phạm Văn Nam", "Bà Ngô Thị Lan"]


async def test_a_new_decision_puts_another_board_in_its_place_and_none_leaves_none(connection):
    await set_board(connection, "so", BOARD)
    await set_board(connection, "so", Board("7/QĐ", date(2026, 6, 1), ()))
    assert await find_board(connection, "so") == Board("7/QĐ", date(2026, 6, 1), ())
    await set_board(connection, "so", None)
    assert await find_board(connection, "so") is None


async def test_a_board_has_one_head(connection):
    with pytest.raises(asyncpg.UniqueViolationError, match="a_board_has_one_head"):
        await set_board(connection, "so", Board("7/QĐ", date(2026, 6, 1), (Person("head", "A"), Person("head", "B"))))


def test_people_are_read_one_a_line_with_their_position():
    typed = "  Ông Phạm Văn Nam ,  Chuyên viên \r\n\n Bà Ngô Thị Lan\n"
    people, mistakes = read_people("member", "members", typed)
    assert people == [BOARD.people[2], BOARD.people[3]]
    assert not mistakes


@pytest.mark.parametrize(
    ("typed", "code", "line"),
    [
        ("Bà Lan\n, Chuyên viên", "board_line_without_name", 2),
        ("Bà Lan, 0912345678", "board_line_with_contact", 1),
        ("Bà Lan, lan@gmail.com", "board_line_with_contact", 1),
        ("B" * (LONGEST + 1), "board_line_too_long", 1),
    ],
)
def test_a_mistake_is_named_by_its_line(typed, code, line):
    _, (mistake,) = read_people("member", "members", typed)
    assert (mistake.field, mistake.code, mistake.facts["line"]) == ("members", code, line)


def test_a_board_is_not_a_staff_list():
    _, (mistake,) = read_people("member", "members", "Bà Lan\n" * (MOST_PEOPLE + 1))
    assert mistake.code == "board_too_large"


names = st.text("aăâbcdđeêghiklmnoôơpqrstuưvxyÁÀỹ ", min_size=1, max_size=40).map(str.split).map(" ".join).filter(bool)


@given(st.lists(st.tuples(names, st.just("") | names), max_size=10))
def test_what_is_written_into_the_field_is_read_back(pairs):
    people = [Person("deputy", name, position) for name, position in pairs]
    assert read_people("deputy", "deputies", write_people(people)) == (people, [])
