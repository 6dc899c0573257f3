"""What a command waits for after it has changed what is public: every node, each named that does not follow."""

import asyncio
import sys
import time
from datetime import datetime

import asyncpg
import msgspec

from kit import clock
from kit.clock import VIETNAM
from lookup.exams import find_exam
from lookup.releases import Released
from lookup.sealed.holdings import (
    File,
    Holding,
    find_holdings,
    list_files,
    list_holders,
    list_holding_what_is_down,
    list_openings,
    list_workers,
    node_of,
)
from units.changes import Node, list_nodes

_WAIT_SECONDS = 15.0
# From the moment when the file lies ready.
_OPEN_SECONDS = 75.0
_LOOK_SECONDS = 0.1


async def wait_until_open(connection: asyncpg.Connection, released: Released) -> int:
    """Wait until every running web process answers from the sealed file; the exit code says whether all do."""
    workers = [worker for worker in await list_workers(connection) if not worker.is_silent]
    if not any(worker.sends_keys for worker in workers):
        why = "No worker process is running" if not workers else "No running worker holds the key `release`"
        print(f"{why}: nothing is sealed, and results are answered from PostgreSQL.")
        return await _wait_for_nodes(connection, released.change, "opened")
    file = await _wait_for_file(connection, released)
    if file is None:
        return 1
    return await _wait_for_openings(connection, released, file)


async def wait_until_gone(connection: asyncpg.Connection, exam_code: str, change: int) -> int:
    """Wait until no process shows the results and no node holds their file or key; names those that do."""
    code = await _wait_for_nodes(connection, change, "taken it down")
    return max(code, await _wait_for_files_to_go(connection, exam_code))


async def print_status(connection: asyncpg.Connection, exam_code: str) -> None:
    """A line for each node and each web process, for the release that is open and for those that are coming."""
    exam = await find_exam(connection, exam_code)
    for holding in await find_holdings(connection, exam, await clock.now(connection)):
        head = f"{exam.code} generation {holding.release.generation}"
        print(f"{head} opens_at {_at(holding.release.opens_at)} {_file_in_words(holding.file)}")
        for node in holding.nodes:
            share = f" {node.percent}%" if node.holds == "fetching" else ""
            since = f" since {_at(node.since)}" if node.since else ""
            worker = "" if node.worker == "runs" else f" worker={node.worker}"
            print(f"{head} node {node.name} {node.holds}{share}{since}{_problem(node.problem)}{worker}")
        _print_processes(head, holding)


def _print_processes(head: str, holding: Holding) -> None:
    for node in holding.nodes:
        for process in node.processes:
            state = f"opened {_at(process.opened_at)}" if process.opened_at else "not_opened"
            silent = " silent" if process.is_silent else ""
            clock = f" clock={process.clock_difference_ms:+}ms" if process.clock_difference_ms else ""
            print(f"{head} process {process.name} {state}{_problem(process.problem)}{silent}{clock}")


def _file_in_words(file: File | None) -> str:
    if file is None:
        return "not_sealed"
    if file.state != "stored":
        return f"{file.state} {file.results_done} of {file.result_count}{_problem(file.problem)}"
    key = f"key_sent {_at(file.key_sent_at)}" if file.key_sent_at else "key_not_sent"
    return f"sealed {file.size} bytes {key}"


def _problem(problem: str | None) -> str:
    return f" problem={problem}" if problem else ""


def _at(moment: datetime | None) -> str:
    return moment.astimezone(VIETNAM).isoformat(timespec="milliseconds") if moment else "-"


async def _wait_for_nodes(connection: asyncpg.Connection, change: int, what: str) -> int:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        nodes = await list_nodes(connection)
        behind = [node for node in nodes if node.applied_change < change]
        # Who is silent already is named at once; who was heard of a moment ago has time to answer.
        if all(node.is_silent for node in behind) or time.monotonic() > deadline:
            break
        await asyncio.sleep(_LOOK_SECONDS / 2)
    for node in behind:
        _complain(f"{node.name} has not {what} yet; {_last_heard(node)}.")
    if behind:
        return 1
    print(f"All {len(nodes)} running web processes have {what}." if nodes else "No node is running at the moment.")
    return 0


class _Stage(msgspec.Struct):
    """What was said last: how far it is stands on one line of a terminal, elsewhere each stage on its own."""

    said: str = ""

    def say(self, stage: str, more: str = "") -> None:
        on_terminal = sys.stderr.isatty()
        told = f"{stage}{more}" if on_terminal else stage
        if told != self.said:
            print(
                f"\r\x1b[K{told}" if on_terminal else told, end="" if on_terminal else "\n", file=sys.stderr, flush=True
            )
            self.said = told

    def end(self) -> None:
        if self.said and sys.stderr.isatty():
            print(file=sys.stderr)


async def _wait_for_file(connection: asyncpg.Connection, released: Released) -> File | None:
    """The file of the release once it lies ready; None, and said why, when it does not come."""
    stage, done, moved_at = _Stage(), -1, time.monotonic()
    try:
        while True:
            files = await list_files(connection, released.exam_code)
            file = next((each for each in reversed(files) if each.generation == released.generation), None)
            if file and file.state == "stored":
                return file
            if file and file.state == "failed":
                _complain(f"It could not be sealed ({file.problem}); results are answered from PostgreSQL meanwhile.")
                return None
            if file and file.results_done != done:
                done, moved_at = file.results_done, time.monotonic()
            if time.monotonic() - moved_at > _OPEN_SECONDS:
                _complain("No worker goes on sealing it; results are answered from PostgreSQL meanwhile.")
                return None
            stage.say("Sealing ...", f" {file.results_done} of {file.result_count} results" if file else "")
            await asyncio.sleep(_LOOK_SECONDS)
    finally:
        stage.end()


async def _wait_for_openings(connection: asyncpg.Connection, released: Released, file: File) -> int:
    stage, deadline = _Stage(), time.monotonic() + _OPEN_SECONDS
    while True:
        nodes = await list_nodes(connection)
        told = {
            each.process: each
            for each in await list_openings(connection, released.exam_code)
            if each.bundle_id == file.id
        }
        opened = {name for name, each in told.items() if each.opened_at}
        behind = [node for node in nodes if node.name not in opened]
        if all(node.is_silent for node in behind) or time.monotonic() > deadline:
            break
        ready = await _list_ready(connection, released, file)
        stage.say("Opening ...", f" fetched by {', '.join(ready) or 'nobody'}; {len(opened)} of {len(nodes)} opened")
        await asyncio.sleep(_LOOK_SECONDS)
    stage.end()
    ready = await _list_ready(connection, released, file)
    for node in behind:
        problem = told[node.name].problem if node.name in told else None
        why = problem or ("it holds the file" if node_of(node.name) in ready else "the file is not on its disk")
        _complain(f"{node.name} has not opened it yet ({why}); {_last_heard(node)}.")
    if behind:
        return 1
    print(f"All {len(nodes)} running web processes have opened it." if nodes else "No node is running at the moment.")
    return 0


async def _list_ready(connection: asyncpg.Connection, released: Released, file: File) -> list[str]:
    """The nodes that have the file on their disk."""
    holders = await list_holders(connection, released.exam_code)
    return sorted(each.node for each in holders if each.bundle_id == file.id and each.state == "ready")


async def _wait_for_files_to_go(connection: asyncpg.Connection, exam_code: str) -> int:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        holding = await list_holding_what_is_down(connection, exam_code)
        silent = {worker.node for worker in await list_workers(connection) if worker.is_silent}
        if silent.issuperset(holding) or time.monotonic() > deadline:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    for name in holding:
        _complain(f"{name} has not said yet that its sealed file and key are gone.")
    if not holding and await list_files(connection, exam_code):
        print("Its sealed file and key are gone from every node.")
    return 1 if holding else 0


def _last_heard(node: Node) -> str:
    return f"it was last heard of {round(node.silent_for.total_seconds())} s ago"


def _complain(sentence: str) -> None:
    print(sentence, file=sys.stderr)
