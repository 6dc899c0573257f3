"""What a node keeps in memory follows what changes, and reads no more than that."""

import asyncpg

from lookup.catalogue import Catalogue
from lookup.exams import describe_exam
from tests.exams import given_exam
from tests.officers import given_unit
from tests.people import MORNING


async def test_units_are_read_anew_only_when_a_unit_changed(connection: asyncpg.Connection, pool):
    exam = await given_exam(connection)
    catalogue = Catalogue(pool, "node-1")
    await catalogue.refresh()
    units = catalogue.units
    await describe_exam(connection, exam.code, MORNING, name="Thi thử")
    await catalogue.refresh()
    assert catalogue.find(exam.code).name == "Thi thử"
    assert catalogue.units is units
    await given_unit(connection, "thpt-moi")
    await catalogue.refresh()
    assert catalogue.units.find("thpt-moi").name == "Trường thpt-moi"
