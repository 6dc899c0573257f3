"""Whom to ask: officers whom the editor has chosen and a second person approved, as long as they serve in the unit."""

import json
from datetime import timedelta

import pytest

from tests.officers import given_officer, given_unit
from tests.units.desk.test_unit_desk import approval_of, approve, entries, given_desk, mistakes, send
from units.approvals.kinds import Prepared
from units.desk.unit_forms import CONTACT
from units.faces.contacts import MOST_CONTACTS, ContactNotOfUnit, find_contacts, set_contacts
from units.faces.page_approval import UnitPage

EDIT = "/can-bo/don-vi/thpt-a/sua"


@pytest.fixture
async def lan(connection):
    """An officer of the school, with an office phone."""
    await given_unit(connection, "thpt-a", name="Trường THPT A", short_name="THPT A")
    await given_unit(connection, "thpt-b", name="Trường THPT B", short_name="THPT B")
    lan = await given_officer(connection, "lan", ("thpt-a", "reviewer"), full_name="Vũ Thu Lan", position="Văn thư")
    await set_phone(connection, lan, "024 3869 5144, máy lẻ 12")
    return lan


async def set_phone(connection, officer, phone):
    await connection.execute("update units.officers set office_phone = $2 where id = $1::text::uuid", officer.id, phone)


async def set_state(connection, officer, state):
    await connection.execute("update units.officers set state = $2 where id = $1::text::uuid", officer.id, state)


def chosen(*officers) -> dict[str, str]:
    return {"short_name": "THPT A"} | {CONTACT + officer.id: "1" for officer in officers}


async def test_a_card_is_public_once_a_second_person_has_approved_it(connection, service, lan, visitor):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    assert "Bà Vũ Thu Lan, Văn thư" in (await editor.get(EDIT)).text
    approval_id = approval_of(await send(editor, EDIT, **chosen(lan)))
    assert "Vũ Thu Lan" not in (await visitor.get("/don-vi/thpt-a")).text
    page = (await approver.get(f"/can-bo/phe-duyet/{approval_id}")).text
    assert "Cán bộ phụ trách" in page
    assert "Bà Vũ Thu Lan, Văn thư" in page
    await approve(approver, approval_id)
    await service.hears_all_changes()
    page = (await visitor.get("/don-vi/thpt-a")).text
    for text in ("Cán bộ phụ trách", "Bà Vũ Thu Lan", "Văn thư", 'href="tel:02438695144"', "024 3869 5144, máy lẻ 12",
                 'href="mailto:lan@vangiang.edu.vn"'):  # fmt: skip
        assert text in page, text
    english = (await visitor.get("/en/don-vi/thpt-a")).text
    assert "Who to ask" in english
    assert "Office phone:" in english
    assert "Vũ Thu Lan" in (await editor.get("/can-bo/don-vi/thpt-a")).text
    assert f'id="{CONTACT}{lan.id}" name="{CONTACT}{lan.id}" type="checkbox" value="1" checked' in (
        await editor.get(EDIT)
    ).text  # fmt: skip


async def test_the_record_knows_them_by_number_and_names_nobody(connection, service, lan):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    await approve(approver, approval_of(await send(editor, EDIT, **chosen(lan))))
    payload = json.loads(await connection.fetchval("select payload::text from units.approvals"))
    assert payload == {"facts": {}, "contacts": [lan.id]}
    (told,) = await entries(connection, "unit_contacts.changed")
    assert told["changes"] == {"officers": [[], [lan.id]]}
    everything = await connection.fetchval("select string_agg(details::text, '') from units.record_entries")
    assert "Vũ Thu Lan" not in everything


async def test_they_can_be_taken_away_again(connection, service, lan, visitor):
    await set_contacts(connection, "thpt-a", [lan.id])
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    assert "Vũ Thu Lan" in (await visitor.get("/don-vi/thpt-a")).text
    await approve(approver, approval_of(await send(editor, EDIT, **chosen())))
    await service.hears_all_changes()
    assert "Vũ Thu Lan" not in (await visitor.get("/don-vi/thpt-a")).text


async def leaves(connection, officer, how):
    match how:
        case "disabled":
            await set_state(connection, officer, "disabled")
        case "without a role":
            await connection.execute(
                "delete from units.officer_roles where officer_id = $1::text::uuid and unit_code = 'thpt-a'", officer.id
            )


@pytest.mark.parametrize("how", ["disabled", "without a role"])
async def test_whoever_leaves_is_gone_within_seconds_unannounced(connection, service, lan, visitor, clock, how):
    await connection.execute(
        "insert into units.officer_roles (officer_id, unit_code, role, granted_at)"
        " values ($1::text::uuid, 'thpt-b', 'editor', $2)",
        lan.id, clock.now,
    )  # fmt: skip
    await set_contacts(connection, "thpt-a", [lan.id])
    await service.hears_all_changes()
    assert "Vũ Thu Lan" in (await visitor.get("/don-vi/thpt-a")).text
    await leaves(connection, lan, how)
    clock.now += timedelta(seconds=5)
    page = (await visitor.get("/don-vi/thpt-a")).text
    assert "Vũ Thu Lan" not in page
    assert "Cán bộ phụ trách" not in page


async def test_nobody_of_elsewhere_can_be_named(connection, service, lan):
    foreign = await given_officer(connection, "bao", ("thpt-b", "editor"), ("so", "editor"), full_name="Đỗ Gia Bảo")
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    assert "Đỗ Gia Bảo" not in (await editor.get(EDIT)).text
    page = mistakes(await send(editor, EDIT, **chosen(lan, foreign)))
    assert "Chỉ chọn cán bộ đang hoạt động và có vai trò tại đơn vị này." in page
    assert 'href="#contacts"' in page
    assert "Đỗ Gia Bảo" not in page
    assert not await connection.fetchval("select count(*) from units.approvals")
    for stranger in (foreign.id, "no-number"):
        with pytest.raises(ContactNotOfUnit):
            await UnitPage().prepare(connection, "thpt-a", {"contacts": [lan.id, stranger]})
        with pytest.raises(ContactNotOfUnit):
            await set_contacts(connection, "thpt-a", [stranger])
    assert isinstance(await UnitPage().prepare(connection, "thpt-a", {"contacts": [lan.id]}), Prepared)


async def test_whoever_left_before_the_approval_is_not_made_public(connection, service, lan):
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    approver = await given_desk(connection, service, "hai", ("thpt-a", "approver"))
    approval_id = approval_of(await send(editor, EDIT, **chosen(lan)))
    await set_state(connection, lan, "disabled")
    refused = await approver.submit(f"/can-bo/phe-duyet/{approval_id}/phe-duyet")
    assert refused.status_code == 409
    assert "Cán bộ không còn ở đơn vị" in refused.text
    await set_state(connection, lan, "active")
    assert await find_contacts(connection, "thpt-a") == []


async def test_a_private_number_is_never_shown(connection, lan):
    await set_contacts(connection, "thpt-a", [lan.id])
    await set_phone(connection, lan, "0912 345 678")
    (contact,) = await find_contacts(connection, "thpt-a")
    assert (contact.card.office_phone, contact.card.dialled) == ("", "")


async def test_a_page_is_no_staff_list(connection, service, lan):
    many = [
        await given_officer(connection, f"cb{number}", ("thpt-a", "reviewer")) for number in range(MOST_CONTACTS + 1)
    ]
    editor = await given_desk(connection, service, "an", ("thpt-a", "editor"))
    assert "Chọn nhiều nhất 12 cán bộ phụ trách." in mistakes(await send(editor, EDIT, **chosen(*many)))
