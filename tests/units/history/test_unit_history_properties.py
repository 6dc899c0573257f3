"""Whatever is decided about units, in whatever order: they stay a tree, and every code leads somewhere."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lookup.result_files import own_database
from tests.officers import given_officer
from tests.people import MORNING
from units.history.decisions import (
    Decision,
    add_unit,
    close_unit,
    find_units_by_name,
    list_events,
    list_former_names,
    merge_units,
    move_unit,
    rename_unit,
)
from units.record.entries import COMMAND
from units.unit_tree import UnitTree
from units.units import Unit, UnitCodeTaken, UnitNotFound, UnitRefused, list_units

TODAY = MORNING.date()
CODES = ["so", *"abcdefg"]
COMMUNES = ["99001", "99002", None]

codes = st.sampled_from(CODES)
below = st.sampled_from(CODES[1:])
decisions = st.builds(Decision, st.just("1/QĐ"), st.sampled_from([TODAY, TODAY, TODAY, TODAY - timedelta(days=1)]))
steps = st.one_of(
    st.tuples(st.just("add"), codes, codes, st.sampled_from(COMMUNES)),
    st.tuples(st.just("rename"), codes, st.sampled_from(["Một", "Hai", "Ba"])),
    st.tuples(st.just("move"), below, codes | st.none(), st.sampled_from(COMMUNES)),
    st.tuples(st.just("merge"), st.lists(below, min_size=1, max_size=3), codes),
    st.tuples(st.just("close"), codes),
)


@st.composite
def stories(draw):
    """Units that manage one another anyhow, and then a dozen decisions and more, some of them impossible."""
    long_ago = Decision("0/QĐ", TODAY - timedelta(days=9))
    managers = [draw(st.sampled_from(CODES[: place + 1])) for place in range(5)]
    begun = [(("add", code, manager, None), long_ago) for code, manager in zip(CODES[1:], managers, strict=False)]
    return begun + draw(st.lists(st.tuples(steps, decisions), min_size=12, max_size=25))


@pytest.fixture(scope="module")
async def connection(postgres, template):
    async with own_database(postgres, template, "unit_stories") as opened:
        yield opened


async def take(connection, step, decision):
    by = {"decision": decision, "actor": COMMAND, "now": MORNING}
    match step:
        case ("add", code, manager, commune):
            unit = Unit(code, "primary", f"Trường {code}", code, "", manager, None, commune, "", "", "", "", "", None)
            await add_unit(connection, unit, **by)
        case ("rename", code, name):
            await rename_unit(connection, code, name, **by)
        case ("move", code, manager, commune):
            await move_unit(connection, code, managed_by=manager, commune_code=commune, **by)
        case ("merge", sources, into):
            await merge_units(connection, sources, into, **by)
        case ("close", code):
            await close_unit(connection, code, **by)


async def tell(connection, story):
    """Carry the story out; steps that are refused change nothing. Returns what was done."""
    done = []
    for step, decision in story:
        before = await snapshot(connection)
        try:
            await take(connection, step, decision)
        except (UnitRefused, UnitNotFound, UnitCodeTaken):
            assert await snapshot(connection) == before
        else:
            done.append((step, decision))
    return done


async def snapshot(connection):
    return await connection.fetch("select * from units.units order by code"), await connection.fetchval(
        "select count(*) from units.unit_events"
    )


@given(stories())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_units_stay_a_tree_and_every_code_leads_to_somebody(connection, story):
    undone = connection.transaction()
    await undone.start()
    try:
        done = await tell(connection, story)
        tree = UnitTree(await list_units(connection))
        assert [unit.code for unit in tree if unit.managed_by is None] == ["so"]
        for unit in tree:
            # Open units hang on open units, up to the root.
            line = tree.managers(unit.code)
            assert unit.code == "so" or line == [] or line[-1].code == "so"
            if unit.closed_on is None:
                assert (unit.code == "so") == (unit.managed_by is None)
                assert all(manager.closed_on is None for manager in line)
                assert unit.managed_by is None or tree.current(unit.managed_by).code == unit.managed_by
            # A code leads to an open unit, or to a closed one that nobody follows.
            current = tree.current(unit.code)
            assert current.succeeded_by is None
            assert current.closed_on is None or unit.closed_on is not None
            assert unit.succeeded_by is not None or current.code == unit.code
            assert [
                found.leads_to for found in await find_units_by_name(connection, unit.code) if found.code == unit.code
            ] == [current.code]
            # Every name that it ever had is remembered.
            names = [step[2] for step, _ in done if step[:2] == ("rename", unit.code)]
            former = {name.name for name in await list_former_names(connection, unit.code)}
            assert former | {unit.name} >= set(names)
            # Its history begins with its beginning, and ends with its end.
            events = [event for event in await list_events(connection, unit.code) if event.unit_code == unit.code]
            assert events[0].what == "added"
            assert (unit.closed_on is not None) == any(event.what in {"merged", "closed"} for event in events)
    finally:
        await undone.rollback()


@given(stories(), codes)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_rights_run_along_managers_and_never_follow_the_place(connection, story, home):
    undone = connection.transaction()
    await undone.start()
    try:
        await tell(connection, story)
        if home not in {unit.code for unit in await list_units(connection)}:
            return
        officer = await given_officer(connection, "lan", (home, "administrator"))
        tree = UnitTree(await list_units(connection))
        allowed = {unit.code for unit in tree if officer.may("see_exams", unit.code, tree)}
        own = tree.current(home).code
        assert allowed == {
            unit.code for unit in tree
            if own in {tree.current(unit.code).code, *(manager.code for manager in tree.managers(unit.code))}
        }  # fmt: skip
        # Everybody moves house to the same commune: nothing is different.
        await connection.execute("update units.units set province_code = '99', commune_code = '99001'")
        neighbours = UnitTree(await list_units(connection))
        assert allowed == {unit.code for unit in neighbours if officer.may("see_exams", unit.code, neighbours)}
    finally:
        await undone.rollback()


@given(stories())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_officer_is_lost_and_none_holds_what_excludes_another(connection, story):
    undone = connection.transaction()
    await undone.start()
    try:
        await tell(connection, story[:5])
        officers = [
            await given_officer(connection, "lan", ("a", "editor"), ("b", "auditor")),
            await given_officer(connection, "minh", ("a", "auditor"), ("c", "approver")),
        ]
        await tell(connection, story[5:])
        closed = {unit.code for unit in await list_units(connection) if unit.succeeded_by}
        rows = await connection.fetch("select officer_id::text, unit_code, role from units.officer_roles")
        for officer in officers:
            held = [(row["unit_code"], row["role"]) for row in rows if row["officer_id"] == officer.id]
            assert held
            assert not closed & {unit for unit, _ in held}
            for unit, role in held:
                assert role != "auditor" or [other for where, other in held if where == unit] == ["auditor"]
    finally:
        await undone.rollback()
