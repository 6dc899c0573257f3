"""Units change by decisions, and nothing that was theirs is lost."""

import asyncio
from datetime import date, timedelta

import asyncpg
import msgspec
import pytest

from lookup.exams import find_exam
from tests.exams import given_exam
from tests.officers import given_officer, given_unit
from tests.people import MORNING
from units.changes import last_change
from units.history.decisions import (
    Decision,
    Founding,
    add_unit,
    add_units,
    close_unit,
    find_units_by_name,
    list_events,
    list_former_names,
    merge_units,
    move_unit,
    rename_unit,
)
from units.places import CommuneElsewhere, PlaceNotFound
from units.record.entries import COMMAND
from units.unit_tree import UnitTree
from units.units import Unit, UnitCodeTaken, UnitNotFound, UnitRefused, describe_unit, list_units

TODAY = date(2026, 7, 1)
DECISION = Decision("12/QĐ-UBND", date(2026, 6, 1))
BY = {"decision": DECISION, "actor": COMMAND, "now": MORNING}


def a_unit(code, kind="primary", managed_by="so", **facts):
    return Unit(
        code, kind, facts.pop("name", f"Trường {code}"), facts.pop("short_name", code), "", managed_by,
        facts.pop("province_code", None), facts.pop("commune_code", None), "", "", "", "", "", None,
    )  # fmt: skip


@pytest.fixture
async def department(connection):
    """Two communes with a school each, and a school of the department that stands in the first commune."""
    for commune in ("xa-a", "xa-b"):
        await given_unit(connection, commune, kind="commune")
    await given_unit(connection, "th-a", kind="primary", managed_by="xa-a", name="Trường Tiểu học Hòa An")
    await given_unit(connection, "th-b", kind="primary", managed_by="xa-b", name="Trường Tiểu học Đồi Nắng")
    await given_unit(connection, "thpt", managed_by="so", commune_code="99001")


@pytest.fixture
def tree(connection, department):
    async def read():
        return UnitTree(await list_units(connection))

    return read


async def refusal(change):
    with pytest.raises(UnitRefused) as refused:
        await change
    return refused.value.facts["rule"]


async def entries(connection, action):
    rows = await connection.fetch(
        "select object_id, unit_code, details::text from units.record_entries where action = $1 order by id", action
    )
    return [(row["object_id"], row["unit_code"], msgspec.json.decode(row["details"])) for row in rows]


async def found(connection, text):
    return [(unit.code, unit.former_name, unit.leads_to) for unit in await find_units_by_name(connection, text)]


# Names


async def test_a_renamed_unit_is_found_by_either_name_marks_or_not(connection, department):
    await rename_unit(connection, "th-a", "Trường Tiểu học Lê Quý Đôn", **BY)
    assert await found(connection, "le quy don") == [("th-a", None, "th-a")]
    assert await found(connection, "HOÀ an") == [("th-a", "Trường Tiểu học Hòa An", "th-a")]
    assert [(name.name, name.until) for name in await list_former_names(connection, "th-a")] == [
        ("Trường Tiểu học Hòa An", DECISION.on)
    ]


async def test_signs_of_a_pattern_are_searched_as_they_are(connection, department):
    await rename_unit(connection, "th-a", "Trường 100% Hay_Học", **BY)
    assert await found(connection, "100%") == [("th-a", None, "th-a")]
    for text in ("%", "_", "\\", "1%0", "  ", ""):
        assert ("th-b", None, "th-b") not in await found(connection, text)


async def test_a_unit_is_found_by_its_code_and_its_short_name(connection, department):
    await describe_unit(connection, "th-a", actor=COMMAND, now=MORNING, short_name="TH Hòa An 1")
    assert await found(connection, "th-b") == [("th-b", None, "th-b")]
    assert await found(connection, "hoa an 1") == [("th-a", None, "th-a")]


async def test_the_root_that_everybody_begins_with_is_found_too(connection):
    assert await found(connection, "sở giáo dục") == [("so", None, "so")]


async def test_a_name_is_changed_by_decision_except_once_for_whoever_sets_the_service_up(connection, department):
    facts = {"actor": COMMAND, "now": MORNING, "name": "Sở Giáo dục và Đào tạo tỉnh Vân Giang"}
    assert await refusal(describe_unit(connection, "th-a", **facts)) == "a_name_is_changed_by_decision"
    assert await describe_unit(connection, "so", **facts)
    assert await found(connection, "van giang") == [("so", None, "so")]
    await rename_unit(connection, "so", "Sở GDĐT Vân Giang", **BY)
    assert await refusal(describe_unit(connection, "so", **facts)) == "a_name_is_changed_by_decision"


async def test_a_unit_that_is_described_as_it_is_makes_no_change(connection, department):
    before = await last_change(connection)
    assert not await describe_unit(connection, "th-a", actor=COMMAND, now=MORNING, hotline="", address=None)
    assert await last_change(connection) == before
    assert await entries(connection, "unit.described") == []


async def test_where_a_unit_stands_is_said_once_and_changes_by_decision(connection, tree):
    by = {"actor": COMMAND, "now": MORNING}
    assert await describe_unit(connection, "th-a", commune_code="99001", **by)
    assert (await tree()).find("th-a").province_code == "99"
    assert not await describe_unit(connection, "th-a", commune_code="99001", **by)
    for place in ({"commune_code": "99002"}, {"province_code": "01", "commune_code": "00070"}):
        assert await refusal(describe_unit(connection, "th-a", **place, **by)) == "a_place_is_changed_by_decision"
    with pytest.raises(CommuneElsewhere):
        await describe_unit(connection, "th-a", province_code="01", **by)


# Managers and places


async def test_a_moved_unit_has_another_manager_and_its_place_stays(connection, tree):
    await move_unit(connection, "thpt", managed_by="xa-b", **BY)
    moved = (await tree()).find("thpt")
    assert (moved.managed_by, moved.commune_code, moved.province_code) == ("xa-b", "99001", "99")


async def test_a_unit_that_moves_house_keeps_its_manager(connection, tree):
    await move_unit(connection, "thpt", commune_code="00070", address="Số 1 Tràng Thi", **BY)
    moved = (await tree()).find("thpt")
    assert (moved.managed_by, moved.province_code, moved.commune_code) == ("so", "01", "00070")
    event = (await list_events(connection, "thpt"))[-1]
    assert (event.what, event.decision, event.before, event.after) == (
        "moved",
        DECISION,
        {"address": "", "province_code": "99", "commune_code": "99001"},
        {"address": "Số 1 Tràng Thi", "province_code": "01", "commune_code": "00070"},
    )


async def test_rights_follow_the_manager_and_never_the_place(connection, tree):
    commune_officer = await given_officer(connection, "lan", ("xa-a", "administrator"))
    assert not commune_officer.may("see_exams", "thpt", await tree())
    await move_unit(connection, "th-b", commune_code="99001", **BY)
    assert not commune_officer.may("see_exams", "th-b", await tree())
    await move_unit(connection, "th-b", managed_by="xa-a", **BY)
    assert commune_officer.may("see_exams", "th-b", await tree())


@pytest.mark.parametrize(("commune", "problem"), [("99999", PlaceNotFound), ("00070", CommuneElsewhere)])
async def test_a_place_must_exist_in_its_province(connection, department, commune, problem):
    with pytest.raises(problem):
        await add_unit(connection, a_unit("x", province_code="99", commune_code=commune), actor=COMMAND, now=MORNING)
    with pytest.raises(problem):
        await move_unit(connection, "thpt", province_code="99", commune_code=commune, **BY)


async def test_nobody_comes_below_themselves(connection, department):
    assert await refusal(move_unit(connection, "xa-a", managed_by="th-a", **BY)) == "a_unit_is_not_below_itself"
    assert await refusal(move_unit(connection, "xa-a", managed_by="xa-a", **BY)) == "a_unit_is_not_below_itself"
    for codes in (["xa-a"], ["th-b", "xa-a"]):
        assert await refusal(merge_units(connection, codes, "th-a", **BY)) == "a_unit_is_not_below_itself"
    circle = [Founding(a_unit("x", managed_by="y")), Founding(a_unit("y", managed_by="x"))]
    assert await refusal(add_units(connection, circle, actor=COMMAND, now=MORNING)) == "a_unit_is_not_below_itself"


async def test_two_moves_that_would_close_a_circle_together_come_one_after_the_other(connection, database, department):
    other = await asyncpg.connect(database.url)
    try:
        async with connection.transaction():
            await move_unit(connection, "xa-a", managed_by="th-b", **BY)
            second = asyncio.create_task(refusal(move_unit(other, "xa-b", managed_by="th-a", **BY)))
            await asyncio.sleep(0.2)
            assert not second.done()
        assert await second == "a_unit_is_not_below_itself"
    finally:
        await other.close()


# Merging and closing


async def test_what_a_merged_unit_managed_and_owned_belongs_to_its_successor(connection, tree):
    exam = await given_exam(connection)
    await connection.execute("update lookup.exams set unit_code = 'xa-a' where code = $1", exam.code)
    await merge_units(connection, ["xa-a"], "xa-b", **BY)
    after = await tree()
    assert after.find("th-a").managed_by == "xa-b"
    assert after.current("xa-a").code == "xa-b"
    assert (after.find("xa-a").closed_on, after.find("xa-a").succeeded_by) == (DECISION.on, "xa-b")
    assert (await find_exam(connection, exam.code)).unit.code == "xa-b"
    assert [unit.code for unit in after.managed_by("xa-a")] == ["th-a", "th-b"]


async def test_whoever_knows_the_code_or_name_of_a_merged_unit_finds_the_last_of_its_successors(connection, tree):
    await merge_units(connection, ["th-a"], "th-b", **BY)
    await merge_units(connection, ["th-b"], "thpt", **BY)
    assert await found(connection, "th-a") == [("th-a", None, "thpt")]
    assert await found(connection, "Hoa An") == [("th-a", None, "thpt")]
    assert (await tree()).current("th-a").code == "thpt"
    assert [(event.unit_code, event.what) for event in await list_events(connection, "thpt")] == [
        ("thpt", "added"), ("th-b", "merged")
    ]  # fmt: skip


async def test_officers_of_a_merged_unit_work_for_its_successor_each_role_once(connection, tree):
    both = await given_officer(connection, "both", ("th-a", "editor"), ("th-b", "editor"))
    one = await given_officer(connection, "one", ("th-a", "approver"))
    await merge_units(connection, ["th-a"], "th-b", **BY)
    held = await connection.fetch("select officer_id::text, unit_code, role from units.officer_roles")
    assert sorted(map(tuple, held)) == sorted([(both.id, "th-b", "editor"), (one.id, "th-b", "approver")])
    moved = [officer for officer, unit, _ in await entries(connection, "officer.role_moved") if unit == "th-b"]
    assert sorted(moved) == sorted([both.id, one.id])


async def test_a_merger_makes_nobody_the_auditor_of_their_own_work(connection, tree):
    lan = await given_officer(connection, "lan", ("th-a", "auditor"), ("th-b", "editor"))
    minh = await given_officer(connection, "minh", ("th-a", "editor"), ("th-b", "auditor"))
    await given_unit(connection, "th-c", kind="primary")
    nam = await given_officer(connection, "nam", ("th-a", "auditor"), ("th-c", "approver"))
    await merge_units(connection, ["th-a", "th-c"], "th-b", **BY)
    held = await connection.fetch("select officer_id::text, role from units.officer_roles where unit_code = 'th-b'")
    assert dict(map(tuple, held)) == {lan.id: "editor", minh.id: "auditor", nam.id: "approver"}
    ended = [(officer, details["role"]) for officer, _, details in await entries(connection, "officer.role_revoked")]
    assert sorted(ended) == sorted([(lan.id, "auditor"), (minh.id, "editor"), (nam.id, "auditor")])


async def test_an_officer_whose_roles_moved_signs_in_anew(connection, department):
    officer = await given_officer(connection, "lan", ("th-a", "editor"))
    await connection.execute(
        "insert into units.sessions (token_hash, officer_id, stage, began_at, seen_at, address, device)"
        " values ('x', $1::text::uuid, 'full', $2, $2, '', '')", officer.id, MORNING,
    )  # fmt: skip
    await merge_units(connection, ["th-a"], "th-b", **BY)
    assert await connection.fetchval("select ended_because from units.sessions") == "roles_changed"


async def test_what_waits_for_approval_follows(connection, department):
    officer = await given_officer(connection, "lan", ("th-a", "editor"))
    for about, unit_code, decided_in in (("1", "th-a", "th-a"), ("2", "th-a", "xa-a"), ("3", "th-b", "xa-b")):
        await connection.execute(
            "insert into units.approvals (kind, about, unit_code, decided_in, payload, preview, prepared_by,"
            " handed_in_by, handed_in_at, state) values"
            " ('exam-release', $1, $2, $3, '{}', '{}', array[$4::text::uuid], $4::text::uuid, $5, 'waiting')",
            about, unit_code, decided_in, officer.id, MORNING,
        )  # fmt: skip
    await merge_units(connection, ["xa-a", "th-a"], "th-b", **BY)
    waiting = "select about, unit_code, decided_in from units.approvals order by about"
    assert [tuple(row) for row in await connection.fetch(waiting)] == [
        ("1", "th-b", "th-b"), ("2", "th-b", "th-b"), ("3", "th-b", "xa-b")
    ]  # fmt: skip
    await close_unit(connection, "th-b", **BY)
    assert {row["decided_in"] for row in await connection.fetch(waiting)} == {"xa-b"}


async def test_a_split_is_a_new_unit_to_which_others_move(connection, tree):
    await add_unit(connection, a_unit("xa-c", "commune"), **BY)
    await move_unit(connection, "th-a", managed_by="xa-c", **BY)
    assert [unit.code for unit in (await tree()).managers("th-a")] == ["xa-c", "so"]


async def test_a_historical_office_is_kept_and_leads_to_itself(connection, tree):
    await add_unit(connection, a_unit("pgd", "historical-office", name="Phòng GDĐT huyện Mây"), **BY)
    await close_unit(connection, "pgd", **BY)
    assert (await tree()).current("pgd").kind == "historical-office"
    assert await found(connection, "phong gddt huyen may") == [("pgd", None, "pgd")]


# Rules


@pytest.mark.parametrize("change", [merge_units, close_unit])
async def test_the_root_is_neither_merged_nor_closed(connection, department, change):
    arguments = (["so"], "xa-a") if change is merge_units else ("so",)
    rules = {"the_root_stays", "a_unit_is_not_below_itself"}
    assert await refusal(change(connection, *arguments, **BY)) in rules


async def test_the_database_itself_keeps_the_root_open(connection):
    with pytest.raises(asyncpg.CheckViolationError, match="the_root_stays"):
        await connection.execute("update units.units set closed_on = '2026-01-01' where code = 'so'")


async def test_the_root_gets_no_manager_but_may_move_house(connection, tree):
    assert await refusal(move_unit(connection, "so", managed_by="xa-a", **BY)) == "the_root_stays"
    await move_unit(connection, "so", commune_code="99001", **BY)
    assert (await tree()).find("so").province_code == "99"


async def test_a_closed_unit_stays_as_it_was(connection, department):
    await close_unit(connection, "th-a", **BY)
    rule = "a_closed_unit_stays_as_it_was"
    assert await refusal(rename_unit(connection, "th-a", "X", **BY)) == rule
    assert await refusal(move_unit(connection, "th-a", address="X", **BY)) == rule
    assert await refusal(close_unit(connection, "th-a", **BY)) == rule
    assert await refusal(merge_units(connection, ["th-a"], "th-b", **BY)) == rule
    assert await refusal(merge_units(connection, ["th-b"], "th-a", **BY)) == rule
    assert await refusal(describe_unit(connection, "th-a", actor=COMMAND, now=MORNING, address="X")) == rule
    assert await refusal(move_unit(connection, "th-b", managed_by="th-a", **BY)) == "a_closed_unit_manages_nobody"
    new = a_unit("x", managed_by="th-a")
    assert await refusal(add_unit(connection, new, actor=COMMAND, now=MORNING)) == "a_closed_unit_manages_nobody"


async def test_a_unit_with_open_units_below_stays_open(connection, department):
    assert await refusal(close_unit(connection, "xa-a", **BY)) == "a_unit_with_units_below_stays"
    await close_unit(connection, "th-a", **BY)
    await close_unit(connection, "xa-a", **BY)


async def test_a_merger_has_units_that_end_and_another_that_goes_on(connection, department):
    for codes in ([], ["th-a"], ["th-b", "th-a"]):
        assert await refusal(merge_units(connection, codes, "th-a", **BY)) in {
            "a_merger_has_two_sides", "a_unit_is_not_below_itself"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "rule"),
    [
        (Decision(" ", TODAY), "a_change_needs_a_decision"),
        (Decision("1" * 101, TODAY), "a_decision_number_is_short"),
        (Decision("1/QĐ", TODAY + timedelta(days=1)), "a_decision_is_not_in_the_future"),
        (Decision("1/QĐ", DECISION.on - timedelta(days=1)), "a_decision_is_not_older_than_its_unit"),
    ],
)
async def test_a_decision_has_a_number_and_a_day_that_has_come(connection, department, decision, rule):
    await add_unit(connection, a_unit("new"), **BY)
    by = BY | {"decision": decision}
    assert await refusal(rename_unit(connection, "new", "X", **by)) == rule
    assert await refusal(move_unit(connection, "new", address="X", **by)) == rule
    assert await refusal(close_unit(connection, "new", **by)) == rule
    assert await refusal(merge_units(connection, ["th-a"], "new", **by)) == rule
    assert await refusal(merge_units(connection, ["new"], "th-a", **by)) == rule
    if rule != "a_decision_is_not_older_than_its_unit":
        assert await refusal(add_unit(connection, a_unit("newer"), **by)) == rule


async def test_a_decision_of_today_is_one_of_vietnams_today(connection, department):
    # In Vietnam the new day has begun, at Greenwich it is still the last of June.
    just_after_midnight = MORNING - timedelta(hours=7, minutes=30)
    by = {"decision": Decision("1/QĐ", TODAY), "actor": COMMAND, "now": just_after_midnight}
    await rename_unit(connection, "th-a", "X", **by)


async def test_a_unit_that_was_there_before_needs_no_decision_and_every_change_does(connection, department):
    assert [event.decision for event in await list_events(connection, "th-a")] == [None]
    with pytest.raises(asyncpg.CheckViolationError, match="a_change_needs_a_decision"):
        await connection.execute(
            "insert into units.unit_events (unit_code, what, before, after, made_at)"
            " values ('th-a', 'closed', '{}', '{}', now())"
        )


async def test_a_change_that_changes_nothing_is_refused(connection, department):
    assert await refusal(rename_unit(connection, "th-a", "Trường Tiểu học Hòa An", **BY)) == "nothing_would_change"
    assert await refusal(move_unit(connection, "th-a", managed_by="xa-a", **BY)) == "nothing_would_change"
    assert await refusal(move_unit(connection, "th-a", **BY)) == "nothing_would_change"
    assert await refusal(rename_unit(connection, "th-a", "  ", **BY)) == "unit_has_a_name"


async def test_who_is_not_there_is_named(connection, department):
    for change in (
        rename_unit(connection, "nobody", "X", **BY),
        move_unit(connection, "nobody", address="X", **BY),
        move_unit(connection, "th-a", managed_by="nobody", **BY),
        merge_units(connection, ["nobody"], "th-a", **BY),
        merge_units(connection, ["th-a"], "nobody", **BY),
        close_unit(connection, "nobody", **BY),
        add_unit(connection, a_unit("x", managed_by="nobody"), actor=COMMAND, now=MORNING),
    ):
        with pytest.raises(UnitNotFound) as missing:
            await change
        assert missing.value.facts == {"unit": "nobody"}


async def test_a_code_is_given_once_even_after_its_unit_has_closed(connection, department):
    await close_unit(connection, "th-a", **BY)
    with pytest.raises(UnitCodeTaken):
        await add_unit(connection, a_unit("th-a"), actor=COMMAND, now=MORNING)


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"code": "Trường"}, "unit_code_is_a_slug"),
        ({"kind": "school"}, "unit_kind_is_known"),
        ({"name": " "}, "unit_has_a_name"),
        ({"commune_code": "1"}, "commune_code_has_five_digits"),
        ({"province_code": "x"}, "province_code_has_two_digits"),
        ({"website": "javascript:alert(1)"}, "website_is_a_web_address"),
        ({"managed_by": None}, "only_one_unit_is_the_root"),
    ],
)
async def test_a_unit_keeps_the_rules_of_the_database(connection, facts, rule):
    unit = msgspec.structs.replace(a_unit("x"), **facts)
    assert await refusal(add_unit(connection, unit, actor=COMMAND, now=MORNING)) == rule


# Telling


async def test_every_change_is_on_the_record_with_its_decision_and_a_change_for_every_node(connection, department):
    before = await last_change(connection)
    await rename_unit(connection, "th-a", "Trường Tiểu học Lê Quý Đôn", **BY)
    await move_unit(connection, "thpt", address="Số 2", **BY)
    await merge_units(connection, ["xa-a"], "xa-b", **BY)
    await close_unit(connection, "th-b", **BY)
    told = {"decision": DECISION.number, "on": "2026-06-01"}
    assert await entries(connection, "unit.renamed") == [
        (
            "th-a", "th-a", told | {"changes": {
                "name": ["Trường Tiểu học Hòa An", "Trường Tiểu học Lê Quý Đôn"],
                "short_name": ["th-a", "Trường Tiểu học Lê Quý Đôn"],
            }},
        ),
    ]  # fmt: skip
    assert await entries(connection, "unit.moved") == [
        ("thpt", "thpt", told | {"changes": {"address": ["", "Số 2"]}}),
        ("th-a", "th-a", told | {"changes": {"managed_by": ["xa-a", "xa-b"]}}),
    ]
    assert await entries(connection, "unit.merged") == [("xa-a", "xa-a", told | {"into": "xa-b"})]
    assert await entries(connection, "unit.closed") == [("th-b", "th-b", told)]
    assert len(await entries(connection, "unit.added")) == 5
    rows = await connection.fetch("select code, what from units.changes where number > $1 order by number", before)
    assert [tuple(row) for row in rows] == [
        ("th-a", "renamed"), ("thpt", "moved"), ("th-a", "moved"), ("xa-a", "merged"), ("th-b", "closed")
    ]  # fmt: skip


async def test_the_record_does_not_tell_who_is_responsible(connection, department):
    await describe_unit(
        connection, "th-a", actor=COMMAND, now=MORNING, responsible_person="Cô Lê Thị Hạ", hotline="1900 0000"
    )
    ((_, _, details),) = await entries(connection, "unit.described")
    assert details == {"changes": {"hotline": ["", "1900 0000"]}, "withheld": ["responsible_person"]}


async def test_a_refused_merger_leaves_nothing_behind(connection, department):
    await given_officer(connection, "lan", ("th-a", "editor"))
    before = await connection.fetch("select code, managed_by, closed_on from units.units order by code")
    assert await refusal(merge_units(connection, ["th-a", "so"], "xa-b", **BY)) == "the_root_stays"
    assert await connection.fetch("select code, managed_by, closed_on from units.units order by code") == before
    assert await connection.fetchval("select unit_code from units.officer_roles") == "th-a"


async def test_a_page_shows_the_new_name_at_once(connection, service, visitor):
    await rename_unit(connection, "so", "Sở Giáo dục và Đào tạo tỉnh Vân Giang", **BY)
    await service.hears_all_changes()
    assert "tỉnh Vân Giang" in (await visitor.get("/")).text


async def test_history_cannot_be_rewritten_by_the_service(connection, department):
    for table in ("units.unit_events", "units.former_names"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"delete from {table}")  # noqa: S608
