"""Counts that all processes of a node share and that are no setting: so many at once, then one every so often."""

from kit.gcra import Pace
from kit.node_limits import NodeLimiter

_SECOND = 1_000_000_000


def steady(burst: float, seconds: float) -> Pace:
    """`burst` at one instant, and one more every `seconds`."""
    interval, whole = round(seconds * _SECOND), round(burst)
    span = whole * interval
    return Pace(whole, interval, span, span + span // 4 + interval)


def hit(limiter: NodeLimiter, name: str, identity: str, pace: Pace) -> int:
    """Count one; 0 when there is room, else the whole seconds until there is.

    Without Redis a limit counts everything twice. Not so here: a class is no smaller then, and one solution is one.
    """
    if limiter.is_strict:
        pace = Pace(pace.burst, pace.interval >> 1, pace.span, pace.longest)
    return limiter.hit(name, identity, pace)
