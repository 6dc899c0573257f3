"""The evening before, at length: probes without number, a search of everything a lookup node holds, a classifier.

    make proofs NAME=before-the-moment

What `tests/server/test_running_nodes.py` does in seconds, with a hundred thousand probes; and under each policy twenty
thousand pairs of a known and an unknown number, in random order: whoever measures how long an answer takes, how long it
is and what its head says must not tell one from the other.
"""

import asyncio
import math
import os
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from server.app import create_app
from server.settings import load_settings
from tests import leaks
from tests.evening import Evening, given_an_evening
from tests.marked_exams import MarkedExam
from tests.probes import Came, Probe, Prober, probe, routes_of
from tests.server.running import beside, reachable_folder, running

_PROBES = int(os.environ.get("PROBES", "100000"))
_PAIRS = int(os.environ.get("PAIRS", "20000"))
_CANDIDATES = 20_000
_MOST_RIGHT = 0.53
_TRAINED = 0.5


class Sample(msgspec.Struct, frozen=True):
    """What an eavesdropper who asks himself can measure of one answer."""

    known: bool
    seconds: float
    size: int
    head: bytes


def main() -> Iterable[str]:
    """Run it; returns lines for the record, or exits with what was found."""
    told = {"NODE": "mot", "TRUSTED_PROXIES": "127.0.0.1"}
    with reachable_folder() as folder, running(folder / "state", **told) as first, beside(first, "hai") as node:
        evening = asyncio.run(given_an_evening(first, node, _CANDIDATES))
        yield asyncio.run(_search(evening))
        yield asyncio.run(_probe(evening))
        for exam in evening.exams:
            yield asyncio.run(_classify(evening, exam, _PAIRS))


async def _search(evening: Evening) -> str:
    wanted = leaks.needles(evening.exams, evening.keys)
    if found := await evening.everything_found(wanted):
        raise SystemExit("\n".join(found))
    if not evening.is_found_where_it_is(wanted):
        raise SystemExit("The search finds nothing where there is something.")
    folder = sum(path.stat().st_size for path in evening.node.state_dir.rglob("*") if path.is_file())
    return (
        f"before-the-moment: {len(evening.exams)} exams of {_CANDIDATES} sealed on a lookup node: no number, no name, "
        f"no key in its folder ({folder / 1e6:.1f} MB), in the files and memory of its processes, in Redis and logs; "
        "the same search finds them in PostgreSQL's files and in the worker that makes releases"
    )


async def _probe(evening: Evening) -> str:
    with tempfile.TemporaryDirectory() as folder:
        routes = routes_of(create_app(load_settings({"STATE_DIR": folder, "REDIS_URL": "unix:///nobody.sock"})))
    began = time.monotonic()
    report = await probe(evening.node.port, evening.exams, routes, _PROBES)
    if report.shown:
        raise SystemExit("\n".join(report.shown[:20]))
    if report.statuses.get(429, 0) > _PROBES * 0.05:
        raise SystemExit(f"Too many were turned away by limits: {report.statuses}")
    wanted = leaks.needles(evening.exams, evening.keys, numbers=False)
    if found := await evening.everything_found(wanted):
        raise SystemExit("\n".join(found))
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(report.statuses.items()))
    return (
        f"before-the-moment: {_PROBES} probes of {len(routes)} routes and more, in {time.monotonic() - began:.0f} s: "
        f"no result, no name, no number that was not typed, then again nothing to be found; answers "
        f"by status {statuses}"
    )


async def _classify(evening: Evening, exam: MarkedExam, pairs: int) -> str:
    samples = await _samples(evening.node.port, exam, pairs)
    half = int(len(samples) * _TRAINED)
    rightness = {name: make(samples[:half]) for name, make in _CLASSIFIERS.items()}
    right = {name: _share_right(classify, samples[half:]) for name, classify in rightness.items()}
    told = ", ".join(f"{name} {share:.1%}" for name, share in right.items())
    if max(right.values()) > _MOST_RIGHT:
        raise SystemExit(f"Known numbers can be told from unknown ones, policy {exam.policy}: {told}")
    return f"before-the-moment: policy {exam.policy}, {pairs} pairs of a known and an unknown number: {told} right"


async def _samples(port: int, exam: MarkedExam, pairs: int) -> list[Sample]:
    chance, prober, samples = random.Random(exam.code), Prober(port), []
    for _ in range(pairs):
        pair = [(True, chance.randint(1, exam.count)), (False, exam.count + chance.randint(1, exam.count))]
        for known, place in chance.sample(pair, 2):
            address = f"X-Real-IP: 10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}"
            asked = Probe("GET", exam.ask_json(place, f"127.0.0.1:{port}", address))
            began = time.perf_counter()
            came = await prober.ask(asked)
            samples.append(Sample(known, time.perf_counter() - began, len(came.body), _lasting(came)))
            if came.status != 404:
                raise SystemExit(f"A lookup before the moment was answered {came.status}.")
    prober.close()
    return samples


def _lasting(came: Came) -> bytes:
    """The head without its date."""
    return b"\r\n".join(line for line in came.head.split(b"\r\n") if not line.lower().startswith(b"date:"))


def _share_right(classify: Callable[[Sample], bool], samples: Sequence[Sample]) -> float:
    return sum(classify(sample) == sample.known for sample in samples) / len(samples)


def _by_time(samples: Sequence[Sample]) -> Callable[[Sample], bool]:
    """The threshold that parts what it has seen best, in whichever direction."""
    ordered = sorted(samples, key=lambda sample: sample.seconds)
    known_below, unknown_below, best, threshold, below_is_known = 0, 0, 0, 0.0, True
    for sample in ordered:
        known_below, unknown_below = known_below + sample.known, unknown_below + (not sample.known)
        if abs(known_below - unknown_below) > best:
            best, threshold = abs(known_below - unknown_below), sample.seconds
            below_is_known = known_below > unknown_below
    return lambda sample: (sample.seconds <= threshold) == below_is_known


def _by_looks(samples: Sequence[Sample]) -> Callable[[Sample], bool]:
    """What most answers of this size and head were."""
    seen: dict[tuple[int, bytes], Counter[bool]] = defaultdict(Counter)
    for sample in samples:
        seen[sample.size, sample.head][sample.known] += 1
    return lambda sample: seen[sample.size, sample.head][True] > seen[sample.size, sample.head][False]


def _by_bands_of_time(samples: Sequence[Sample]) -> Callable[[Sample], bool]:
    """What most answers were that took about as long: fifty bands with as many answers each."""
    ordered = sorted(sample.seconds for sample in samples)
    edges = [ordered[len(ordered) * band // 50] for band in range(50)]
    seen: dict[int, Counter[bool]] = defaultdict(Counter)

    def band(sample: Sample) -> int:
        return sum(edge <= sample.seconds for edge in edges)

    for sample in samples:
        seen[band(sample)][sample.known] += 1
    return lambda sample: seen[band(sample)][True] > seen[band(sample)][False]


def _by_regression(samples: Sequence[Sample]) -> Callable[[Sample], bool]:
    """Logistic regression over time, its logarithm, and size."""
    columns = [_features(sample) for sample in samples]
    means = [sum(column) / len(columns) for column in zip(*columns, strict=True)]
    spreads = [
        math.sqrt(sum((value - mean) ** 2 for value in column) / len(columns)) or 1.0
        for column, mean in zip(zip(*columns, strict=True), means, strict=True)
    ]
    scaled = [_scaled(each, means, spreads) for each in columns]
    weights = [0.0] * (len(means) + 1)
    for _ in range(100):
        slopes = [0.0] * len(weights)
        for each, sample in zip(scaled, samples, strict=True):
            off = 1 / (1 + math.exp(-_sum(weights, each))) - sample.known
            for place, value in enumerate([1.0, *each]):
                slopes[place] += off * value
        weights = [weight - slope / len(samples) for weight, slope in zip(weights, slopes, strict=True)]
    return lambda sample: _sum(weights, _scaled(_features(sample), means, spreads)) > 0


def _features(sample: Sample) -> list[float]:
    return [sample.seconds, math.log(sample.seconds), float(sample.size)]


def _scaled(values: Sequence[float], means: Sequence[float], spreads: Sequence[float]) -> list[float]:
    return [
        max(-5.0, min(5.0, (value - mean) / spread)) for value, mean, spread in zip(values, means, spreads, strict=True)
    ]


def _sum(weights: Sequence[float], values: Sequence[float]) -> float:
    return weights[0] + sum(weight * value for weight, value in zip(weights[1:], values, strict=True))


_CLASSIFIERS = {
    "by a threshold of time": _by_time,
    "by bands of time": _by_bands_of_time,
    "by size and head": _by_looks,
    "by logistic regression": _by_regression,
}
