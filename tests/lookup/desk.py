"""What journeys over the officers' pages of exams do again and again."""

import re
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx

from lookup.upload_work import Tools, work_on_uploads
from tests.officers import Desk, given_officer, given_unit, signed_in
from tests.people import MORNING

SCHOOL = "thpt-hoa-sua"
RESULTS = (
    "SBD,Họ và tên,Ngày sinh,Toán,Ngữ văn\n99000001,Nguyễn Hoàng Minh,01/02/2008,8.25,7.5\n"
    "99000002,Trần Thị Hoài An,30/11/2008,4,6.25\n"
)
NEW_EXAM = {
    "unit": "so",
    "code": "thi-thu",
    "name": "Kỳ thi thử lớp 12",
    "year": "2026",
    "kind": "thpt",
    "policy": "birth-date",
}


class Office:
    """The department's people, each at a desk of her own, and the worker in the next room."""

    def __init__(self, service, connection, pool, folder: Path, pin_key: bytes) -> None:
        self._service, self._connection = service, connection
        self._tools = Tools(pool=pool, folder=folder / "uploads", pin_key=pin_key, clock=lambda: MORNING)

    async def desk(self, name: str, *roles) -> Desk:
        officer = await given_officer(self._connection, name, *roles)
        await self._service.hears_all_changes()
        return await signed_in(self._service, officer)

    async def hien(self) -> Desk:
        """The department's editor."""
        return await self.desk("hien", ("so", "editor"))

    async def hung(self) -> Desk:
        """The department's approver."""
        return await self.desk("hung", ("so", "approver"))

    async def school(self) -> None:
        await given_unit(self._connection, SCHOOL)
        await self._service.hears_all_changes()

    async def work(self, exam: str = "thi-thu") -> None:
        """The worker does what was left for it."""
        await work_on_uploads(self._tools, exam)

    @property
    def tools(self) -> Tools:
        return self._tools


async def send_file(desk: Desk, exam: str, content: str | bytes, name: str = "diem.csv", **options) -> httpx.Response:
    """As the form sends it: the token, then the file."""
    data = content.encode() if isinstance(content, str) else content
    token = options.get("csrf", desk.csrf)
    return await desk.post(
        f"/can-bo/ky-thi/{exam}/tep",
        files=[("csrf", (None, token)), ("file", (name, data, "text/csv"))],
        headers={"Origin": options.get("origin", str(desk.base_url).rstrip("/"))},
    )


async def given_draft(desk: Desk, **facts: str) -> str:
    answer = await desk.submit("/can-bo/ky-thi/tao", **NEW_EXAM | facts)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


async def given_batch(office: Office, desk: Desk, content: str = RESULTS, exam: str = "thi-thu", **reason: str) -> str:
    """Sent, checked, confirmed, imported; the address of the file's page."""
    sent = await send_file(desk, exam, content)
    assert sent.status_code == 303, sent.text
    await office.work(exam)
    confirmed = await desk.submit(f"{sent.headers['location']}/nhap", **reason)
    assert confirmed.status_code == 303, confirmed.text
    await office.work(exam)
    return sent.headers["location"]


async def batches_of(connection: asyncpg.Connection, exam: str = "thi-thu") -> list[int]:
    rows = await connection.fetch("select id from lookup.batches where exam_code = $1 order by id", exam)
    return [row["id"] for row in rows]


async def hand_in(desk: Desk, batches: list[int], exam: str = "thi-thu", **fields: str) -> httpx.Response:
    return await desk.submit(
        f"/can-bo/ky-thi/{exam}/trinh-cong-bo",
        **{"batches": ",".join(map(str, batches)), "when": "now"} | fields,
    )


async def waiting(connection: asyncpg.Connection, kind: str = "exam-release") -> str:
    """The id of the one that waits."""
    return await connection.fetchval("select id::text from units.approvals where kind = $1 and state = 'waiting'", kind)


async def actions_on_record(connection: asyncpg.Connection) -> list[str]:
    return [row["action"] for row in await connection.fetch("select action from units.record_entries order by id")]


def text_of(answer: httpx.Response) -> str:
    """The words of a page's main part."""
    html = answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


LATER = MORNING + timedelta(hours=2)
