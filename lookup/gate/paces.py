"""Paces of what is no rate of a setting: so many at once, then one every so often."""

from kit.gcra import Pace

_SECOND = 1_000_000_000


def steady(burst: float, seconds: float) -> Pace:
    """`burst` at one instant, and one more every `seconds`."""
    return Pace(round(burst), round(seconds * _SECOND))
