"""Which node holds the file of which release, and which of its processes answer from it: what officers look at."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from kit import sql
from kit.sql import Database
from lookup.exams import Exam, Release
from lookup.sealed.clocks import TOLERANCE
from units.changes import NODE_IS_REMEMBERED_FOR, NODE_IS_SILENT_AFTER, Node, list_nodes

bundles = sql.load(__file__, "bundles")

# A key is on its way for some milliseconds, and a page looks now and then.
LATE = timedelta(seconds=5)

Holds = Literal["nothing", "fetching", "ready", "broken"]


class File(msgspec.Struct, frozen=True):
    """The newest file of a release, or the work on it: `results_done` of `result_count` are sealed.

    `problem` is a word; `stands` is false of what was taken down.
    """

    id: int
    generation: int
    state: Literal["building", "stored", "failed"]
    begun_at: datetime
    stored_at: datetime | None
    results_done: int
    result_count: int
    size: int | None
    problem: str | None
    key_sent_at: datetime | None
    opens_at: datetime
    wants_slip: bool
    stands: bool

    @property
    def key_late_seconds(self) -> float:
        """From its moment until its key stood in PostgreSQL; 0 before."""
        return (self.key_sent_at - self.opens_at).total_seconds() if self.key_sent_at else 0


class Holder(msgspec.Struct, frozen=True):
    """What a node's worker says of a file: how much of it is there, since when, and what is wrong."""

    node: str
    bundle_id: int
    state: Holds
    bytes_done: int
    problem: str | None
    told_at: datetime


class OpenProcess(msgspec.Struct, frozen=True):
    """What a web process says of a file: since when it answers from it, or why it does not."""

    process: str
    bundle_id: int
    opened_at: datetime | None
    problem: str | None
    told_at: datetime


class Worker(msgspec.Struct, frozen=True):
    """The worker process of a node. `sends_keys`: it holds the key that unwraps."""

    node: str
    sends_keys: bool
    clock_difference_ms: int | None
    silent_for: timedelta

    @property
    def is_silent(self) -> bool:
        """Whether it should have been heard of since."""
        return self.silent_for > NODE_IS_SILENT_AFTER


class Process(msgspec.Struct, frozen=True):
    """A web process beside one file. `clock_difference_ms` only where it is too much."""

    name: str
    opened_at: datetime | None
    problem: str | None
    is_silent: bool
    clock_difference_ms: int | None


class NodeHolding(msgspec.Struct, frozen=True):
    """A node beside one file. `percent` of it is there; `worker`: heard of, silent, or none at all."""

    name: str
    holds: Holds
    since: datetime | None
    problem: str | None
    percent: int
    worker: Literal["runs", "silent", "none"]
    clock_difference_ms: int | None
    processes: list[Process]

    @property
    def opened(self) -> int:
        """How many of its web processes answer from the file."""
        return sum(process.opened_at is not None for process in self.processes)

    @property
    def running(self) -> int:
        """How many of its web processes run."""
        return sum(not process.is_silent for process in self.processes)

    @property
    def alarms(self) -> list[str]:
        """What is wrong here, in words that the page knows: node, files, clocks."""
        found = []
        if self.problem or self.holds == "broken":
            found.append(self.problem or "broken")
        if self.worker != "runs":
            found.append("no_worker" if self.worker == "none" else "worker_silent")
        found += [process.problem for process in self.processes if process.problem and not process.is_silent]
        if self.clock_difference_ms or any(process.clock_difference_ms for process in self.processes):
            found.append("clock_differs")
        return list(dict.fromkeys(found))


class Holding(msgspec.Struct, frozen=True):
    """A release, its file, and what every node has of it. `file` None: nobody has begun to seal it."""

    release: Release
    file: File | None
    nodes: list[NodeHolding]
    sends_keys: bool

    def is_late(self, now: datetime) -> bool:
        """Whether it should be open everywhere by now and is not."""
        if self.file is None or self.file.stored_at is None or self.file.state != "stored":
            return False
        expected = max(self.release.opens_at, self.file.stored_at) + LATE
        return now > expected and any(node.opened < node.running for node in self.nodes)

    def is_settled(self, now: datetime) -> bool:
        """Whether nothing is to be waited for: everything lies ready, or is open where its moment has come."""
        if self.file is None or self.file.state != "stored" or any(node.alarms for node in self.nodes):
            return False
        if any(node.holds != "ready" for node in self.nodes):
            return False
        return self.release.opens_at > now + 2 * LATE or all(node.opened == node.running for node in self.nodes)


async def list_files(database: Database, exam_code: str) -> list[File]:
    """Every file that was made for an exam, the oldest first."""
    return [File(**row) for row in await bundles.list_bundles_of(database, exam_code=exam_code)]


async def list_holders(database: Database, exam_code: str) -> list[Holder]:
    """What nodes have of the files of an exam."""
    return [Holder(**row) for row in await bundles.list_holders_of(database, exam_code=exam_code)]


async def list_openings(database: Database, exam_code: str) -> list[OpenProcess]:
    """What web processes say of the files of an exam."""
    return [OpenProcess(**row) for row in await bundles.list_openings_of(database, exam_code=exam_code)]


async def list_workers(database: Database) -> list[Worker]:
    """Worker processes that are remembered, by node."""
    return [Worker(**row) for row in await bundles.list_workers(database, remembered_for=NODE_IS_REMEMBERED_FOR)]


async def list_holding_what_is_down(database: Database, exam_code: str) -> list[str]:
    """Nodes that have not said yet that file and key of a release that was taken down are gone there."""
    down = {file.id for file in await list_files(database, exam_code) if not file.stands}
    return sorted({holder.node for holder in await list_holders(database, exam_code) if holder.bundle_id in down})


async def find_holdings(database: Database, exam: Exam, now: datetime) -> list[Holding]:
    """For the release that is open and for those that are coming: what every node has of it."""
    files = {file.generation: file for file in await list_files(database, exam.code) if file.stands}
    holders, openings = await list_holders(database, exam.code), await list_openings(database, exam.code)
    workers, processes = await list_workers(database), await list_nodes(database)
    found = []
    for release in _of_interest(exam, now):
        file = files.get(release.generation)
        nodes = _nodes(file, holders, openings, workers, processes)
        sends_keys = any(worker.sends_keys and not worker.is_silent for worker in workers)
        found.append(Holding(release, file, nodes, sends_keys))
    return found


def node_of(process: str) -> str:
    """The node of a web process: `tinh-1` of `tinh-1/2`."""
    return process.rpartition("/")[0] or process


def _of_interest(exam: Exam, now: datetime) -> list[Release]:
    standing = [release for release in exam.releases if release.generation > exam.withdrawn_generation]
    due = [release for release in standing if release.opens_at <= now]
    return due[-1:] + [release for release in standing if release.opens_at > now]


def _nodes(
    file: File | None,
    holders: Sequence[Holder],
    openings: Sequence[OpenProcess],
    workers: Sequence[Worker],
    processes: Sequence[Node],
) -> list[NodeHolding]:
    bundle_id = file.id if file else None
    held = {holder.node: holder for holder in holders if holder.bundle_id == bundle_id}
    opened = {opening.process: opening for opening in openings if opening.bundle_id == bundle_id}
    working = {worker.node: worker for worker in workers}
    names = {node_of(process.name) for process in processes} | working.keys() | held.keys()
    return [
        _node(
            name,
            file,
            held.get(name),
            working.get(name),
            [_process(process, opened.get(process.name)) for process in processes if node_of(process.name) == name],
        )
        for name in sorted(names)
    ]


def _node(
    name: str, file: File | None, holder: Holder | None, worker: Worker | None, processes: list[Process]
) -> NodeHolding:
    size = (file and file.size) or 1
    done = holder.bytes_done if holder else 0
    return NodeHolding(
        name=name,
        holds=holder.state if holder else "nothing",
        since=holder.told_at if holder else None,
        problem=holder.problem if holder else None,
        percent=min(100, done * 100 // size),
        worker="none" if worker is None else "silent" if worker.is_silent else "runs",
        clock_difference_ms=_too_much(worker.clock_difference_ms) if worker else None,
        processes=processes,
    )


def _process(node: Node, opening: OpenProcess | None) -> Process:
    return Process(
        name=node.name,
        opened_at=opening.opened_at if opening else None,
        problem=opening.problem if opening else None,
        is_silent=node.is_silent,
        clock_difference_ms=_too_much(node.clock_difference_ms),
    )


def _too_much(difference_ms: int | None) -> int | None:
    return difference_ms if difference_ms and abs(difference_ms) > TOLERANCE.total_seconds() * 1000 else None
