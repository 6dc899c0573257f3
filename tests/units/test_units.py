"""Units, and what every page says of them at its end."""

import pytest

from kit.clock import utc_now
from units.history.decisions import add_unit
from units.record.entries import COMMAND
from units.units import Unit, UnitCodeTaken, UnitNotFound, describe_unit, list_units

SCHOOL = Unit(
    "thpt-ben-may", "upper-secondary", "Trường THPT Bến Mây", "THPT Bến Mây", "Bến Mây Upper-Secondary School", "so",
    "99", "99001", "Sở Giáo dục và Đào tạo", "Hiệu trưởng", "Số 1", "1900 0000", "c3benmay@example.edu.vn", None,
)  # fmt: skip


async def test_a_described_unit_is_on_every_page_at_once(connection, service, visitor):
    await describe_unit(connection, "so", actor=COMMAND, now=utc_now(), hotline="1900 0001")
    await service.hears_all_changes()
    for path in ("/", "/tra-cuu/diem-thi", "/quyen-rieng-tu", "/nowhere"):
        assert "1900 0001" in (await visitor.get(path)).text


async def test_a_school_stands_in_a_commune_and_is_managed_by_the_department(connection):
    await add_unit(connection, SCHOOL, actor=COMMAND, now=utc_now())
    root, school = await list_units(connection)
    assert root.managed_by is None
    assert (school.managed_by, school.commune_code) == ("so", "99001")


async def test_a_code_belongs_to_one_unit_and_a_manager_must_exist(connection):
    await add_unit(connection, SCHOOL, actor=COMMAND, now=utc_now())
    with pytest.raises(UnitCodeTaken):
        await add_unit(connection, SCHOOL, actor=COMMAND, now=utc_now())
    with pytest.raises(UnitNotFound):
        await describe_unit(connection, "nobody", actor=COMMAND, now=utc_now(), name="X")
