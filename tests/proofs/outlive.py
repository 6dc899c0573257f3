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

from tests.journeys.test_released_results_outlive_their_servers import (
    Servers,
    given_open_exams,
    somebody_elses_servers,
    when_redis_is_emptied,
)
from tests.marked_exams import MarkedExam
from tests.proofs.crowd import BROKEN, Answer, Crowd, Plan
from tests.server.running import Running, reachable_folder, running

_CANDIDATES, _LINES, _RATE, _SECONDS = 3000, 8, 150.0, 10.0
# Until the kernel has closed what a killed process held, its connections look alive.
_DYING = 0.2


def main() -> Iterable[str]:
    """Run it; returns lines for the record, or exits with what went wrong."""
    told = {"TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "ERROR"}
    with (
        reachable_folder() as folder,
        somebody_elses_servers() as servers,
        running(folder / "state", **servers.environ, **told) as node,
    ):
        yield from asyncio.run(_all(node, servers, folder))


async def _all(node: Running, servers: Servers, folder: Path) -> list[str]:
    exams = await given_open_exams(node, _CANDIDATES)
    lines = [await _look_up(node, exams, folder, "both servers well")]
    await when_redis_is_emptied(node)
    lines.append(await _look_up(node, exams, folder, "after FLUSHALL"))
    servers.signal(signal.SIGSTOP)
    lines.append(await _look_up(node, exams, folder, "both frozen (SIGSTOP)"))
    lines.append(await _look_up(node, exams, folder, "both frozen, web processes killed", kill=True))
    servers.signal(signal.SIGCONT)
    servers.signal(signal.SIGKILL)
    lines.append(await _look_up(node, exams, folder, "both killed"))
    lines.append(await _look_up(node, exams, folder, "both killed, web processes killed", kill=True))
    return lines


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
        during = (answer.asked_at - _DYING <= moment <= answer.answered_at for moment in killed)
        return answer.came == BROKEN and any(during)

    if wrong := Counter(answer.came for answer in answers if answer.came != 1 and not is_lost(answer)):
        when_wrong = [min((answer.asked_at - moment for moment in killed), key=abs, default=0.0)
                      for answer in answers if answer.came != 1 and not is_lost(answer)]  # fmt: skip
        raise SystemExit(f"{when}: of {len(answers)} lookups {dict(wrong)} were not right: {when_wrong[:9]}")
