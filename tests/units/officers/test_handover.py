"""Whoever leaves a unit leaves no work behind: it goes to a successor who may do it, in the same step."""

# ruff: noqa: ARG002 - a kind of work takes what the protocol gives

import pytest

from tests.officers import given_officer
from tests.units.officers.staff import given_administrator
from units.officers.handover import OpenItem, SuccessorNeeded, SuccessorUnfit, find_piles


class Drafts:
    """A kind of open work, held in memory: whose it is, by item."""

    name, title, role = "drafts", "Bản thảo", "editor"

    def __init__(self, *items: tuple[str, str]) -> None:
        self.units = dict(items)
        self.owners: dict[str, str | None] = {}

    async def list_open(self, transaction, officer_id, unit_codes, now):
        return [
            OpenItem(item, unit_code, item)
            for item, unit_code in self.units.items()
            if self.owners.get(item) == officer_id and unit_code in unit_codes
        ]

    async def hand_over(self, transaction, item, officer_id, to, actor, now):
        self.owners[item.id] = to

    async def settle(self, transaction, tree, now, post):
        pass


class Deputyships(Drafts):
    """Work that ends with whoever had it."""

    name, title, role = "deputies", "Ủy quyền", None


@pytest.fixture
async def ha(connection, office):
    return await given_administrator(connection)


@pytest.fixture
async def lan(connection, office):
    return await given_officer(connection, "lan", ("phuong", "editor"), ("thcs", "editor"))


@pytest.fixture
def drafts(office, lan):
    drafts = Drafts(("a", "phuong"), ("b", "phuong"), ("c", "thcs"))
    drafts.owners = dict.fromkeys("abc", lan.id)
    office.works = [drafts]
    return drafts


async def test_the_work_of_the_unit_goes_to_the_successor_in_the_same_step(office, ha, lan, drafts):
    chi = await given_officer(office.connection, "chi", ("phuong", "editor"))
    await office.revoke(ha, lan, "phuong", "editor", **{"nguoi-nhan-drafts-phuong": chi.id})
    assert drafts.owners == {"a": chi.id, "b": chi.id, "c": lan.id}
    assert await office.entries("officer.handed_over") == [
        ("phuong", ha.id, lan.id, {"work": "drafts", "items": ["a", "b"], "to": chi.id})
    ]


async def test_without_a_successor_nothing_happens(office, ha, lan, drafts):
    await given_officer(office.connection, "chi", ("phuong", "editor"))
    with pytest.raises(SuccessorNeeded) as refused:
        await office.disable(ha, lan)
    assert refused.value.facts == {"unit": "phuong", "count": 2}
    assert set(drafts.owners.values()) == {lan.id}
    assert (await office.seen(lan)).state == "active"


@pytest.mark.parametrize("roles", [[("thcs", "editor")], [("phuong", "approver")], []])
async def test_a_successor_holds_the_role_in_that_unit(office, ha, lan, drafts, roles):
    await given_officer(office.connection, "chi", ("phuong", "editor"))
    unfit = await given_officer(office.connection, "unfit", *roles)
    with pytest.raises(SuccessorUnfit):
        await office.revoke(ha, lan, "phuong", "editor", **{"nguoi-nhan-drafts-phuong": unfit.id})


@pytest.mark.parametrize("state", ["asleep", "disabled"])
async def test_who_cannot_sign_in_takes_nothing_over(office, ha, lan, drafts, state):
    away = await given_officer(office.connection, "away", ("phuong", "editor"), state=state)
    with pytest.raises(SuccessorUnfit):
        await office.revoke(ha, lan, "phuong", "editor", **{"nguoi-nhan-drafts-phuong": away.id})


async def test_nobody_succeeds_themselves(office, ha, lan, drafts):
    with pytest.raises(SuccessorUnfit):
        await office.revoke(ha, lan, "phuong", "editor", **{"nguoi-nhan-drafts-phuong": lan.id})


async def test_where_nobody_can_take_it_over_it_stays_with_the_unit(office, ha, lan, drafts):
    assert (await office.disable(ha, lan)).state == "disabled"
    assert set(drafts.owners.values()) == {None}
    assert [entry[3]["to"] for entry in await office.entries("officer.handed_over")] == [None, None]


async def test_work_that_nobody_takes_over_ends(office, ha, lan):
    deputyships = Deputyships(("d", "phuong"))
    deputyships.owners = {"d": lan.id}
    office.works = [deputyships]
    await given_officer(office.connection, "chi", ("phuong", "editor"))
    await office.disable(ha, lan)
    assert deputyships.owners == {"d": None}


async def test_while_another_role_in_the_unit_is_left_nothing_is_handed_over(office, ha, lan, drafts):
    await office.grant(ha, lan, "phuong", "reviewer")
    await office.revoke(ha, lan, "phuong", "editor")
    assert set(drafts.owners.values()) == {lan.id}


async def test_piles_are_by_unit_and_kind_and_name_the_successors(office, lan, drafts):
    chi = await given_officer(office.connection, "chi", ("phuong", "editor"))
    piles = await find_piles(office.connection, office.works, lan.id, ["thcs", "phuong"], office.tree, office.now)
    assert [(pile.field, len(pile.items), [each.id for each in pile.successors]) for pile in piles] == [
        ("nguoi-nhan-drafts-phuong", 2, [chi.id]),
        ("nguoi-nhan-drafts-thcs", 1, []),
    ]
