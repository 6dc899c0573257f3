"""How fast somebody may go on: a rate as a pace, of which one number remembers all that has to be remembered.

The number is the theoretical arrival time of GCRA (the generic cell rate algorithm, a leaky bucket that needs no
ticking): when everything that came so far would have been through at the pace. Moments and lengths are whole
nanoseconds of one monotonic clock, so that nothing is rounded in anybody's favour.
"""

from functools import lru_cache

import msgspec
from limits import RateLimitItem, parse
from msgspec.structs import force_setattr

_SECOND = 1_000_000_000


class Pace(msgspec.Struct, frozen=True):
    """At most `burst` at one instant, and one more every `interval` nanoseconds; `span` is both multiplied.

    `longest` is how far ahead of the pace anybody can be: all nodes together may let through a little more than `burst`
    until they hear of each other.
    """

    burst: int
    interval: int
    span: int = 0
    longest: int = 0

    def __post_init__(self) -> None:
        """What follows from the two."""
        span = self.burst * self.interval
        force_setattr(self, "span", span)
        force_setattr(self, "longest", span + span // 4 + self.interval)

    @classmethod
    def of(cls, rate: RateLimitItem, times: int = 1) -> "Pace":
        """The pace that keeps a rate's word, `times` over: 600/minute is never more than 600 in any minute.

        However the minute is chosen: half of the amount and one may come at once, the other half spreads evenly over
        the period. A whole amount at once and as much again while the period passes would be twice what was said.
        """
        amount, period = rate.amount * times, rate.get_expiry() * _SECOND
        burst = amount // 2 + 1
        # Rounded up: the interval may be longer than said by less than a nanosecond, never shorter.
        return cls(burst, -(-period // (amount - burst + 1)))


@lru_cache(maxsize=256)
def pace_of(text: str, times: int = 1) -> Pace:
    """The pace of a rate as it is written, such as `600/minute`. Raises ValueError."""
    return Pace.of(parse(text), times)


def waiting(arrival: int, cost: int, pace: Pace, now: int) -> int:
    """How long one that costs `cost` has to wait yet; zero or less: it may go on, and takes `arrival` further."""
    # No call of `max`: this is asked for every lookup.
    return (arrival - now if arrival > now else 0) + cost - pace.span


def in_seconds(wait: int) -> int:
    """A wait in whole seconds as `Retry-After` tells it, at least one: whoever waits so long is let in."""
    return max(1, -(-wait // _SECOND))
