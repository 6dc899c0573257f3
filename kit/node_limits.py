"""Limits that need nobody's answer: this node counts in its own memory, and hears of other nodes now and then."""

import hashlib
import time
from collections import Counter as Counts
from collections.abc import Callable

import msgspec

from kit.gcra import Pace, in_seconds, waiting
from kit.rate_limit import HITS
from kit.shared_counters import CounterTable

# Together the processes of several nodes may let through so much more than the limit until they hear of each other:
# half of it by their shares, half by what they do not tell because it is little. In percent.
_MORE = 10
_NO_SHARE_LEFT = 1


class Use(msgspec.Struct):
    """What this process let through for one key since it told the others. `cost` in nanoseconds of its pace."""

    name: str
    identity: str
    pace: Pace
    cost: int = 0


class NodeLimiter:
    """Limits by name and identity, counted in `table` together with the other processes of the node.

    `clock` counts nanoseconds, the same in every process of the node. `key` hides identities, so that nobody can aim at
    a bucket of the table. `kit.limit_sync` sets `processes` and `is_strict`, and takes `uses`.
    """

    def __init__(self, table: CounterTable, *, key: bytes, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._table, self._clock = table, clock
        self._hash = hashlib.blake2b(table.salt, key=key, digest_size=8)
        self._names: dict[str, hashlib.blake2b] = {}
        self._counted: Counts[tuple[str, str]] = Counts()
        # How many processes share the limits, when several nodes do; 1 as long as this node is alone.
        self.processes = 1
        # Redis is away: what others let through is not known, so everything counts twice here.
        self.is_strict = False
        self.uses: dict[int, Use] = {}
        # Called when a key has used up its share and the others should hear of it soon.
        self.hurry: Callable[[], None] = _nothing

    def hit(self, name: str, identity: str, pace: Pace) -> int:
        """Count one; 0 when it may go on, else after how many whole seconds it is worth trying again."""
        tag, now = self._tag(name, identity), self._clock()
        place = self._table.place(tag, now)
        arrival = self._sound(place, pace, now)
        cost = pace.interval << self.is_strict
        wait = waiting(arrival, cost, pace, now)
        if wait <= 0 and self.processes > 1:
            wait = self._use_share(tag, name, identity, pace, cost, room=cost - wait)
        if wait > 0:
            self._counted[name, "refused"] += 1
            return in_seconds(wait)
        self._table.arrivals[place] = max(now, arrival) + cost
        self._counted[name, "allowed"] += 1
        return 0

    def take_back(self, name: str, identity: str, pace: Pace) -> None:
        """One that was counted is not held against them after all."""
        tag = self._tag(name, identity)
        cost = pace.interval << self.is_strict
        if (place := self._table.find(tag)) is not None:
            self._table.arrivals[place] -= cost
        if self.processes > 1:
            self.uses.setdefault(tag, Use(name, identity, pace)).cost -= cost

    def learn(self, use: Use, backlog: int) -> None:
        """All nodes together are so many nanoseconds ahead of the pace: this node is at least as far."""
        tag, now = self._tag(use.name, use.identity), self._clock()
        place = self._table.place(tag, now)
        arrival = min(now + backlog, now + longest_backlog(use.pace))
        self._table.arrivals[place] = max(self._table.arrivals[place], arrival)

    def tell_metrics(self) -> None:
        """Pass on what was counted; a metric costs as much as everything else here together."""
        counted, self._counted = self._counted, Counts()
        for (name, verdict), count in counted.items():
            HITS.labels(name, verdict).inc(count)

    def _sound(self, place: int, pace: Pace, now: int) -> int:
        """The arrival time; one that this pace cannot have made (a raced write, a damaged file) is cut down."""
        arrival, latest = self._table.arrivals[place], now + longest_backlog(pace)
        return min(latest, arrival)

    def _use_share(self, tag: int, name: str, identity: str, pace: Pace, cost: int, *, room: int) -> int:
        """Take it from this process's share of the room that is left; how long to wait if that is used up."""
        use = self.uses.get(tag)
        if use is None:
            use = self.uses[tag] = Use(name, identity, pace)
        used = max(0, use.cost)
        share = (room + used) * (100 + _MORE) // (100 * self.processes)
        if used and used + cost > share:
            self.hurry()
            return _NO_SHARE_LEFT
        use.cost += cost
        if 2 * (used + cost) > share:
            self.hurry()
        return 0

    def _tag(self, name: str, identity: str) -> int:
        begun = self._names.get(name)
        if begun is None:
            begun = self._names[name] = self._hash.copy()
            begun.update(name.encode() + b"\0")
        digest = begun.copy()
        digest.update(identity.encode())
        return int.from_bytes(digest.digest(), "little") or 1


def longest_backlog(pace: Pace) -> int:
    """How far ahead of its pace a key can be: all nodes together may let through a little more than its burst."""
    return pace.span + pace.span // 4 + pace.interval


def _nothing() -> None:
    pass
