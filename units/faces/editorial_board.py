"""The editorial board (Ban Biên tập): who answers for what a unit's pages say, and by which decision."""

import re
from datetime import date
from typing import Literal

import asyncpg
import msgspec

from kit import sql
from kit.errors import FieldError
from kit.sql import Database
from kit.vietnamese import nfc

boards = sql.load(__file__, "editorial_board")

# trưởng ban, phó trưởng ban, thành viên
Part = Literal["head", "deputy", "member"]

MOST_PEOPLE = 40
LONGEST = 150
_BLANKS = re.compile(r"[^\S\n]+")
_NOT_A_NAME = re.compile(r"[@<>]|\d{4,}")


class Person(msgspec.Struct, frozen=True):
    """Somebody on the board as the public reads it: name with form of address, and position."""

    part: Part
    name: str
    position: str = ""


class Board(msgspec.Struct, frozen=True):
    """A board, set up by a decision; the head first, then deputies, then members."""

    decision_number: str
    decided_on: date
    people: tuple[Person, ...]

    def of(self, part: Part) -> list[Person]:
        """Everybody with this part, in their order."""
        return [person for person in self.people if person.part == part]


async def find_board(database: Database, unit_code: str) -> Board | None:
    """The unit's board, or None while it has none."""
    rows = await boards.list_board(database, unit_code=unit_code)
    if not rows:
        return None
    people = tuple(Person(row["part"], row["name"], row["position"]) for row in rows if row["part"])
    return Board(rows[0]["decision_number"], rows[0]["decided_on"], people)


async def set_board(transaction: asyncpg.Connection, unit_code: str, board: Board | None) -> None:
    """Put this board in place of the one before; None: the unit has none. The caller announces the change."""
    await boards.remove_board(transaction, unit_code=unit_code)
    if board is None:
        return
    await boards.add_board(
        transaction, unit_code=unit_code, decision_number=board.decision_number, decided_on=board.decided_on
    )
    for place, person in enumerate(board.people):
        await boards.add_board_person(transaction, unit_code=unit_code, place=place, **msgspec.structs.asdict(person))


def read_people(part: Part, field: str, typed: str) -> tuple[list[Person], list[FieldError]]:
    """One person a line, `name, position`; and what is wrong with the lines, each by its number."""
    people, mistakes = [], []
    for number, line in enumerate(nfc(typed).splitlines(), 1):
        name, _, position = (_BLANKS.sub(" ", side).strip() for side in line.partition(","))
        if not name and not position:
            continue
        if not name:
            mistakes.append(FieldError(field, "board_line_without_name", line=number))
        elif max(len(name), len(position)) > LONGEST:
            mistakes.append(FieldError(field, "board_line_too_long", line=number))
        elif _NOT_A_NAME.search(line):
            # Positions hold no numbers: a private phone or address that slipped in would become public.
            mistakes.append(FieldError(field, "board_line_with_contact", line=number))
        people.append(Person(part, name, position))
    if len(people) > MOST_PEOPLE:
        mistakes.append(FieldError(field, "board_too_large", most=MOST_PEOPLE))
    return people, mistakes


def write_people(people: list[Person]) -> str:
    """What `read_people` reads back."""
    return "\n".join(f"{person.name}, {person.position}" if person.position else person.name for person in people)
