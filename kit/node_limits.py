"""Limits that need nobody's answer: this node counts in its own memory, and hears of other nodes now and then."""

import hashlib
import time
from collections import defaultdict
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
    # To be asked about, even if nothing is to be told.
    asks: bool = False


class NodeLimiter:
    """Limits by name and identity, counted in `table` together with the other processes of the node.

    `clock` counts nanoseconds, the same in every process of the node. `key` hides identities, so that nobody can aim at
    a bucket of the table. `kit.limit_sync` sets `processes` and `is_strict`, and tells `uses`.
    """

    def __init__(self, table: CounterTable, *, key: bytes, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.table, self._clock = table, clock
        self._hash = hashlib.blake2b(table.salt, key=key, digest_size=8)
        self._names: dict[str, hashlib.blake2b] = {}
        self._allowed, self._refused = defaultdict[str, int](int), defaultdict[str, int](int)
        # How many processes share the limits, when several nodes do; 1 as long as this node is alone.
        self.processes = 1
        # Redis is away: what others let through is not known, so everything counts twice here.
        self.is_strict = False
        # What was let through and is not told yet, and what is being told at this moment.
        self.uses: dict[int, Use] = {}
        self.telling: dict[int, Use] = {}
        # Called when a key has used up its share and the others should hear of it soon.
        self.hurry: Callable[[], None] = _nothing

    def hit(self, name: str, identity: str, pace: Pace) -> int:
        """Count one; 0 when it may go on, else after how many whole seconds it is worth trying again."""
        tag, now = self._tag(name, identity), self._clock()
        place, arrivals = self.table.place(tag, now), self.table.arrivals
        arrival = arrivals[place]
        if arrival > now + pace.longest:
            # No pace can have made it: a raced write, a damaged file. It must not lock anybody out.
            arrival = arrivals[place] = now + pace.longest
        cost = pace.interval << self.is_strict
        wait = waiting(arrival, cost, pace, now)
        if wait <= 0 and self.processes > 1 and not self.is_strict:
            wait = self._use_share(tag, name, identity, pace, cost, room=cost - wait)
        if wait > 0:
            self._refused[name] += 1
            return in_seconds(wait)
        # Read anew: between two looks another process may have run for milliseconds.
        arrival = arrivals[place]
        arrivals[place] = (arrival if arrival > now else now) + cost  # noqa: FURB136 -- `max` takes longer
        self._allowed[name] += 1
        return 0

    def take_back(self, name: str, identity: str, pace: Pace) -> None:
        """One that was counted is not held against them after all."""
        tag = self._tag(name, identity)
        cost = pace.interval << self.is_strict
        if (place := self.table.find(tag)) is not None:
            self.table.arrivals[place] -= cost
        if self.processes > 1:
            self.uses.setdefault(tag, Use(name, identity, pace)).cost -= cost

    def learn(self, use: Use, backlog: int) -> None:
        """All nodes together are so many nanoseconds ahead of the pace: this node is at least as far."""
        tag, now = self._tag(use.name, use.identity), self._clock()
        place = self.table.place(tag, now)
        arrival = now + min(backlog, use.pace.longest)
        self.table.arrivals[place] = max(self.table.arrivals[place], arrival)

    def ask_again(self, use: Use) -> None:
        """Hear about this key with the next exchange, too."""
        tag = self._tag(use.name, use.identity)
        self.uses.setdefault(tag, Use(use.name, use.identity, use.pace)).asks = True

    def put_back(self, untold: dict[int, Use]) -> None:
        """It could not be told: others have not heard of it."""
        for tag, use in untold.items():
            since = self.uses.get(tag)
            if since is not None:
                use.cost += since.cost
            self.uses[tag] = use

    def tell_metrics(self) -> None:
        """Pass on what was counted; a metric costs as much as everything else here together."""
        for verdict, counted in (("allowed", self._allowed), ("refused", self._refused)):
            for name, count in counted.items():
                HITS.labels(name, verdict).inc(count)
            counted.clear()

    def _use_share(self, tag: int, name: str, identity: str, pace: Pace, cost: int, *, room: int) -> int:
        """Take it from this process's share of the room that is left; how long to wait if that is used up."""
        use = self.uses.get(tag)
        if use is None:
            use = self.uses[tag] = Use(name, identity, pace)
        telling = self.telling.get(tag)
        used = max(0, use.cost + telling.cost if telling else use.cost)
        share = (room + used) * (100 + _MORE) // (100 * self.processes)
        if used >= share:
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


def _nothing() -> None:
    pass
