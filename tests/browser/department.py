"""A department at work: for every page of the officers there is something to see, and somebody who may see it."""

from datetime import timedelta
from pathlib import Path

import msgspec

from kit.keys import KeyRing
from kit.mail.message import compose
from kit.mail.post import Letter, unseal
from lookup.releases import withdraw
from lookup.upload_work import Tools, work_on_uploads
from server.demo.units import add_department
from server.embedded.mail_catcher import keep
from tests.browser.exams import given_an_open_exam
from tests.browser.nodes import given_nodes
from tests.lookup.desk import batches_of, given_batch, given_draft, hand_in, send_file, waiting
from tests.officers import TOTP_SECRET, Desk, given_officer, keys_of, signed_in
from tests.people import HIEN, HUNG, MORNING, NAM, THU, Person
from tests.units.desk.test_unit_desk import DECISION, PAGE, send
from tests.units.faces.test_editorial_board import BOARD
from tests.units.faces.test_unit_pictures import picture
from tests.units.record.writing import sealed
from units.changes import Change, announce
from units.faces.editorial_board import set_board
from units.faces.look import Look, set_look
from units.faces.pictures import keep_picture, remake
from units.officers import sessions, two_factor
from units.officers.officers import Officer
from units.officers.roles import Role
from units.officers.sessions import Stage
from units.officers.tokens import make_token

OPEN, DOWN, DRAFT, WAITS = "tot-nghiep-2026", "thi-thu-lan-1", "thi-thu-lan-3", "thi-thu-lan-2"
SCHOOL = "thpt-chuyen-van-giang"
HA = Person("Bà", "Lê Thị Minh Hạ", "Phó Giám đốc Sở", "ha.ltm@sgddt.vangiang.edu.vn")
RESULTS = (
    "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn\n99000001,Nguyễn Hoàng Minh,01/02/2008,8.25,7.5\n"
    "99000002,Trần Thị Hoài An,30/11/2008,4,6.25\n"
)
# A score of 82, a number that is too short, a day that is none, a mark that nobody knows, and somebody twice.
WRONG = (
    "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn\n9000001,Nguyễn Hoàng Minh,01/02/2008,82,7.5\n"
    "99000002,Trần Thị Hoài An,31/11/2008,4,xx\n"
    "99000003,Đỗ Gia Bảo,01/02/2008,5,6\n99000003,Đỗ Gia Bảo,01/02/2008,5,7\n"
)
CORRECTED = (
    "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn,Vật lí,Ngoại ngữ\n99000001,Nguyễn Hoàng Minh,01/02/2008,8.75,7.5,9,6.75\n"
    "99000002,Trần Thị Hoài An,30/11/2008,4.25,6.25,,\n"
)


class Department(msgspec.Struct):
    """What fills addresses, by name, and the sessions of those who look, by who they are."""

    there: dict[str, str]
    secrets: dict[str, str]


async def given_department(connection, service, pool, folder: Path, pin_key: bytes, mail: Path) -> Department:
    """Units, people, exams in every state, things that wait; nothing of it is changed by looking at it."""
    await add_department(connection, MORNING)
    await set_board(connection, "so", BOARD)
    logo = await keep_picture(connection, "so", await remake(picture(size=(96, 96))), MORNING)
    await set_look(connection, "so", Look("#17518f", logo))
    await announce(connection, Change("unit", "so", "described"), MORNING)
    people = await _staff(connection, service)
    await service.hears_all_changes()
    tools = Tools(pool=pool, folder=folder / "uploads", pin_key=pin_key, clock=lambda: MORNING)
    there = {"unit": SCHOOL, "closed": "th-cho-song-2", "logo": logo}
    there |= await _exams(connection, service, tools, people["hien"])
    there |= await _waiting(connection, people)
    there |= {"officer": people["thu"].officer.id, "letter": await _letters(connection, service, mail)}
    there |= await _links(connection, people["hien"].officer)
    await sealed(connection)
    await service.hears_all_changes()
    return Department(there, await _sessions(connection, keys_of(service.settings), people))


async def _staff(connection, service) -> dict[str, Desk]:
    """Each at a desk of their own."""
    roles: dict[str, tuple[Person, list[tuple[str, Role]]]] = {
        "hien": (HIEN, [("so", "editor"), ("so", "reviewer")]),
        "hung": (HUNG, [("so", "approver"), ("so", "administrator")]),
        "ha": (HA, [("so", "approver")]),
        "nam": (NAM, [("so", "auditor")]),
        "thu": (THU, [(SCHOOL, "editor"), (SCHOOL, "approver")]),
    }
    desks = {}
    for name, (person, held) in roles.items():
        facts = {field: getattr(person, field) for field in ("email", "salutation", "full_name", "position")}
        officer = await given_officer(connection, name, *held, keys=keys_of(service.settings), **facts)
        desks[name] = await signed_in(service, officer)
    return desks


class _Office:
    """The worker in the next room, as steps of the exam desk want it."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools

    async def work(self, exam: str) -> None:
        await work_on_uploads(self.tools, exam)


async def _exams(connection, service, tools: Tools, hien: Desk) -> dict[str, str]:
    office = _Office(tools)
    await given_an_open_exam(connection, service, OPEN)
    await given_batch(office, hien, CORRECTED, OPEN, reason="Kết quả phúc khảo")  # type: ignore[arg-type]  # all it needs
    await given_an_open_exam(connection, service, DOWN, policy="birth-date")
    change = await withdraw(connection, DOWN, reason="Sai dữ liệu của một hội đồng")
    await given_draft(hien, code=DRAFT, name="Kỳ thi thử tốt nghiệp THPT lần 3")
    wrong = await _checked(office, hien, WRONG, "ket-qua-lan-3.csv")
    ready = await _checked(office, hien, RESULTS, "ket-qua-lan-3-da-sua.csv")
    await given_draft(hien, code=WAITS, name="Kỳ thi thử tốt nghiệp THPT lần 2", announced_day="2026-07-02",
                      announced_hour="08:00")  # fmt: skip
    imported = await given_batch(office, hien, RESULTS, WAITS)  # type: ignore[arg-type]
    handed_in = await hand_in(
        hien, await batches_of(connection, WAITS), WAITS, when="moment", opens_day="2026-07-02", opens_hour="08:00"
    )
    assert handed_in.status_code == 303, handed_in.text
    await given_nodes(connection, keys_of(service.settings), OPEN)
    batch = (await batches_of(connection, OPEN))[-1]
    return {
        "open": OPEN, "down": DOWN, "draft": DRAFT, "waits": WAITS, "change": str(change), "batch": str(batch),
        "wrong": _last(wrong), "ready": _last(ready), "imported": _last(imported),
    }  # fmt: skip


async def _checked(office: _Office, desk: Desk, content: str, name: str) -> str:
    sent = await send_file(desk, DRAFT, content, name)
    assert sent.status_code == 303, sent.text
    await office.work(DRAFT)
    return sent.headers["location"]


async def _waiting(connection, people: dict[str, Desk]) -> dict[str, str]:
    """A release, a page, a change of units; one thing sent back; somebody who stands in for somebody."""
    hung, hien, thu = people["hung"], people["hien"], people["thu"]
    page = await send(hien, "/can-bo/don-vi/so/sua", **PAGE | {"short_name": "Sở GDĐT Vân Giang"})
    renamed = await hung.submit(
        f"/can-bo/don-vi/{SCHOOL}/doi-ten", name="Trường THPT chuyên Lê Quý Đôn", short_name="THPT chuyên Lê Quý Đôn",
        name_en="", **DECISION,
    )  # fmt: skip
    own = await send(thu, f"/can-bo/don-vi/{SCHOOL}/sua", **PAGE)
    returned = await hung.submit(f"/can-bo/phe-duyet/{_id(own)}/tra-lai", reason="Thiếu quyết định thành lập")
    assert returned.status_code == 303, returned.text
    deputy = await hung.submit(
        "/can-bo/phe-duyet/uy-quyen", unit="so", deputy=people["ha"].officer.id, first_day="2026-07-06",
        last_day="2026-07-10", reason="Đi công tác",
    )  # fmt: skip
    assert deputy.status_code == 303, deputy.text
    invited = await hung.submit(
        "/can-bo/nhan-su/moi", unit=SCHOOL, role="reviewer", email="mai.dt@thptchuyen.edu.vn", salutation="Cô",
        full_name="Đỗ Thanh Mai", position="Giáo viên", office_phone="",
    )  # fmt: skip
    assert invited.status_code == 303, invited.text
    return {
        "release": await waiting(connection), "page": _id(page), "renaming": _id(renamed), "returned": _id(own),
    }  # fmt: skip


async def _letters(connection, service, folder: Path) -> str:
    """All letters that were written, as the mail catcher keeps them; the name of the newest."""
    keys, name = keys_of(service.settings), ""
    for mail in await connection.fetch("select key, sealed, recipient from kit.mails order by queued_at, key"):
        letter = msgspec.json.decode(unseal(keys, mail["key"], mail["sealed"]), type=Letter)
        sender, recipient = service.settings.mail_from, mail["recipient"]
        sent = compose(letter, sender=sender, recipient=recipient, message_id="<1@localhost>", at=MORNING)
        name = keep(folder, bytes(sent)).stem
    return name


async def _links(connection, officer: Officer) -> dict[str, str]:
    """Secrets of links in letters."""
    return {
        purpose: await make_token(connection, officer.id, purpose, timedelta(days=1), MORNING)
        for purpose in ("invitation", "password_reset", "waking")
    }


async def _sessions(connection, keys: KeyRing, people: dict[str, Desk]) -> dict[str, str]:
    """Cookies of those who are in, and of somebody at each step on the way."""
    hien = people["hien"].officer
    told = {"address": "203.0.113.7", "device": "Chrome trên Windows", "now": MORNING}
    draft = two_factor.seal(keys, hien.id, TOTP_SECRET)
    found = {name: await sessions.begin(connection, desk.officer.id, "full", **told) for name, desk in people.items()}
    on_the_way: dict[str, Stage] = {"invitation": "invitation", "password": "password", "reset": "reset",
                                    "set_up": "set_up", "renewing": "full"}  # fmt: skip
    for name, stage in on_the_way.items():
        found[name] = await sessions.begin(connection, hien.id, stage, draft=draft, **told)
    return found


def _id(answer) -> str:
    """Of the approval that waits from now on."""
    assert answer.status_code == 303, answer.text
    return _last(answer.headers["location"].partition("?")[0])


def _last(address: str) -> str:
    return address.rpartition("/")[2]
