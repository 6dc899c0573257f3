"""Announcement day goes wrong: PostgreSQL and Valkey are emptied, frozen, killed, and released results go on coming."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import asyncpg
import httpx
from redis.asyncio import Redis

from kit.clock import utc_now
from kit.keys import KeyRing
from lookup.exams import Policy
from lookup.releases import release
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from tests.marked_exams import MarkedExam, given_marked_exam
from tests.server.conftest import place
from tests.server.running import Running, children_of, reachable_folder, running, until

__all__ = ["place"]

POLICIES: tuple[Policy, ...] = get_args(Policy)
CANDIDATES = 12


class Servers:
    """A PostgreSQL and a Valkey that somebody else runs: nobody starts them again."""

    def __init__(self, folder: Path) -> None:
        self.postgres, self.valkey = EmbeddedPostgres(folder / "postgres"), EmbeddedValkey(folder / "valkey")
        self.both = (self.postgres, self.valkey)
        for server in self.both:
            server.start()

    @property
    def environ(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.postgres.runtime_url,
            "DATABASE_OWNER_URL": self.postgres.owner_url,
            "REDIS_URL": self.valkey.url,
        }

    def signal(self, which: signal.Signals) -> None:
        """To them and to their processes."""
        for server in self.both:
            assert server.process
            for pid in (server.process.pid, *children_of(server.process.pid)):
                os.kill(pid, which)

    def stop(self) -> None:
        for server in self.both:
            server.stop()


@contextlib.contextmanager
def somebody_elses_servers() -> Iterator[Servers]:
    with reachable_folder() as folder:
        servers = Servers(folder)
        try:
            yield servers
        finally:
            servers.stop()


async def test_released_results_outlive_postgresql_and_valkey(place):
    with (
        somebody_elses_servers() as servers,
        running(place / "state", **servers.environ, TRUSTED_PROXIES="127.0.0.1", LOG_LEVEL="ERROR") as node,
    ):
        exams = await given_open_exams(node)
        await when_redis_is_emptied(node)
        await then_all_results_are_right(node, exams)
        servers.signal(signal.SIGSTOP)
        await then_all_results_are_right(node, exams)
        servers.signal(signal.SIGCONT)
        servers.signal(signal.SIGKILL)
        await then_all_results_are_right(node, exams)
        await then_killed_processes_come_back(node, exams)


async def given_open_exams(node: Running, candidates: int = CANDIDATES) -> list[MarkedExam]:
    """One of each policy, released at once, and answered from its file by every web process."""
    pin_key = KeyRing(node.state_dir / "keys").current("pin").value
    connection = await asyncpg.connect(node.service.database_url)
    exams = []
    for policy in POLICIES:
        exam = await given_marked_exam(connection, f"exam-{policy}", policy, candidates, pin_key=pin_key)
        await release(connection, exam.code, opens_at=utc_now())
        exams.append(exam)
    opened = "select count(*) from lookup.bundle_openings where opened_at is not null and problem is null"
    async with asyncio.timeout(60):
        while await connection.fetchval(opened) < 2 * len(POLICIES):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await connection.close()
    return exams


async def when_redis_is_emptied(node: Running):
    async with Redis.from_url(node.service.redis_url) as redis:
        await redis.flushall()


async def then_killed_processes_come_back(node: Running, exams: list[MarkedExam]):
    """With nothing but the folder of their node they answer everything."""
    for victim in (processes := node.pids("web_process")):
        os.kill(victim, signal.SIGKILL)
    await asyncio.to_thread(until, lambda: len(node.pids("web_process") - processes) == 2, node.told)
    await asyncio.to_thread(until, node.answers, node.told)
    await then_all_results_are_right(node, exams)


async def then_all_results_are_right(node: Running, exams: list[MarkedExam]):
    """Of every candidate, as JSON and on the page, over new connections: so of either process."""
    never_kept = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=node.url, limits=never_kept, timeout=10) as visitor:
        for exam in exams:
            for place in range(1, CANDIDATES + 1):
                await then_the_result_is_right(visitor, exam, place)
            await then_nobody_else_has_one(visitor, exam)


async def then_the_result_is_right(visitor: httpx.AsyncClient, exam: MarkedExam, place: int):
    typed, address = exam.typed(place), {"X-Real-IP": f"10.0.{len(exam.code)}.{place}"}
    result = f"/api/v1/exams/{exam.code}/results"
    if exam.policy == "public":
        answer = await visitor.get(f"{result}/{exam.number(place)}", headers=address)
        assert exam.generation_in_json(place, answer.content) == 1, answer.text
    answer = await visitor.post(result, json=typed, headers=address)
    assert exam.generation_in_json(place, answer.content) == 1, answer.text
    page = await visitor.post(f"/tra-cuu/diem-thi/{exam.code}", data=typed, headers=address)
    assert exam.generation_on_page(place, page.content) == 1, page.text


async def then_nobody_else_has_one(visitor: httpx.AsyncClient, exam: MarkedExam):
    address = {"X-Real-IP": f"10.{random.randrange(1, 256)}.{random.randrange(256)}.7"}
    answer = await visitor.post(f"/api/v1/exams/{exam.code}/results", json=exam.typed(CANDIDATES + 1), headers=address)
    assert answer.status_code == httpx.codes.NOT_FOUND, answer.text
