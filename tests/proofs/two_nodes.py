"""Announcement day on two nodes of one machine, while many look up: opening, correcting, withdrawing.

    make proofs NAME=two-nodes

A big exam opens at a second that was set before; a smaller one is corrected a hundred times, each time for every
candidate; then it is taken down. What each visitor got, and when, is compared with what was public at that instant.
The crowd asks at half of what was measured as capacity, all of it on this one machine.
"""

import asyncio
import bisect
import os
import time
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import msgspec

from kit.clock import utc_now
from lookup.exams import find_exam
from lookup.releases import release, withdraw
from tests.marked_exams import MarkedExam, given_marked_exam, import_generation
from tests.proofs.crowd import BROKEN, NOTHING, REFUSED, WRONG, Answer, Crowd, Plan
from tests.server.running import Running, beside, reachable_folder, running

_BIG = int(os.environ.get("RESULTS", "100000"))
_CORRECTIONS = int(os.environ.get("CORRECTIONS", "100"))
_SMALL, _WORKERS, _LINES = 1000, 2, 24
_CAPACITY_SECONDS, _AROUND_SECONDS = 8.0, 6.0
# Sealed, fetched and looked at by every process before its moment.
_TIME_TO_SEAL, _BIG_TIME_TO_SEAL = timedelta(seconds=4), timedelta(seconds=45)
_LONGEST, _LONGEST_SEALING = 900.0, 60.0


class Stage(msgspec.Struct, frozen=True):
    """The two nodes and their database."""

    nodes: list[Running]
    connection: asyncpg.Connection
    folder: Path

    @property
    def ports(self) -> list[int]:
        return [node.port for node in self.nodes]

    def crowd(self, exam: MarkedExam, rate: float, seconds: float) -> Crowd:
        return Crowd(Plan(self.ports, exam, _LINES, rate, seconds, seed=hash(exam.code) & 0xFFFF), self.folder)


def main() -> Iterable[str]:
    """Run it; returns lines for the record, or exits with what went wrong."""
    told = {"NODE": "mot", "TRUSTED_PROXIES": "127.0.0.1", "LOG_LEVEL": "WARNING", "WORKERS": str(_WORKERS)}
    with reachable_folder() as folder, running(folder / "state", **told) as first, beside(first, "hai") as second:
        yield from asyncio.run(_all([first, second], folder))


async def _all(nodes: list[Running], folder: Path) -> list[str]:
    connection = await asyncpg.connect(nodes[0].service.database_url)
    stage = Stage(nodes, connection, folder)
    small = await given_marked_exam(connection, "correction", "public", _SMALL)
    await _release_at(stage, small, utc_now())
    await _until_open(stage, small, 1)
    capacity = await _capacity(stage, small)
    rate = capacity / 2
    told = f"{_WORKERS} web processes each, capacity {capacity:.0f} lookups/s with the crowd on the same machine"
    lines = [f"two-nodes: {told}"]
    lines.append(await _opening(stage, rate))
    lines += await _corrections(stage, small, rate)
    lines.append(await _withdrawal(stage, small, rate))
    await connection.close()
    return lines


async def _capacity(stage: Stage, exam: MarkedExam) -> float:
    answers = await (await stage.crowd(exam, 0, _CAPACITY_SECONDS).start()).answers()
    _refuse(answers, {1})
    seconds = answers[-1].answered_at - answers[0].answered_at
    return len(answers) / seconds


async def _opening(stage: Stage, rate: float) -> str:
    """The big exam opens at its second."""
    exam = await given_marked_exam(stage.connection, "announcement", "public", _BIG)
    opens_at = (utc_now() + _BIG_TIME_TO_SEAL).replace(microsecond=0)
    await _release_at(stage, exam, opens_at)
    sealed_after = await _until_ready(stage, exam, 1)
    if utc_now() > opens_at:
        raise SystemExit(f"Sealing {_BIG} results took {sealed_after:.0f} s: too late for the moment.")
    await asyncio.sleep(max(0.0, (opens_at - utc_now()).total_seconds() - _AROUND_SECONDS))
    answers = await (await stage.crowd(exam, rate, 2 * _AROUND_SECONDS).start()).answers()
    moment = opens_at.timestamp()
    _refuse(answers, {NOTHING, 1})
    if early := [each for each in answers if each.came == 1 and each.answered_at < moment]:
        raise SystemExit(f"{len(early)} answers before the moment")
    late = _lateness(answers, moment, NOTHING)
    processes = await _until_open(stage, exam, 1)
    return (
        f"two-nodes: {_BIG} results sealed and on both nodes after {sealed_after:.1f} s; opened at "
        f"{opens_at:%H:%M:%S} under {rate:.0f} lookups/s: the {len(processes)} web processes "
        f"{_ms(processes)} after it by their own word; last refusal asked for {late * 1000:.0f} ms after it, "
        f"{len(answers)} lookups around it ({_counts(answers)}), none early, none wrong, none failed"
    )


async def _corrections(stage: Stage, exam: MarkedExam, rate: float) -> list[str]:
    """A hundred times every candidate's scores change, at a moment that was set before."""
    crowd = await stage.crowd(exam, rate, _LONGEST).start()
    moments, lateness, late, facts = [0.0], [], [], await find_exam(stage.connection, exam.code)
    for generation in range(2, _CORRECTIONS + 2):
        await import_generation(stage.connection, exam, facts, generation)
        opens_at = utc_now() + _TIME_TO_SEAL
        await _release_at(stage, exam, opens_at)
        await _until_ready(stage, exam, generation)
        is_late = utc_now() > opens_at
        opened = await _until_open(stage, exam, generation)
        late += [generation] if is_late else []
        lateness += [] if is_late else opened
        moments.append(opens_at.timestamp())
    crowd.stop()
    answers = await crowd.answers()
    _refuse(answers, {generation % 100 or 100 for generation in range(1, _CORRECTIONS + 2)})
    overlaps = _overlaps(answers, moments)
    in_time = [overlap for generation, overlap in overlaps.items() if generation + 1 not in late]
    answered = (
        f"{_CORRECTIONS} corrections of {_SMALL} results under {rate:.0f} lookups/s: {len(answers)} lookups, "
        "none failed, none of two generations, none of one that was not public yet"
    )
    opened = (
        f"{len(lateness)} openings of a web process: {_ms(lateness)} after the moment by their own word; last answer "
        f"of the generation before, asked for: {_ms(in_time)} after the moment; {len(late)} of the {_CORRECTIONS} came "
        f"to a node only after their moment (worst {max(overlaps.values()) * 1000:.0f} ms) and are not in these figures"
    )
    return [f"two-nodes: {answered}", f"two-nodes: {opened}"]


async def _withdrawal(stage: Stage, exam: MarkedExam, rate: float) -> str:
    crowd = await stage.crowd(exam, rate, 2 * _AROUND_SECONDS).start()
    await asyncio.sleep(_AROUND_SECONDS)
    began = time.time()
    change = await withdraw(stage.connection, exam.code)
    committed = time.time()
    applied = "select min(applied_change) from units.nodes"
    async with asyncio.timeout(10):
        while (await stage.connection.fetchval(applied) or 0) < change:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    confirmed = time.time()
    answers = await crowd.answers()
    _refuse(answers, {NOTHING, (_CORRECTIONS + 1) % 100 or 100})
    by_node = []
    for place, node in enumerate(("first", "second")):
        shown = [each for each in answers if each.line // _LINES == place and each.came != NOTHING]
        by_node.append(f"{node} node {max(each.asked_at for each in shown) - committed:+.3f} s")
    after = [each for each in answers if each.came != NOTHING and each.asked_at > committed]
    return (
        f"two-nodes: withdrawn in {committed - began:.3f} s, confirmed by all processes {confirmed - committed:.3f} s "
        f"after; last result was asked for, from the commit on: {', '.join(by_node)}; {len(after)} of {len(answers)} "
        "lookups were asked after the commit and answered with a result, all others refused, none failed"
    )


async def _release_at(stage: Stage, exam: MarkedExam, opens_at: datetime) -> None:
    await release(stage.connection, exam.code, opens_at=opens_at)


async def _until_ready(stage: Stage, exam: MarkedExam, generation: int) -> float:
    """Wait until both nodes hold the file; seconds it took."""
    began = time.monotonic()
    ready = (
        "select count(distinct node) from lookup.bundle_holders join lookup.bundles b on b.id = bundle_id"
        " where bundle_holders.state = 'ready' and exam_code = $1 and generation = $2"
    )
    while (await stage.connection.fetchval(ready, exam.code, generation) or 0) < len(stage.nodes):
        if time.monotonic() - began > _LONGEST_SEALING:
            raise SystemExit(f"Generation {generation} of {exam.code} does not come to both nodes.")
        await asyncio.sleep(0.02)
    return time.monotonic() - began


async def _until_open(stage: Stage, exam: MarkedExam, generation: int) -> list[float]:
    """How long after the moment each web process opened it, in seconds, as it says itself."""
    opened = (
        "select extract(epoch from o.opened_at - greatest(r.opens_at, b.stored_at))::float8 as late"
        " from lookup.bundle_openings o join lookup.bundles b on b.id = o.bundle_id"
        " join lookup.releases r using (exam_code, generation)"
        " where b.exam_code = $1 and generation = $2 and o.opened_at is not null"
    )
    async with asyncio.timeout(60):
        while len(rows := await stage.connection.fetch(opened, exam.code, generation)) < len(stage.nodes) * _WORKERS:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return [row["late"] for row in rows]


def _refuse(answers: list[Answer], allowed: set[int]) -> None:
    """Exit when anything else came."""
    if wrong := Counter(each.came for each in answers if each.came not in allowed):
        named = {REFUSED: "refused", WRONG: "wrong or mixed", BROKEN: "not answered", NOTHING: "not found"}
        told = ", ".join(f"{named.get(came, f'generation {came}')}: {count}" for came, count in wrong.items())
        raise SystemExit(f"Of {len(answers)} lookups: {told}")


def _lateness(answers: list[Answer], moment: float, before: int) -> float:
    """When the last answer of before was asked for, after the moment."""
    return max((each.asked_at - moment for each in answers if each.came == before), default=0.0)


def _overlaps(answers: list[Answer], moments: list[float]) -> dict[int, float]:
    """For each generation, how long after its end it was still asked for; exits when one was shown too early."""
    last: dict[int, float] = {}
    for each in answers:
        generation = _which(each, moments)
        if each.answered_at < moments[generation - 1]:
            raise SystemExit(f"Generation {generation} was answered before its moment.")
        if generation < len(moments):
            last[generation] = max(last.get(generation, 0.0), each.asked_at - moments[generation])
    return last


def _which(answer: Answer, moments: list[float]) -> int:
    """The generation of this answer: known modulo 100, so the one of these nearest to what was public."""
    public = bisect.bisect_right(moments, answer.answered_at)
    candidates = range(answer.came, len(moments) + 1, 100)
    return min(candidates, key=lambda generation: abs(generation - public))


def _counts(answers: list[Answer]) -> str:
    counts = Counter(each.came for each in answers)
    return f"{counts.pop(NOTHING, 0)} refused before, {counts.total()} with the result"


def _ms(seconds: list[float]) -> str:
    """Half, 95 percent and all of them within so many milliseconds."""
    ordered = sorted(seconds)
    at = [ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000 for percent in (50, 95)]
    return f"half within {at[0]:.0f} ms, p95 {at[1]:.0f} ms, worst {ordered[-1] * 1000:.0f} ms"
