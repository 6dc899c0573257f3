"""What was seen is told: in the log at once, to officers as counts, and nothing in it leads to anybody."""

from datetime import timedelta

import asyncpg
import pytest
import structlog
import structlog.testing

from lookup.gate.sightings import Sightings, forget_sightings, list_sightings, write_sightings
from tests.exams import given_exam
from tests.lookup.gate.gatehouse import KEY
from tests.officers import given_officer, given_unit, signed_in
from tests.people import MORNING

HERE, NEIGHBOUR, THERE = "203.0.113.7", "203.0.113.8", "198.51.100.9"


def seen(counting: Sightings, count: int, address: str = HERE, now=MORNING) -> None:
    for place in range(count):
        counting.count("thpt-2026", "run", "challenged" if place % 2 else "seen", address, now)
        if not place % 2:
            counting.count_answered("thpt-2026", "run", now)


def told(counting: Sightings, address: str, now=MORNING) -> list[structlog.typing.EventDict]:
    # Services of other tests log errors alone.
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        seen(counting, 40, address, now)
    return [line for line in lines if line["event"] == "lookups_look_collected"]


def test_the_log_is_told_once_in_ten_minutes_and_never_an_address():
    counting = Sightings(key=KEY)
    first = told(counting, HERE)
    assert len(first) == 1
    assert first[0]["log_level"] == "warning"
    assert (first[0]["exam"], first[0]["pattern"], first[0]["lookups"]) == ("thpt-2026", "run", 30)
    assert "203.0.113" not in str(first)
    assert told(counting, HERE, MORNING + timedelta(minutes=9)) == []
    again = told(counting, NEIGHBOUR, MORNING + timedelta(minutes=11))
    assert [line["prefix"] for line in again] == [first[0]["prefix"]], "a prefix is recognised by its fingerprint"
    assert told(counting, THERE, MORNING + timedelta(minutes=22))[0]["prefix"] != first[0]["prefix"]


async def test_all_processes_add_to_the_same_hour(connection):
    await given_exam(connection)
    for minutes in (0, 30, 61):
        counting = Sightings(key=KEY)
        seen(counting, 10, now=MORNING + timedelta(minutes=minutes))
        await write_sightings(counting, connection)
        await write_sightings(counting, connection)
    later, earlier = await list_sightings(connection, ["thpt-2026"])
    assert (earlier.lookups, earlier.challenged, earlier.answered) == (20, 10, 10)
    assert (earlier.first_at, earlier.last_at) == (MORNING, MORNING + timedelta(minutes=30))
    assert later.lookups == 10
    await forget_sightings(connection, MORNING + timedelta(days=91))
    assert await list_sightings(connection, ["thpt-2026"]) == []


async def test_what_cannot_be_written_is_kept_for_the_next_time(connection, database):
    await given_exam(connection)
    counting = Sightings(key=KEY)
    seen(counting, 6)
    async with asyncpg.create_pool(database.url.replace("/test_", "/nowhere_"), min_size=0) as away:
        await write_sightings(counting, away)
    seen(counting, 4)
    await write_sightings(counting, connection)
    assert [each.lookups for each in await list_sightings(connection, ["thpt-2026"])] == [10]


@pytest.mark.parametrize(
    ("role", "unit", "status"), [("approver", "so", 200), ("operator", "so", 200), ("editor", "thpt-hoa-sua", 404)]
)
async def test_officers_of_the_exam_and_those_who_run_the_service_see_it(connection, service, role, unit, status):
    await given_exam(connection)
    await given_unit(connection, "thpt-hoa-sua")
    counting = Sightings(key=KEY)
    seen(counting, 1_234)
    await write_sightings(counting, connection)
    officer = await given_officer(connection, "somebody", (unit, role))
    await service.hears_all_changes()
    desk = await signed_in(service, officer)
    page = await desk.get("/can-bo/ky-thi/thpt-2026/dau-hieu-do-tim")
    assert page.status_code == status
    every = (await desk.get("/can-bo/dau-hieu-do-tim")).text
    for text in (every, page.text) if status == 200 else ():
        assert "Lần lượt các số báo danh liền nhau" in text
        assert "1.234" in text
        assert "203.0.113" not in text.replace("203.0.113.7 (phiên này)", "")
    assert ("1.234" in every) == (status == 200)
