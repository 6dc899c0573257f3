"""What somebody tries who means no good, where no test of one page would look: all routes of the officers at once."""

import re

import pytest

from tests.officers import given_officer, given_unit, signed_in
from tests.units.officers.test_officer_routes import CHANGES, ROUTES, address
from units.officers.roles import ALONE, ROLES, Role

ODD = (
    "%00", "a%00b", "%ff%fe", "%ed%a0%80", "9" * 30, "-1", "%2e%2e%2f", "%0d%0aX:y", "%D9%A3", "%C2%B2", "{}",
    "%22%3E%3Cscript%3E", "%E2%80%AE",
)  # fmt: skip
ASKED = (
    "tim", "don-vi", "vai-tro", "trang-thai", "muc", "loai", "vua", "xong", "tu", "den", "can-bo", "viec", "doi-tuong",
    "yeu-cau", "sau", "loi", "trang", "tiep",
)  # fmt: skip
TYPED = (
    "reason", "note", "unit", "role", "email", "full_name", "name", "code", "batches", "domains", "deputy", "tim",
    "thu", "doi-tuong", "don-vi", "viec", "board_decision", "decision_number", "others", "into", "logo_kept",
)  # fmt: skip


@pytest.fixture
async def desks(connection, service):
    """Two people who together may do everything."""
    await given_unit(connection, "thpt")
    together = [role for role in ROLES if role not in ALONE]
    roles: list[tuple[str, Role]] = [(unit, role) for unit in ("so", "thpt") for role in together]
    lan = await given_officer(connection, "lan", *roles)
    nam = await given_officer(connection, "nam", ("so", "auditor"))
    return [await signed_in(service, each) for each in (lan, nam)]


async def test_odd_addresses_are_refused_and_never_a_mistake_of_ours(desks):
    for desk in desks:
        for path in [path for method, path in ROUTES if method == "GET"]:
            for odd in ODD:
                query = "&".join(f"{name}={odd}" for name in ASKED)
                for target in (f"{address(path)}?{query}", re.sub(r"\{\w+:\w+\}", odd, path, count=1)):
                    assert (await desk.get(target)).status_code != 500, target


async def test_odd_forms_are_refused_and_never_a_mistake_of_ours(desks):
    for desk in desks:
        for _, path in CHANGES:
            if path.endswith(("dang-xuat", "phien-khac")):
                continue
            for odd in ("\0", "a\0b", "9" * 30, "\u202e", "٣²", "x" * 600):
                fields = dict.fromkeys(TYPED, odd)
                answer = await desk.submit(address(path, unit_code="thpt"), **fields)
                assert answer.status_code != 500, (path, odd)


async def test_a_sign_that_no_text_can_hold_is_the_visitors_mistake(desks):
    lan, _ = desks
    exam = {"unit": "so", "code": "thi", "name": "a\0b", "year": "2026", "kind": "thpt", "policy": "pin"}
    for answer in (
        await lan.get("/can-bo/ky-thi/%00"),
        await lan.get("/can-bo/nhan-su/a%00b"),
        await lan.submit("/can-bo/ky-thi/tao", **exam),
    ):
        assert (answer.status_code, "không đọc được yêu cầu" in answer.text) == (400, True)


async def test_a_day_at_the_ends_of_the_calendar_is_no_mistake_of_ours(desks):
    lan, _ = desks
    exam = {"unit": "so", "code": "thi", "name": "Thi", "year": "2026", "kind": "thpt", "policy": "pin"}
    for day in ("0001-01-01", "9999-12-31"):
        answer = await lan.submit("/can-bo/ky-thi/tao", announced_day=day, announced_hour="01:00", **exam)
        assert answer.status_code == 422, day
