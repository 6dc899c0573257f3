"""How fast somebody may go on: a rate as a pace, of which one number remembers all that has to be remembered.

The number is the theoretical arrival time of GCRA (the generic cell rate algorithm, a leaky bucket that needs no
ticking): when everything that came so far would have been through at the pace. Moments and lengths are whole
nanoseconds of one monotonic clock, so that nothing is rounded in anybody's favour.
"""

from functools import lru_cache

import msgspec
from limits import RateLimitItem, parse

_SECOND = 1_000_000_000


class Pace(msgspec.Struct, frozen=True):
    """At most `burst` at one instant, and one more every `interval` nanoseconds; `span` is both multiplied."""

    burst: int
    interval: int
    span: int

    @classmethod
    def of(cls, rate: RateLimitItem, times: int = 1) -> "Pace":
        """The pace that keeps a rate's word, `times` over: 600/minute is never more than 600 in any minute.

        However the minute is chosen: half of the amount and one may come at once, the other half spreads evenly over
        the period. A whole amount at once and as much again while the period passes would be twice what was said.
        """
        amount, period = rate.amount * times, rate.get_expiry() * _SECOND
        burst = amount // 2 + 1
        # Rounded up: the interval may be longer than said by less than a nanosecond, never shorter.
        interval = -(-period // (amount - burst + 1))
        return cls(burst, interval, burst * interval)


@lru_cache(maxsize=256)
def pace_of(text: str, times: int = 1) -> Pace:
    """The pace of a rate as it is written, such as `600/minute`. Raises ValueError."""
    return Pace.of(parse(text), times)


def waiting(arrival: int, cost: int, pace: Pace, now: int) -> int:
    """How long one that costs `cost` has to wait yet; zero or less: it may go on, and takes `arrival` further."""
    return max(now, arrival) + cost - now - pace.span


def in_seconds(wait: int) -> int:
    """A wait in whole seconds as `Retry-After` tells it, at least one: whoever waits so long is let in."""
    return max(1, -(-wait // _SECOND))
