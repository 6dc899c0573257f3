"""A public card reaches an officer at the office, never at home."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import InvalidForm
from tests.officers import given_officer
from units.officers.public_cards import card_of, change_card, mistake_in_phone, read_card
from units.record.entries import COMMAND

KEY = b"a key for tests only, 32 bytes!!"


@pytest.mark.parametrize(
    "typed",
    [
        "024 3869 5144", "(0274) 3822.518", "+84 24 3869 5144", "0084 24 3869 5144", "84 24 3869 5144", "1900 0000",
        "1800 1234", "1022", "024 3869 5144, máy lẻ 12", "02438695144 ext. 7", "1900 0000, máy lẻ 11",
    ],
)  # fmt: skip
def test_the_office_is_reached_by_landline_or_hotline(typed):
    assert mistake_in_phone(typed) is None


@pytest.mark.parametrize(
    "typed", ["0912 345 678", "+84 912 345 678", "84912345678", "0084-38-888-9999", "(070) 123 4567", "056.789.1234"]
)
def test_a_mobile_is_private(typed):
    assert mistake_in_phone(typed) == "phone_is_private"


@pytest.mark.parametrize(
    "typed", ["12", "không có", "0123", "024 3869 5144 và 0912 345 678", "+1 202 555 0100", "0912"]
)
def test_what_is_no_number_is_none(typed):
    assert mistake_in_phone(typed) == "phone_malformed"


@given(
    st.sampled_from(["0", "+84", "84", "0084", "+84 0"]), st.sampled_from("35789"),
    st.text("0123456789", min_size=8, max_size=8), st.sampled_from(["", " ", ".", "-"]),
)  # fmt: skip
def test_no_spelling_of_a_mobile_passes(prefix, second, rest, between):
    assert mistake_in_phone(f"{prefix}{between}{second}{rest[:3]}{between}{rest[3:]}") is not None


def test_a_card_is_read_whole_and_all_its_mistakes_told():
    typed = {"salutation": "Bà", "full_name": " Vũ  Thu Lan ", "position": "Chuyên viên", "office_phone": "", "x": "y"}
    assert read_card(typed) == {
        "salutation": "Bà", "full_name": "Vũ Thu Lan", "position": "Chuyên viên", "office_phone": "",
    }  # fmt: skip
    with pytest.raises(InvalidForm) as refused:
        read_card({"salutation": "Ngài", "full_name": "", "position": "x" * 151, "office_phone": "0912345678"})
    assert {(error.field, error.code) for error in refused.value.errors} == {
        ("salutation", "salutation_unknown"), ("full_name", "required"), ("position", "too_long"),
        ("office_phone", "phone_is_private"),
    }  # fmt: skip


async def test_a_changed_card_is_on_the_record_without_its_words(office):
    lan = await given_officer(office.connection, "lan", ("phuong", "editor"))
    card = read_card({"salutation": "Cô", "full_name": "Vũ Thu Lan", "position": "Chuyên viên", "office_phone": "1022"})
    assert await change_card(office.connection, lan, card, actor=COMMAND, key=KEY)
    after = card_of(await office.seen(lan))
    assert (after.name, after.position, after.office_phone, after.email) == (
        "Cô Vũ Thu Lan", "Chuyên viên", "1022", lan.email,
    )  # fmt: skip
    ((_, _, _, details),) = await office.entries("officer.described")
    assert set(details["changes"]) == {"salutation", "full_name", "office_phone"}
    assert all(value.startswith("hmac:") for pair in details["changes"].values() for value in pair)
    assert not await change_card(office.connection, await office.seen(lan), card, actor=COMMAND, key=KEY)
