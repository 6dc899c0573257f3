"""PostgreSQL and Valkey are emptied, frozen and killed while many look up: released results go on coming, all right.

    make proofs NAME=outlive

What `tests/journeys/test_released_results_outlive_their_servers.py` does with a dozen candidates, with thousands of
lookups by a crowd in each case, over every policy, while web processes are killed.
"""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import asyncpg

from kit.clock import utc_now
from kit.keys import KeyRing
from lookup.releases import release
from tests.journeys.test_released_results_outlive_their_servers import (
    POLICIES,
    when_both_servers_freeze,
    when_every_process_answers_from_its_file,
    when_redis_is_emptied,
    when_the_first_node_dies_with_both_servers,
    when_they_thaw,
)
from tests.marked_exams import MarkedExam, given_marked_exam
from tests.proofs.crowd import BROKEN, Answer, Crowd, Plan
from tests.server.running import Running, beside, reachable_folder, running

_CANDIDATES, _LINES, _RATE, _SECONDS = 3000, 8, 150.0, 10.0


def main() -> Iterable[str]:
    """Run it; returns lines for the record, or exits with what went wrong."""
    told = {"NODE": "mot", "TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    with reachable_folder() as folder, running(folder / "state", **told) as first, beside(first, "hai") as node:
        yield from asyncio.run(_all(first, node, folder))


async def _all(first: Running, node: Running, folder: Path) -> list[str]:
    exams = await _given_open_exams(first)
    await when_every_process_answers_from_its_file(first, node)
    lines = [await _look_up(node, exams, folder, "with both servers well")]
    await when_redis_is_emptied(first)
    lines.append(await _look_up(node, exams, folder, "after FLUSHALL"))
    frozen = when_both_servers_freeze(first)
    lines.append(await _look_up(node, exams, folder, "with both frozen (SIGSTOP)"))
    lines.append(await _look_up(node, exams, folder, "with both frozen, web processes killed", kill=True))
    when_they_thaw(frozen)
    when_the_first_node_dies_with_both_servers(first)
    lines.append(await _look_up(node, exams, folder, "with both killed, and the node that ran them"))
    lines.append(await _look_up(node, exams, folder, "with both killed, web processes killed", kill=True))
    return lines


async def _given_open_exams(first: Running) -> list[MarkedExam]:
    pin_key = KeyRing(first.state_dir / "keys").current("pin").value
    connection = await asyncpg.connect(first.service.database_url)
    exams = []
    for policy in POLICIES:
        exams.append(await given_marked_exam(connection, f"exam-{policy}", policy, _CANDIDATES, pin_key=pin_key))
        await release(connection, exams[-1].code, opens_at=utc_now())
    await connection.close()
    return exams


async def _look_up(node: Running, exams: list[MarkedExam], folder: Path, when: str, *, kill: bool = False) -> str:
    plans = [
        Plan([node.port], exam, _LINES, _RATE, _SECONDS, as_pages=as_pages)
        for exam in exams
        for as_pages in (False, True)
    ]
    crowds = [await Crowd(plan, folder).start() for plan in plans]
    killed = await _kill_in_turn(node) if kill else []
    answers = [answer for crowd in crowds for answer in await crowd.answers()]
    _refuse(answers, killed, when)
    cut_off = sum(answer.came == BROKEN for answer in answers)
    slowest = sorted(answer.answered_at - answer.asked_at for answer in answers if answer.came != BROKEN)
    told = f"{len(killed)} processes killed meanwhile, {cut_off} lookups lost with them; " if kill else ""
    return (
        f"outlive: {when}: {len(answers) - cut_off} lookups of {len(exams)} policies as JSON and page, all right; "
        f"{told}p99 {slowest[len(slowest) * 99 // 100] * 1000:.0f} ms"
    )


async def _kill_in_turn(node: Running) -> list[float]:
    """Each web process once, the next when the one before is back; when it was."""
    killed = []
    for victim in sorted(processes := node.pids("web_process")):
        await asyncio.sleep(1)
        os.kill(victim, signal.SIGKILL)
        killed.append(time.time())
        async with asyncio.timeout(10):
            while len(node.pids("web_process") - {victim}) < len(processes):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        await asyncio.sleep(2)
    return killed


def _refuse(answers: list[Answer], killed: list[float], when: str) -> None:
    """Exit with whatever was no right answer; what a killed process was answering may be lost."""

    def is_lost(answer: Answer) -> bool:
        return answer.came == BROKEN and any(answer.asked_at <= moment <= answer.answered_at for moment in killed)

    if wrong := Counter(answer.came for answer in answers if answer.came != 1 and not is_lost(answer)):
        raise SystemExit(f"{when}: of {len(answers)} lookups {dict(wrong)} were not right.")
