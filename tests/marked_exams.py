"""Exams whose scores say whose they are and of which generation, so that any answer can be checked without a list.

The candidate at `place` has in each of four papers a digit of the place before the point, and the generation behind it:
place 1234 has in generation 7 the scores 4.07, 3.07, 2.07 and 1.07.
"""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import asyncpg
import msgspec

from lookup.exams import Exam, Policy
from lookup.pins import derive_pin
from tests.exams import given_exam

PAPERS = ("toan", "ngu_van", "lich_su", "dia_li")
# Beyond whatever a page or the documentation names as an example.
_FIRST_NUMBER = 99_700_000
_FIRST_BIRTH = date(2008, 1, 1)
_BIRTHS = 700
_JSON_SCORE = re.compile(rb'"score":(\d+)\.(\d\d)')
_PAGE_SCORE = re.compile(r'class="score">(\d+),(\d\d)<')


class MarkedExam(msgspec.Struct, frozen=True):
    """An exam of `count` candidates, at places from 1 on."""

    code: str
    policy: Policy
    count: int
    pin_key: bytes = b""

    def number(self, place: int) -> str:
        """Their candidate number."""
        return str(_FIRST_NUMBER + place)

    def name(self, place: int) -> str:
        """A name that nothing else in the service says."""
        return f"Nguyễn Thị Ngọc Khuê {place}"

    def birth_date(self, place: int) -> date:
        """Their birth date."""
        return _FIRST_BIRTH + timedelta(days=place * 7 % _BIRTHS)

    def typed(self, place: int) -> dict[str, str]:
        """What the form wants to know."""
        fields = {"candidate_number": self.number(place)}
        match self.policy:
            case "birth-date":
                fields["birth_date"] = self.birth_date(place).strftime("%d/%m/%Y")
            case "pin":
                fields["pin"] = derive_pin(self.pin_key, self.code, self.number(place))
            case _:
                pass
        return fields

    def score(self, place: int, paper: int, generation: int) -> Decimal:
        """What they have in a paper, 0 to 3."""
        return Decimal(place // 10**paper % 10) + Decimal(generation % 100) / 100

    def digits(self, place: int) -> list[int]:
        """Before the points of their scores, paper by paper."""
        return [place // 10**paper % 10 for paper in range(len(PAPERS))]

    def ask_json(self, place: int, host: str, *headers: str) -> bytes:
        """A whole request for the result as JSON: GET where the number is enough, else a POST."""
        if self.policy == "public":
            return _request(f"GET /api/v1/exams/{self.code}/results/{self.number(place)}", host, headers)
        path, body = f"/api/v1/exams/{self.code}/results", json.dumps(self.typed(place)).encode()
        return _request(f"POST {path}", host, ["Content-Type: application/json", *headers], body)

    def ask_page(self, place: int, host: str, *headers: str) -> bytes:
        """A whole request for the page with the result, as the form sends it."""
        form = ["Content-Type: application/x-www-form-urlencoded", *headers]
        return _request(f"POST /tra-cuu/diem-thi/{self.code}", host, form, urlencode(self.typed(place)).encode())

    def generation_in_json(self, place: int, body: bytes) -> int | None:
        """Of which generation this answer is, modulo 100; None unless it is this candidate's, whole and of one."""
        if b'"candidate_number":"%b"' % self.number(place).encode() not in body:
            return None
        return self._generation(place, [(int(whole), int(part)) for whole, part in _JSON_SCORE.findall(body)])

    def generation_on_page(self, place: int, body: bytes) -> int | None:
        """As `generation_in_json`, of a page."""
        text = body.decode()
        if self.number(place) not in text:
            return None
        return self._generation(place, [(int(whole), int(part)) for whole, part in _PAGE_SCORE.findall(text)])

    def _generation(self, place: int, scores: list[tuple[int, int]]) -> int | None:
        generations = {part for _, part in scores}
        is_theirs = [whole for whole, _ in scores] == self.digits(place)
        return generations.pop() if is_theirs and len(generations) == 1 else None


async def given_marked_exam(
    connection: asyncpg.Connection, code: str, policy: Policy, count: int, *, pin_key: bytes = b""
) -> MarkedExam:
    """The exam, with its first generation imported but not released."""
    marked = MarkedExam(code, policy, count, pin_key)
    exam = await given_exam(connection, code, policy=policy)
    await import_generation(connection, marked, exam, 1)
    return marked


async def import_generation(connection: asyncpg.Connection, marked: MarkedExam, exam: Exam, generation: int) -> None:
    """Every candidate's scores of this generation, as one batch; generations come one after the other."""
    async with connection.transaction():
        batch: int | None = await connection.fetchval(
            "insert into lookup.batches (exam_code, imported_at, file_name, file_sha256, reason, result_count)"
            " values ($1, clock_timestamp(), 'diem.csv', '', $2, $3) returning id",
            marked.code, f"Phúc khảo {generation}" if generation > 1 else None, marked.count,
        )  # fmt: skip
        await connection.copy_records_to_table(
            "results",
            schema_name="lookup",
            columns=["exam_code", "candidate_number", "version", "batch_id", "scores", "name", "birth_date"],
            records=_rows(marked, exam, batch, generation),
        )


def _rows(marked: MarkedExam, exam: Exam, batch: int | None, generation: int) -> Iterator[tuple]:
    positions = {subject.code: subject.position for subject in exam.subjects if not subject.variant}
    for place in range(1, marked.count + 1):
        slots: list[Decimal | None] = [None] * len(exam.subjects)
        for paper, code in enumerate(PAPERS):
            slots[positions[code] - 1] = marked.score(place, paper, generation)
        name, birth_date = marked.name(place), marked.birth_date(place)
        yield marked.code, marked.number(place), generation, batch, slots, name, birth_date


def _request(line: str, host: str, headers: list[str] | tuple[str, ...] = (), body: bytes = b"") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *length, *headers, "", ""]).encode() + body
